"""What a measure may be, and what is said where that is not known."""

import re
from datetime import date, timedelta

import numpy as np
import pytest

from jobs.gx_judge import Judge
from jobs.measures.config import LimitConfig, ValidationConfig
from jobs.measures.distribution import categories, numbers
from jobs.measures.held import hold_measures
from jobs.measures.judgement import Judgement, judge
from jobs.measures.measured import Measured
from schemas.table import Fields

DAY = date(2026, 3, 2)
FIELDS = Fields(item=("category",), category="category")


def judged(
    table: str, today: list[Measured], past: list[list[Measured]], **config: object
) -> dict[str, Judgement]:
    """Judge a day by those before it, the newest first."""
    settings = ValidationConfig(**config)
    before = {
        DAY - timedelta(days=back): {one.key: one for one in found}
        for back, found in enumerate(past, start=1)
    }
    kinds = settings.kinds(table, FIELDS)
    found = judge(kinds, {one.key: one for one in today}, before, DAY, settings)
    return {one.name: one for one in found}


def limits(table: str, **measures: LimitConfig) -> dict[str, object]:
    return {"limits": {table: measures}}


ROWS = [Measured("rows", 9, 1000.0)]


def test_a_first_day_has_fixed_limits_alone():
    today = [*ROWS, Measured("overlap", 9, 1.0)]
    found = judged("teacher_labels", today, [])
    assert found["rows"].expected == "not judged: 0 of 7 days are there to compare with"
    assert found["overlap"].expected == (
        "from 0.1 % to 99.9 % (fixed limits; 0 of 7 days are there to compare with)"
    )
    held = hold_measures(Judge(), found.values())
    assert {name: one.success for name, one in held.items()} == {"overlap": False}


def test_later_days_are_judged_by_those_before():
    found = judged("request_logs", [Measured("rows", 9, 400.0)], [ROWS] * 7)
    assert found["rows"].expected == "from 500 to 1,500 (usual 1,000, by 7 days)"
    assert found["rows"].days == 7
    assert not hold_measures(Judge(), found.values())["rows"].success
    six = judged("request_logs", ROWS, [ROWS] * 6)
    assert not six["rows"].is_judged


def test_a_day_without_the_measure_is_none_to_compare_with():
    found = judged("request_logs", ROWS, [ROWS] * 6 + [[]] * 5)
    assert found["rows"].expected == "not judged: 6 of 7 days are there to compare with"


def test_the_profile_has_the_last_word():
    own = limits("request_logs", rows=LimitConfig(severity="warn", change=0.7, low=350.0))
    found = judged("request_logs", [Measured("rows", 9, 400.0)], [ROWS] * 7, **own)["rows"]
    assert (found.kind.severity, found.low, found.high) == ("warn", 350.0, pytest.approx(1700.0))
    off = limits("request_logs", rows=LimitConfig(severity="off"))
    assert judged("request_logs", ROWS, [ROWS] * 7, **off) == {}


def test_where_limits_and_days_contradict_each_other_the_limits_hold():
    own = limits("request_logs", click_rate=LimitConfig(low=0.5))
    rate = [Measured("click_rate", 9, 0.1)]
    found = judged("request_logs", rate, [rate] * 7, **own)["click_rate"]
    assert (found.low, found.high) == (0.5, 0.5)
    assert not hold_measures(Judge(), [found])["click_rate"].success


def test_a_share_cannot_be_above_1_nor_a_count_below_0():
    today = [Measured("overlap", 9, 0.95), Measured("unchanged", 9, 0.95), *ROWS]
    found = judged("teacher_labels", today, [today] * 7)
    assert found["unchanged"].high == 1.0
    assert found["overlap"].high == 0.999


def test_each_part_is_compared_with_itself():
    def of(part: str, value: float) -> Measured:
        return Measured("f_mean", 9, value, part=part)

    past = [[of("cdm", 0.1), of("dcn", 0.5)]] * 7
    found = judged("rankings", [of("cdm", 0.5), of("dcn", 0.5), of("new", 0.5)], past)
    held = hold_measures(Judge(), found.values())
    assert {name: one.success for name, one in held.items()} == {
        "cdm.f_mean": False,
        "dcn.f_mean": True,
    }
    assert found["new.f_mean"].why == "0 of 7 days are there to compare with"


# --- distributions


def scores(shift: float, seed: int, requests: int = 500) -> Measured:
    rng, owner = np.random.default_rng(seed), np.repeat(np.arange(requests), 10)
    return numbers("drift_score", rng.normal(shift, 1, len(owner)), owner)


def test_a_drift_is_judged_above_its_limit_and_chance():
    past = [[scores(0, seed)] for seed in range(7)]
    same, moved = (
        judged("candidate_sets", [scores(shift, 99)], past)["drift_score"] for shift in (0.0, 0.6)
    )
    assert same.value < 0.02 < 0.1 < same.high < 0.12 < moved.value
    assert same.expected.startswith("at most 0.10")
    assert "for chance, by 7 days" in same.expected
    wide = limits("candidate_sets", drift_score=LimitConfig(high=0.9))
    assert judged("candidate_sets", [scores(0.6, 99)], past, **wide)["drift_score"].high > 0.9


def test_what_moves_every_day_may_move_a_few_times_as_much():
    past = [[scores(1.0 if seed % 2 else 0.0, seed)] for seed in range(8)]
    found = judged("candidate_sets", [scores(0.0, 99)], past)["drift_score"]
    assert 0.1 < found.value < found.high
    assert re.fullmatch(
        r"at most \d\.\d{3} \(5 times the usual 0\.\d{3}, by 8 days\)", found.expected
    )
    steady = [[scores(0.0, seed)] for seed in range(8)]
    assert judged("candidate_sets", [scores(1.0, 99)], steady)["drift_score"].high < 0.2
    far = judged("candidate_sets", [scores(4.0, 99)], past)["drift_score"]
    assert far.value > far.high


def test_of_few_requests_no_drift_is_judged():
    past = [[scores(0, seed)] for seed in range(7)]
    found = judged("candidate_sets", [scores(3, 99, requests=5)], past)["drift_score"]
    assert found.value is None
    assert re.fullmatch(
        r"not judged: its requests are worth \d\d independent values, fewer than 100",
        found.expected,
    )


def test_new_and_gone_categories_are_judged_by_the_mix():
    def mix(*names: str) -> Measured:
        codes = np.arange(1000) % len(names)
        return categories("drift_category", codes, np.arange(1000), names)

    found = judged("candidate_sets", [mix("a", "b", "c", "d")], [[mix("a", "b", "e", "f")]] * 7)
    assert found["new_categories"].value == pytest.approx(0.5)
    assert found["gone_categories"].value == pytest.approx(0.5)
    held = hold_measures(Judge(), found.values())
    assert {name for name, one in held.items() if not one.success} == {
        "drift_category",
        "new_categories",
        "gone_categories",
    }
