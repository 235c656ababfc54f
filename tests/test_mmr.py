"""MMR against its formulas written as slow loops, and the laws that any such rule obeys."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import assert_greedy, batches, candidates, picked, request

from model.config import TeacherConfig
from model.teachers.mmr import pick
from model.teachers.novelty import diversity
from model.teachers.requests import Requests

WEIGHTS = st.sampled_from([0.0, 0.125, 0.25, 1.0, 8.0])
KS = st.integers(1, 45)


def mmr(k: int, weight: float = 0.25, name: str = "mmr", kappa: float = 0.0) -> TeacherConfig:
    return TeacherConfig(name=name, k=k, diversity_weight=weight, cosine_scale=kappa)


def similarities(requests: Requests, config: TeacherConfig) -> dict[tuple[int, int], float]:
    """Every s_ij of two candidates of one request."""
    found = {}
    for r, of in enumerate(candidates(requests)):
        u = np.ones(requests.table.shape[1]) if config.name == "mmr_item" else requests.u[r]
        e_u = requests.table[requests.row[of]].astype(float) * u.astype(float)
        s = (e_u[:, None] * e_u[None]).sum(axis=2)
        if config.cosine_scale or config.name == "mmr_item":
            length = np.sqrt(np.diag(s))
            lengths = length[:, None] * length[None]
            s = (config.cosine_scale or 1.0) * s / np.where(lengths > 0, lengths, 1.0)
        found |= {(i, j): s[i - of.start, j - of.start] for i in of for j in of}
    return found


def gain_by(requests: Requests, config: TeacherConfig):
    """Eq. 2 and 3, or Carbonell and Goldstein's."""
    s = similarities(requests, config)

    def gain(r: int, i: int, before: list[int]) -> float:
        if not before:
            return requests.f[i]
        alike = max(s[i, j] for j in before)
        if config.name == "mmr_item":
            return requests.f[i] + config.diversity_weight * (1.0 - alike)
        return requests.f[i] + config.diversity_weight / (1.0 + math.exp(min(alike, 700.0)))

    return gain


@given(batches(), KS, WEIGHTS)
@settings(max_examples=100)
def test_exactly_the_slow_greedy(requests, k, weight):
    config = mmr(k, weight)
    assert_greedy(requests, pick(requests, config), k, gain_by(requests, config))


@given(batches(), KS, WEIGHTS)
@settings(max_examples=100)
def test_the_slow_greedy_of_the_items_alone(requests, k, weight):
    config = mmr(k, weight, "mmr_item")
    gain = gain_by(requests, config)
    assert_greedy(requests, pick(requests, config), k, gain, tolerance=1e-12)


@given(batches(), KS, WEIGHTS, st.sampled_from([0.5, 2.0, 40.0]))
@settings(max_examples=60)
def test_the_slow_greedy_with_cosines(requests, k, weight, kappa):
    config = mmr(k, weight, kappa=kappa)
    gain = gain_by(requests, config)
    assert_greedy(requests, pick(requests, config), k, gain, tolerance=1e-12)


def clustered(n: int, d: int, scale: float, seed: int) -> Requests:
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(max(3, n // 15), d))
    e = centre[rng.integers(len(centre), size=n)] + 0.5 * rng.normal(size=(n, d))
    return request(rng.beta(1, 8, n), e * scale, rng.normal(size=d), row=rng.permutation(n))


@pytest.mark.parametrize("name", ["mmr", "mmr_item"])
@pytest.mark.parametrize("scale", [0.1, 0.5, 3.0, 30.0], ids="scale {}".format)
@pytest.mark.parametrize(("n", "k", "d"), [(60, 20, 16), (213, 5, 64), (130, 130, 7)])
def test_the_slow_greedy_at_real_sizes_and_where_large_terms_cancel(n, k, d, scale, name):
    # At 60 candidates a quarter leaves the classic form the top K.
    config = mmr(k, 1.0 if name == "mmr_item" else 0.25, name)
    requests = clustered(n, d, scale, seed=n)
    picks = pick(requests, config)
    assert_greedy(requests, picks, k, gain_by(requests, config), tolerance=1e-11)
    top = np.argsort(-requests.f)[:k]
    assert k == n or scale < 1 or set(np.flatnonzero(picks.order)) != set(top), (
        "the case tests nothing"
    )


@given(batches(), KS)
@settings(max_examples=40)
def test_without_diversity_it_is_top_k_by_f(requests, k):
    picks = pick(requests, mmr(k, 0.0))
    for of in candidates(requests):
        best = sorted(of, key=lambda i: (-requests.f[i], requests.row[i]))
        assert picked(picks, of) == best[:k]
        assert picks.gain[best[:k]].tolist() == requests.f[best[:k]].tolist()


@given(batches(), KS, WEIGHTS)
@settings(max_examples=40)
def test_gains_fall_from_the_second_pick_on_and_a_smaller_k_is_a_prefix(requests, k, weight):
    picks, whole = pick(requests, mmr(k, weight)), pick(requests, mmr(99, weight))
    for of in candidates(requests):
        found = picked(picks, of)
        assert found == picked(whole, of)[: len(found)]
        assert (np.diff(picks.gain[found[1:]]) <= 0).all()
        assert (picks.gain[found[1:2]] <= picks.gain[found[:1]] + weight).all()


@given(batches(max_candidates=12), WEIGHTS, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_in_which_candidates_come_does_not_matter(requests, weight, random):
    of = candidates(requests)[0]
    order = random.sample(of, len(of))

    def alone(at: list[int]) -> dict[int, int]:
        row = requests.row[at]
        one = request(requests.f[at], requests.table, requests.u[0], row=row)
        return dict(zip(row.tolist(), pick(one, mmr(5, weight)).order.tolist(), strict=True))

    assert alone(list(of)) == alone(order)


@given(batches(max_candidates=6), WEIGHTS)
@settings(max_examples=40)
def test_never_above_the_best_of_all_lists(requests, weight):
    """By brute force over ordered lists; two picks are the best pair that starts with top f."""
    of, config = candidates(requests)[0], mmr(3, weight)
    gain = gain_by(requests, config)

    def worth(order: tuple[int, ...]) -> float:
        return sum(gain(0, i, list(order[:step])) for step, i in enumerate(order))

    picks = picked(pick(requests, config), of)
    every = {order: worth(order) for order in itertools.permutations(of, len(picks))}
    assert worth(tuple(picks)) <= max(every.values()) + 1e-12
    if len(picks) == 2:
        best = max(v for order, v in every.items() if order[0] == picks[0])
        assert worth(tuple(picks)) == pytest.approx(best)


def test_a_copy_waits_for_what_is_new():
    requests = request([0.9, 0.8, 0.7], [[3, 0], [3, 0], [0, 3]])
    picks = pick(requests, mmr(3))
    assert picks.order.tolist() == [1, 3, 2]
    alike, unlike = 1 / (1 + np.exp(9.0)), 0.5
    expected = [0.9, 0.8 + 0.25 * alike, 0.7 + 0.25 * unlike]
    np.testing.assert_allclose(picks.gain, expected, rtol=1e-14)


@pytest.mark.parametrize("kappa", [0.0, 4.0])
@pytest.mark.parametrize("width", [3, 8, 11, 16, 33, 64])
def test_copies_are_taken_in_the_order_of_their_rows(width, kappa):
    """Equal rows must give equal bits in whichever lane of whichever block they stand."""
    rng = np.random.default_rng(width)
    for count in (1, 2, 5, 7, 9, 17, 31, 63, 200):
        # Large s and f = 0: the last bit of s is seen in the gain.
        e, row = np.tile(rng.normal(size=(1, width)) * 2, (count, 1)), rng.permutation(count)
        picks = pick(request(np.zeros(count), e, row=row), mmr(count, 1.0, kappa=kappa))
        assert row[np.argsort(picks.order)].tolist() == list(range(count))


def test_gain_before_f_before_row():
    # Similarities -800 and 0 to the first pick: exactly 0 + 1 against 0.5 + 0.5.
    requests = request([1.0, 0.0, 0.5], [[1, 0], [-800, 0], [0, 5]])
    assert pick(requests, mmr(2, 1.0)).order.tolist() == [1, 0, 2]
    same_f = request([1.0, 0.5, 0.5], np.zeros((10, 2)), row=[9, 7, 5])
    assert pick(same_f, mmr(2, 1.0)).order.tolist() == [1, 0, 2]


def test_large_dot_products_keep_their_order():
    # 1 - sigmoid(s) is 0 in float64 from s = 37 on, and both would be worth the same.
    picks = pick(request([0.9, 0.0, 0.0], [[10], [6], [5]]), mmr(3, 1.0))
    assert picks.order.tolist() == [1, 3, 2]
    np.testing.assert_allclose(picks.gain[1:], np.exp([-60.0, -50.0]), rtol=1e-12)


def test_diversity_over_its_whole_range():
    found = np.array([diversity(x) for x in (-np.inf, -800.0, -1.0, 0.0, 1.0, 40.0, 600.0, 1e6)])
    assert found[:2].tolist() == [1.0, 1.0]
    np.testing.assert_allclose(found[2:5], [1 - 1 / (1 + np.e), 0.5, 1 / (1 + np.e)], rtol=1e-14)
    np.testing.assert_allclose(found[5:7], np.exp([-40.0, -600.0]), rtol=1e-12)
    assert found[7] >= 0
    assert (np.diff(found) <= 0).all()


def test_interest_weighs_the_dimensions_and_item_level_does_not():
    requests = request([0.9, 0.5, 0.4], [[1, 1], [1, 0], [0, 5]], u=[3.0, 0.0])
    assert pick(requests, mmr(2, 1.0)).order.tolist() == [1, 0, 2]
    assert pick(requests, mmr(2, 1.0, "mmr_item")).order.tolist() == [1, 2, 0]


def test_the_classic_form_by_hand():
    # Cosines to the first pick: a copy, a right angle, the opposite.
    requests = request([0.9, 0.5, 0.375, 0.25], [[2, 0], [3, 0], [0, 5], [-1, 0]])
    picks = pick(requests, mmr(4, 0.25, "mmr_item"))
    assert picks.order.tolist() == [1, 4, 3, 2]
    assert picks.gain.tolist() == [0.9, 0.5, 0.375 + 0.25, 0.25 + 0.25 * 2]


@given(batches(), KS, WEIGHTS, st.sampled_from(["mmr", "mmr_item"]))
@settings(max_examples=40)
def test_what_else_is_in_the_batch_does_not_matter(requests, k, weight, name):
    picks = pick(requests, mmr(k, weight, name))
    for r, of in enumerate(candidates(requests)):
        row, u = requests.row[of.start : of.stop], requests.u[r]
        alone = pick(request(requests.f[of], requests.table, u, row=row), mmr(k, weight, name))
        np.testing.assert_array_equal(alone.order, picks.order[of])
        np.testing.assert_array_equal(alone.gain, picks.gain[of])


@pytest.mark.parametrize("kappa", [0.0, 4.0])
def test_a_zero_vector_is_similar_to_nothing(kappa):
    requests = request([0.9, 0.1], [[3, 4], [0, 0]])
    assert pick(requests, mmr(2, 1.0, kappa=kappa)).gain[1] == 0.1 + 0.5


def test_without_the_users_the_interest_aware_one_refuses():
    requests = request([0.9], [[1.0]])
    bare = Requests(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        None,
        requests.category_ends,
        requests.category,
    )
    with pytest.raises(ValueError, match="'mmr' needs the users' vectors u"):
        pick(bare, mmr(1))
    assert pick(bare, mmr(1, name="mmr_item")).order.tolist() == [1]
