"""Bootstrap intervals: against the plain loop, in coverage, and paired."""

import numpy as np
import pytest

from model.intervals import DRAWS, LEVEL, Bootstrap

NAN = float("nan")


def slowly(top: np.ndarray, bottom: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Resample requests one draw at a time, with the same stream."""
    rng, n, found = np.random.default_rng(seed), len(top), []
    for _ in range(DRAWS):
        rows = rng.integers(n, size=n)
        found.append(top[rows].sum() / bottom[rows].sum())
    tail = 50 * (1 - LEVEL)
    return top.sum() / bottom.sum(), *np.percentile(found, [tail, 100 - tail])


def test_it_is_the_plain_resampling():
    rng = np.random.default_rng(1)
    top, bottom = rng.normal(1, 1, 40), rng.uniform(1, 3, 40)
    found = Bootstrap(40, seed=7).ratio(top, bottom)
    np.testing.assert_allclose(found[:3], slowly(top, bottom, 7), rtol=1e-9)
    assert found[3] == 40
    mean = Bootstrap(40, seed=7).ratio(top)
    np.testing.assert_allclose(mean[:3], slowly(top, np.ones(40), 7), rtol=1e-9)


def test_a_ratio_of_sums_is_no_mean_of_ratios():
    value = Bootstrap(2, seed=0).ratio(np.array([1.0, 9.0]), np.array([1.0, 3.0]))[0]
    assert value == 2.5
    assert value != np.mean([1.0, 3.0])


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng, bootstrap, n, trials = np.random.default_rng(3), Bootstrap(80, seed=1), 80, 400
    inside = paired = 0
    for _ in range(trials):
        hard = rng.exponential(1.0, n)
        one, other = hard + rng.normal(0.3, 0.2, n), hard + rng.normal(0.0, 0.2, n)
        _, low, high, _ = bootstrap.ratio(hard)
        inside += low <= 1.0 <= high
        _, low, high, _ = bootstrap.ratio(one, minus=other)
        paired += low <= 0.3 <= high
    # Percentile intervals of a skewed mean fall a little short of 95 %.
    assert 0.89 <= inside / trials <= 0.985
    assert 0.90 <= paired / trials <= 0.985


def test_differences_are_paired():
    """What is hard for both methods is no uncertainty about their difference."""
    rng, bootstrap = np.random.default_rng(5), Bootstrap(100, seed=2)
    hard = rng.normal(0, 10, 100)
    better = hard + 0.5
    value, low, high, n = bootstrap.ratio(better, minus=hard)
    assert (value, low, high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-6)
    assert n == 100
    _, alone_low, alone_high, _ = bootstrap.ratio(better)
    assert alone_high - alone_low > 1


def test_equal_methods_differ_by_exactly_nothing():
    values = np.random.default_rng(6).random(30)
    values[3] = NAN
    found = Bootstrap(30, seed=2).ratio(values, np.full(30, 2.0), minus=values.copy())
    assert found == (0.0, 0.0, 0.0, 29)


def test_the_difference_of_ratios_shares_its_denominator():
    top, minus, bottom = np.array([4.0, 2.0]), np.array([1.0, 1.0]), np.array([6.0, 2.0])
    assert Bootstrap(2, seed=0).ratio(top, bottom, minus=minus)[0] == 6 / 8 - 2 / 8


def test_requests_without_a_figure_are_left_out():
    top = np.array([1.0, NAN, 3.0, NAN])
    bootstrap = Bootstrap(4, seed=0)
    value, low, high, n = bootstrap.ratio(top, np.array([1.0, 100.0, 1.0, NAN]))
    assert (value, n) == (2.0, 2)
    assert 1.0 <= low <= high <= 3.0
    minus = np.array([NAN, 5.0, 1.0, 2.0])
    assert bootstrap.ratio(top, minus=minus) == (2.0, 2.0, 2.0, 1)


def test_nothing_to_count_is_nan_over_no_requests():
    *figures, n = Bootstrap(2, seed=0).ratio(np.array([NAN, NAN]))
    assert np.isnan(figures).all()
    assert n == 0
    *figures, n = Bootstrap(2, seed=0).ratio(np.array([NAN, 1.0]), minus=np.array([1.0, NAN]))
    assert np.isnan(figures).all()
    assert n == 0


def test_one_request_has_no_spread():
    assert Bootstrap(1, seed=0).ratio(np.array([0.4])) == (0.4, 0.4, 0.4, 1)


def test_the_seed_decides():
    values = np.random.default_rng(6).random(30)
    first, again, other = (Bootstrap(30, seed).ratio(values) for seed in (1, 1, 2))
    assert first == again
    assert first[0] == other[0]
    assert first[1:3] != other[1:3]
