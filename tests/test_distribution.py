"""PSI and its threshold: by definition, under no change, under a shift, of clustered requests."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.measures.distribution import (
    KEPT_CATEGORIES,
    MEDIAN_WORTH,
    OTHER,
    POINTS,
    categories,
    chance,
    compare,
    numbers,
    worth,
)
from jobs.measures.measured import Measured

RATE = 0.01
DAYS = 14


def clustered(
    rng: np.random.Generator, requests: int, each: int, within: float, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Values of requests that differ among each other, `within` apart on the inside."""
    owner = np.repeat(np.arange(requests), each)
    values = rng.normal(shift, 1, requests)[owner] + rng.normal(0, within, len(owner))
    return values, owner


def summary(rng: np.random.Generator, **how: float) -> Measured:
    return numbers("x", *clustered(rng, **how))


# --- how many independent values clustered ones are worth


def slow_worth(bins: list[int], request: list[int], size: int) -> tuple[float, float]:
    """By definition: eigenvalues of the clustered covariance against the multinomial one."""
    names = sorted(set(request))
    counts = [[0] * size for _ in names]
    for b, r in zip(bins, request, strict=True):
        counts[names.index(r)][b] += 1
    n = len(bins)
    share = [sum(row[b] for row in counts) / n for b in range(size)]
    filled = [b for b in range(size) if share[b] > 0][:-1]
    clustered = np.zeros((len(filled), len(filled)))
    for row in counts:
        away = np.array([row[b] - sum(row) * share[b] for b in filled])
        clustered += np.outer(away, away) * len(names) / (len(names) - 1) / n**2
    p = np.array([share[b] for b in filled])
    simple = (np.diag(p) - np.outer(p, p)) / n
    effects = np.linalg.eigvals(np.linalg.solve(simple, clustered)).real
    mean = effects.mean()
    return n / max(mean, 1.0), (effects**2).mean() / mean**2 if mean > 1e-9 else 1.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=3, max_size=40))
def test_the_design_effects_are_those_of_their_definition(pairs):
    bins, request = [b for b, _ in pairs], [r for _, r in pairs]
    if len(set(bins)) < 2 or len(set(request)) < 2:
        return
    found = worth(np.array(bins), np.array(request), 4)
    assert found == pytest.approx(slow_worth(bins, request, 4), rel=1e-6)


def test_copies_of_a_value_are_worth_one_and_lone_values_all_that_they_are():
    rng = np.random.default_rng(0)
    bins = rng.integers(0, 10, 2_000)
    alone = worth(bins, np.arange(2_000), 10)
    copied = worth(np.repeat(bins, 50), np.repeat(np.arange(2_000), 50), 10)
    assert alone == pytest.approx((2_000, 1), rel=0.01)
    assert copied == pytest.approx((2_000, 1), rel=0.01)
    assert worth(bins, np.zeros(2_000, int), 10).n == 1.0
    assert worth(bins[:0], bins[:0], 10).n == 0.0


def test_requests_of_one_composition_are_worth_no_more_than_their_values():
    bins, owner = np.tile(np.arange(10), 300), np.repeat(np.arange(300), 10)
    assert worth(bins, owner, 10) == (3_000, 1.0)


# --- PSI


def by_definition(p: list[float], q: list[float]) -> float:
    return sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))


def mix(**counts: float) -> Measured:
    return Measured("mix", 1e9, bins=tuple(counts), counts=tuple(counts.values()))


def test_psi_of_categories_is_that_of_the_median_of_the_trailing_days():
    found = compare(mix(a=50, b=30, c=20), [mix(a=1, b=1, c=2), mix(a=300, b=500, c=200)], RATE)
    assert found.psi == pytest.approx(by_definition([0.5, 0.3, 0.2], [0.275, 0.375, 0.35]))
    assert (found.new, found.gone) == (0, 0)


def test_new_and_gone_categories_are_told_by_their_share():
    found = compare(mix(a=60, d=40), [mix(a=50, b=50), mix(a=80, c=20)], RATE)
    assert found.new == pytest.approx(0.4)
    assert found.gone == pytest.approx(0.35)
    assert found.psi > 1
    folded = Measured("mix", 1e9, bins=("a", OTHER), counts=(90, 10))
    assert compare(folded, [mix(a=50, b=50)], RATE).new is None


def test_what_is_usual_is_how_far_the_trailing_days_are_from_their_median():
    past = [mix(a=5, b=5), mix(a=6, b=4), mix(a=9, b=1), mix(a=5, b=5)]
    psi = [by_definition([p, 1 - p], [0.55, 0.45]) for p in (0.5, 0.6, 0.9, 0.5)]
    usual = compare(mix(a=1, b=9), past, RATE).usual
    assert usual == pytest.approx(np.quantile(psi, 0.75))
    assert compare(mix(a=1, b=9), past[:1], RATE).usual == 0


def test_strange_days_before_do_not_hide_a_strange_day():
    quiet, strange = mix(a=50, b=50), mix(c=50, d=50)
    first = compare(strange, [quiet] * 8, RATE)
    third = compare(strange, [strange] * 2 + [quiet] * 8, RATE)
    assert third.psi == pytest.approx(first.psi, rel=0.02)
    assert third.usual == pytest.approx(0, abs=1e-3)


def test_rare_categories_are_kept_as_one():
    names = [f"c{n}" for n in range(KEPT_CATEGORIES + 5)]
    codes = np.concatenate([np.arange(len(names)), np.arange(KEPT_CATEGORIES)])
    found = categories("mix", codes, np.arange(len(codes)), names)
    assert found.bins == (*sorted(names[:KEPT_CATEGORIES]), OTHER)
    assert found.counts == (*[2.0] * KEPT_CATEGORIES, 5.0)


@pytest.mark.parametrize("size", [300, POINTS, 12_345])
def test_psi_of_numbers_is_that_of_deciles_of_the_trailing_days(size):
    rng = np.random.default_rng(size)
    before, today = rng.normal(size=size), rng.normal(0.5, 1, size=size)
    alone = np.arange(size)
    found = compare(numbers("x", today, alone), [numbers("x", before, alone)], RATE)
    edges = np.sort(before)[np.ceil(np.arange(1, 10) / 10 * size).astype(int) - 1]
    p, q = (
        np.histogram(side, [-np.inf, *np.nextafter(np.unique(edges), np.inf), np.inf])[0] / size
        for side in (today, before)
    )
    p, q = np.maximum(p, 0.5 / size), np.maximum(q, 0.5 / size / MEDIAN_WORTH)
    assert found.psi == pytest.approx(by_definition(p, q), rel=0.1, abs=0.02)


@pytest.mark.parametrize(("of", "today"), [(1.0, 0.0), (1.0, 2.0), (0.0, -1.0)])
def test_a_constant_that_becomes_another_is_far_off_to_both_sides(of, today):
    alone = np.arange(400)
    before, after = (numbers("x", np.full(400, v), alone) for v in (of, today))
    assert compare(after, [before], RATE).psi > 5
    assert compare(before, [before], RATE).psi == 0


def test_what_is_not_finite_is_left_out():
    values = np.array([1.0, np.nan, 2.0, np.inf, -np.inf])
    found = numbers("x", values, np.array([0, 0, 1, 1, 2]))
    assert found.points == (1.0, 2.0)
    assert numbers("x", values[1:2], np.zeros(1, int)) == Measured("x", 0.0)


# --- the threshold, by simulation: seeded, so that it holds always or never


def share_of_alarms(
    shift: float, within: float, tries: int, requests: int = 150, rate: float = RATE
) -> float:
    """How often PSI is above what chance may add."""
    rng = np.random.default_rng(3)
    how = {"requests": requests, "each": 30, "within": within}
    alarms = 0
    for _ in range(tries):
        past = [summary(rng, **how) for _ in range(DAYS)]
        found = compare(summary(rng, **how, shift=shift), past, rate)
        alarms += found.psi > found.chance
    return alarms / tries


@pytest.mark.parametrize("within", [0.1, 0.5, 3.0])
def test_under_no_change_there_are_as_many_alarms_as_asked_for(within):
    assert share_of_alarms(0.0, within, 400) <= 2 * RATE
    assert 0.1 <= share_of_alarms(0.0, within, 150, rate=0.2) <= 0.3


def test_a_shift_is_noticed_as_soon_as_it_can_be_told_from_chance():
    # A tenth of a standard deviation cannot be told of 150 requests, half of one can.
    assert share_of_alarms(0.6, 0.5, 60) >= 0.95
    assert share_of_alarms(0.15, 0.5, 60, requests=2_000) >= 0.95


def test_candidates_taken_as_independent_would_give_alarms_every_day():
    rng = np.random.default_rng(4)
    how = {"requests": 150, "each": 30, "within": 0.5}
    alarms = 0
    for _ in range(50):
        past = [summary(rng, **how) for _ in range(DAYS)]
        psi = compare(summary(rng, **how), past, RATE).psi
        alarms += psi > chance(10, 150 * 30, DAYS * 150 * 30, 1.0, RATE)
    assert alarms >= 45


def test_under_no_change_the_mix_of_clustered_categories_is_quiet():
    rng, alarms = np.random.default_rng(5), 0
    names = [f"c{n}" for n in range(40)]

    def day() -> Measured:
        # A request is of two categories, as a query of a shop is.
        owner = np.repeat(np.arange(300), 20)
        codes = rng.zipf(1.8, (300, 2)).clip(1, 40)[owner, rng.integers(0, 2, 6_000)] - 1
        return categories("mix", codes, owner, names)

    for _ in range(300):
        found = compare(day(), [day() for _ in range(7)], RATE)
        alarms += found.psi > found.chance
    assert alarms <= 6
