"""report: what serves is called by its ranker and its student of that day, and not always CDM."""

import json
import re
from typing import get_args

import pytest
from shop_lake import DAYS, ShopLake, metric_rows

from jobs.report.evidence import Evidence
from jobs.report.metric_table import Method, Numbers
from jobs.report.names import names_of
from jobs.report.over_days import shown_methods
from jobs.report.served import DELTA, GAMMA, LAMBDA, STUDENTS, served
from jobs.report.wording import headline
from model.config import Ranker
from model.learning_config import StudentName

GREEK = str.maketrans({GAMMA: "gamma", LAMBDA: "lambda", DELTA: "delta"})


def shop_with(folder, lines: str) -> ShopLake:
    """The shop's two days, reported on under a profile with these lines too."""
    lake = ShopLake(folder).day_one().day_two()
    lake.toml.write_text(f"{lake.toml.read_text()}{lines}\n")
    return lake


def reported(lake: ShopLake) -> tuple[str, str]:
    """The page as a person reads it, and the summary."""
    assert lake.report(DAYS[1]) == 0
    return lake.text().translate(GREEK), (lake.root / "reports" / "summary.txt").read_text()


def says(version_of: ShopLake, version: str, **model: str) -> None:
    """Write the config.json of a version, as a checkpoint has it."""
    kind = "dcn" if version == "base0" else "cdm"
    described = {"about": {"kind": kind}, "model": model, "shape": {}}
    (version_of.lake.models / version / "config.json").write_text(json.dumps(described))


def test_every_ranker_and_every_student_has_words():
    config = {"gamma": 0.1, "mmr_weight": 0.1, "decay": 0.9}
    assert set(STUDENTS) == set(get_args(StudentName))
    told = {served(config | {"ranker": r}, s) for r in get_args(Ranker) for s in STUDENTS}
    assert len({(one.label, one.rule, one.student.label) for one in told}) == 4 * 3
    assert {one.label for one in told} == {
        "CDM", "Better context", "Wear", "One-pass MMR", "Category decay", "Served DCN",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "title", "rule", "label"),
    [
        ('ranker = "category_decay"\ndecay = 0.8', "Category decay (delta = 0.8)",
         "f · delta^n, n better candidates of the item's category, delta = 0.8", "Category decay"),
        ('ranker = "one_pass"', "One-pass MMR (lambda = 0.1)",
         "f + lambda · what sets an item apart from the better ones, in one pass, lambda = 0.1",
         "One-pass MMR"),
        ('ranker = "dcn"', "Served DCN", "f alone, which is DCN once more", "Served DCN"),
        ('gamma = 0.7\n[model]\nstudent = "wear"', "Wear (gamma = 0.7)",
         "f · y^gamma, gamma = 0.7", "Wear"),
    ],
    ids=lambda text: text.split("\n")[0],
)  # fmt: skip
def test_nothing_but_the_served_name_is_shown(tmp_path, lines, title, rule, label):
    student = 'student = "wear"'
    more = "" if student in lines else f"\n[model]\n{student}"
    text, plain = reported(shop_with(tmp_path, f"[ranking]\n{lines}{more}"))
    assert "CDM" not in text + plain
    assert f"{title} against DCN on 2026-01-02, over 2 requests: " in text
    assert f" {label} {rule} " in text
    assert f"DCN 0.400, {label} 0.380" in text
    assert f"{label} reorders the first 3 places of 1 of 2 requests" in text
    assert f"{label} ▲ +0.100 [+0.070, +0.130]" in re.sub(r" -0\.020 \[[^]]*\]", "", text)
    what = "student" if label == "Wear" else "ranker"
    assert f"so that {label} less DCN is what the {what} adds" in text
    assert "Wear of 2026-01-01 cdm1" in text
    assert "Wear gamma 0.05" in text, "the student at another gamma is the student"
    assert ("Wear, as compared above" in text) == (label == "Wear")
    assert bool(re.search(r"(?<!Wear )gamma 0\.05", text)) == (label == "Wear"), "nobody's line"
    assert plain.splitlines()[2].startswith(f"{title} against DCN on 2026-01-02")
    rows = plain.splitlines()
    named = [row for row in rows if re.match(rf"({label}|{label} - DCN|Random|DCN) +[-+0]", row)]
    assert len(named) == 4
    heads = next(row for row in rows if "Recall@3 " in row and "ILAD@3" in row)
    assert {re.search(r"[-+]?0\.\d", row).start() for row in named} == {heads.index("Recall@3")}


def test_a_model_that_says_its_student_is_believed_before_the_profile(tmp_path):
    lake = shop_with(tmp_path, '[model]\nstudent = "better_context"')
    says(lake, "cdm1", student="wear")
    text, _ = reported(lake)
    assert "Wear (gamma = 0.1) against DCN" in text
    assert "DCN of 2026-01-01 base0" in text
    assert "win the share y of f that repetition leaves, as the student has it" in text
    says(lake, "cdm1")
    assert "CDM (gamma = 0.1) against DCN" in reported(lake)[0], "it is older than the choice"


@pytest.mark.parametrize(
    ("parameters", "title"),
    [
        ({"ranker": "category_decay", "decay": 0.6, "gamma": 0.3}, "Category decay (delta = 0.6)"),
        ({"ranker": "student", "gamma": 0.3}, "CDM (gamma = 0.3)"),
        ({"gamma": 0.3}, "CDM (gamma = 0.3)"),
        ({}, "One-pass MMR (lambda = 0.1)"),
    ],
    ids=str,
)
def test_a_day_is_named_by_what_it_was_ranked_under(tmp_path, parameters, title):
    """Not by what the profile says now; a day that names no ranker knew one alone."""
    lake = shop_with(tmp_path, '[ranking]\nranker = "one_pass"')
    rows = lake.lake.partition("rankings", DAYS[1]).read().to_pylist()
    lake.put("rankings", DAYS[1], rows, parameters=parameters)
    assert f"{title} against DCN" in reported(lake)[0]


def test_the_promoted_models_list_is_named_by_its_own_student(tmp_path):
    lake = shop_with(tmp_path, "")
    ours = {"model_version": "base0", "method": "promoted", "metric": "recall", "n": 2}
    level = {"value": 0.3, "low": 0.2, "high": 0.4, "baseline": ""}
    lake.put("metrics", DAYS[1], metric_rows() + [ours | level | {"k": k} for k in (2, 3)])
    says(lake, "cdm1", student="wear")
    assert "model base0: its CDM, or its DCN if it has no student" in reported(lake)[0]
    lake.toml.write_text(f'{lake.toml.read_text()}[ranking]\nranker = "category_decay"\n')
    assert "model base0: by Category decay" in reported(lake)[0]


def test_days_of_two_rankers_are_two_methods_over_days(tmp_path):
    lake = shop_with(tmp_path, "")
    (judged,) = Evidence(lake.lake, DAYS[1], lake.profile).judged()
    decay = served({"ranker": "category_decay", "decay": 0.9}, "cdm")
    later = Numbers(metric_rows(), names_of(lake.profile, decay))
    both = [judged, type(judged)(DAYS[1], "m", later, "", "")]
    labels = [method.label for method in shown_methods(both)]
    assert sorted(labels)[:3] == ["CDM", "Category decay", "DCN"]
    cdm, other = (Method.of("cdm", day.numbers.names) for day in both)
    for method, mine in ((cdm, True), (other, False)):
        found = [day.numbers.of(method, "recall", 3) is not None for day in both]
        assert found == [mine, not mine]


def test_what_is_missing_is_told_by_the_name_of_what_serves(tmp_path):
    profile, config = ShopLake(tmp_path).profile, {"ranker": "one_pass", "mmr_weight": 0.1}
    names = names_of(profile, served(config, "cdm"))
    rows = [row for row in metric_rows() if not row["method"].startswith("cdm")]
    said = headline(DAYS[1], Numbers(rows, names))
    assert said.startswith("No One-pass MMR was compared on 2026-01-02")
    rows = [row for row in metric_rows() if not row["baseline"]]
    assert headline(DAYS[1], Numbers(rows, names)).startswith("One-pass MMR was ranked on")
