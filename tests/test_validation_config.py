"""The profile's section about validation: defaults, what is refused and with which words."""

from pathlib import Path

import pytest

from jobs.errors import Refused
from jobs.measures.catalogue import MEASURED
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.validate import READS

HEAD = 'name = "mine"\n[fields]\nitem = ["category"]\ncategory = "category"\n[validation]\n'


def loaded(folder: Path, text: str) -> Profile:
    path = folder / "mine.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_profile(str(path))


def test_every_table_that_is_validated_has_measures():
    assert set(READS) == set(MEASURED)


def test_what_is_not_said_stays_as_it_is(tmp_path):
    profile = loaded(tmp_path, "limits.request_logs.rows = { change = 0.1 }\n")
    kinds = profile.validation.kinds("request_logs", profile.fields)
    assert (kinds["rows"].severity, kinds["rows"].change) == ("stop", 0.1)
    assert (kinds["requests"].severity, kinds["requests"].change) == ("warn", 0.2)
    assert "unknown_category" in kinds
    assert "drift_category" in profile.validation.kinds("candidate_sets", profile.fields)


def test_columns_that_only_warn_are_those_of_their_table(tmp_path):
    profile = loaded(tmp_path, 'warn_only = ["request_logs.label", "rankings.f"]\n')
    assert profile.validation.warning_columns("request_logs") == ("label",)
    assert profile.validation.warning_columns("rankings") == ("f",)
    assert profile.validation.warning_columns("metrics") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("min_days = 40", "line 6: validation.min_days = 40 is not allowed; it must be from 2 to"),
        ("dayz = 9", "unknown key validation.dayz; did you mean validation.days?"),
        ("false_alarms = 0.0", "validation.false_alarms = 0.0 is not allowed; it must be above 0"),
        ("limits.request_logs.row = {}",
         "line 6: validation.limits.request_logs.row is no measure; did you mean rows? known are "
         "rows, requests, users"),
        ("limits.request_log.rows = {}",
         "validation.limits.request_log is no table with measures; did you mean request_logs?"),
        ('limits.rankings.f_mean = { severity = "halt" }',
         "line 6: validation.limits.rankings.f_mean.severity = 'halt' is not allowed; it must be "
         "one of stop, warn, off"),
        ("limits.rankings.f_mean = { low = 1.0, high = 0.5 }",
         "validation.limits.rankings.f_mean.low = 1.0 is not allowed; it must be at most high"),
        ("limits.rankings.f_mean = { change = -0.5 }", "f_mean.change = -0.5 is not allowed"),
        ("limits.rankings.drift_f = { change = 0.5 }",
         "validation.limits.rankings.drift_f.change is read by no drift; give high instead"),
        ("limits.rankings.f_mean = 3", "f_mean is a section, written"),
        ('warn_only = ["request_logs.lable"]',
         "validation.warn_only[0] = 'request_logs.lable' is no column of a table; did you mean "
         "label?"),
        ('warn_only = ["label"]', "validation.warn_only[0] = 'label' is no column of a table; "),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_a_mistake_is_told_with_what_there_is(text, told, tmp_path):
    with pytest.raises(Refused) as refusal:
        loaded(tmp_path, f"{text}\n")
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
