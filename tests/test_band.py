"""What is usual by the trailing days: how often chance is outside, and what still is noticed."""

from datetime import date, timedelta

import numpy as np
import pytest

from jobs.measures.band import band
from jobs.measures.catalogue import Kind

DAY = date(2026, 3, 2)  # a Monday
RATE = 0.01
PLAIN = Kind("x", "", change=0.0)


def trailing(values: list[float]) -> list[tuple[date, float]]:
    """The newest value first."""
    return [(DAY - timedelta(days=back), value) for back, value in enumerate(values, start=1)]


def outside(days: int, week: float, fall: float, tries: int = 1_500) -> float:
    """How often a day is strange whose noise is 1, after a week's rhythm of this spread."""
    rng, found = np.random.default_rng(days), 0
    for _ in range(tries):
        rhythm = rng.normal(0, week, 7)
        level = [rhythm[(DAY - timedelta(days=n)).weekday()] for n in range(days + 1)]
        noisy = 100 + np.array(level) + rng.normal(0, 1, days + 1)
        usual = band(PLAIN, DAY, trailing(noisy[1:].tolist()), RATE)
        found += not usual.low <= noisy[0] - fall <= usual.high
    return found / tries


@pytest.mark.parametrize("days", [5, 7, 14, 20, 21, 28])
@pytest.mark.parametrize("week", [0.0, 6.0])
def test_under_no_change_there_are_no_more_alarms_than_asked_for(days, week):
    assert outside(days, week, fall=0.0) <= 2 * RATE


@pytest.mark.parametrize(("days", "week"), [(14, 0.0), (28, 0.0), (28, 6.0)])
def test_a_fall_by_eight_standard_deviations_is_noticed(days, week):
    assert outside(days, week, fall=8.0, tries=200) >= 0.99


def test_the_same_weekdays_are_the_ones_that_count():
    values = [100.0 if n % 7 else 30.0 for n in range(1, 29)]
    usual = band(PLAIN, DAY, trailing(values), RATE)
    assert (usual.centre, usual.low, usual.high) == (30.0, 30.0, 30.0)
    fewer = band(PLAIN, DAY, trailing(values[:20]), RATE)
    assert fewer.centre == 100.0, "two Mondays are too few to know what a Monday is"


def test_a_few_strange_days_do_not_make_strangeness_usual():
    steady = (100 + np.random.default_rng(0).normal(0, 1, 28)).tolist()
    strange = [5.0, *steady[1:10], 900.0, *steady[11:]]
    plain, odd = (band(PLAIN, DAY, trailing(values), RATE) for values in (steady, strange))
    assert 0 < odd.high - odd.low < 2 * (plain.high - plain.low)
    assert odd.low > 90


def test_a_change_is_allowed_however_steady_the_days_were():
    days = trailing([200.0] * 10)
    usual = band(Kind("x", "", change=0.2), DAY, days, RATE)
    assert (usual.low, usual.high) == (160.0, 240.0)
    none = band(Kind("x", "", change=0.2, slack=3.0), DAY, trailing([0.0] * 10), RATE)
    assert (none.low, none.high) == (-3.0, 3.0)
