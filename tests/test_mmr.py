"""The teacher against Eq. 1-4 written as slow loops, and the laws that any such rule obeys."""

import itertools

import numpy as np
import pytest
from candidate_sets import DIVERSITY_WEIGHTS, CandidateSet, candidate_sets, place_in_order
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ordering import top_k
from model.teachers.mmr import diversity, interest_vectors, select


def similarity(drawn: CandidateSet, i: int, j: int) -> float:
    total = 0.0
    for a, b in zip(drawn.vectors[i], drawn.vectors[j], strict=True):
        total += float(a) * float(b)
    return total


def one_minus_sigmoid(s: float) -> float:
    # Past 700 float64 has no room for e^s; that far out all are equally alike.
    return float(1.0 / (1.0 + np.exp(np.float64(min(s, 700.0)))))


def gain_of(drawn: CandidateSet, i: int, picked: list[int], weight: float) -> float:
    """Eq. 2 and 3; min over 1 - sigmoid is one minus the max over sigmoid."""
    if not picked:
        return float(drawn.f[i])
    return float(drawn.f[i]) + weight * min(
        one_minus_sigmoid(similarity(drawn, i, j)) for j in picked
    )


def slow_select(drawn: CandidateSet, weight: float) -> tuple[list[int], list[float]]:
    """O(N K^2) greedy: at each step look at every candidate and at everything picked."""
    picks, gains = [], []
    while len(picks) < min(drawn.k, len(drawn.f)):
        left = [i for i in range(len(drawn.f)) if i not in picks]
        gain = {i: gain_of(drawn, i, picks, weight) for i in left}
        best = min(left, key=lambda i: (-gain[i], -drawn.f[i], place_in_order(drawn.item_id[i])))
        picks.append(best)
        gains.append(gain[best])
    return picks, gains


def fast_select(drawn: CandidateSet, weight: float) -> tuple[np.ndarray, np.ndarray]:
    return select(drawn.f, drawn.vectors, drawn.item_id, drawn.k, weight)


@given(candidate_sets(), DIVERSITY_WEIGHTS)
@settings(deadline=None, max_examples=200)
def test_exactly_the_slow_greedy(drawn: CandidateSet, weight: float):
    picks, gains = fast_select(drawn, weight)
    slow_picks, slow_gains = slow_select(drawn, weight)
    assert picks.tolist() == slow_picks
    assert gains.tolist() == slow_gains


def test_exactly_the_slow_greedy_on_a_request_of_real_size():
    rng = np.random.default_rng(4)
    f = rng.beta(1, 8, 60).astype(np.float32)
    vectors = rng.normal(size=(12, 16))[rng.integers(12, size=60)].round(2)
    drawn = CandidateSet(f, vectors, rng.permutation(60), 20)
    picks, gains = fast_select(drawn, 0.25)
    slow_picks, slow_gains = slow_select(drawn, 0.25)
    assert picks.tolist() == slow_picks
    # Sixteen products are added in another order than one after the other.
    np.testing.assert_allclose(gains, slow_gains, rtol=1e-12)
    assert set(picks) != set(top_k(f, drawn.item_id, 20)), "the case tests nothing"


@given(candidate_sets())
@settings(deadline=None, max_examples=60)
def test_without_diversity_it_is_top_k_by_f(drawn: CandidateSet):
    picks, gains = fast_select(drawn, 0.0)
    assert picks.tolist() == top_k(drawn.f, drawn.item_id, drawn.k).tolist()
    assert gains.tolist() == drawn.f[picks].tolist()


@given(candidate_sets(), DIVERSITY_WEIGHTS)
@settings(deadline=None, max_examples=60)
def test_each_pick_is_the_largest_gain_of_its_step(drawn: CandidateSet, weight: float):
    picks, gains = fast_select(drawn, weight)
    for step, gain in enumerate(gains):
        before = picks[:step].tolist()
        rest = [
            gain_of(drawn, i, before, weight) for i in range(len(drawn.f)) if i not in set(before)
        ]
        assert gain == max(rest)


@given(candidate_sets(), DIVERSITY_WEIGHTS)
@settings(deadline=None, max_examples=60)
def test_gains_fall_from_the_second_pick_on(drawn: CandidateSet, weight: float):
    # The first gain is f alone, so the second may exceed it by up to lambda.
    gains = fast_select(drawn, weight)[1]
    assert (np.diff(gains[1:]) <= 1e-12).all()
    assert (gains[1:2] <= gains[:1] + weight).all()


@given(candidate_sets(), DIVERSITY_WEIGHTS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_the_order_in_which_candidates_come_does_not_matter(drawn, weight, random):
    other = drawn.reordered(random.sample(range(len(drawn.f)), len(drawn.f)))
    picks, gains = fast_select(drawn, weight)
    other_picks, other_gains = fast_select(other, weight)
    assert drawn.item_id[picks].tolist() == other.item_id[other_picks].tolist()
    assert gains.tolist() == other_gains.tolist()


@given(candidate_sets(), DIVERSITY_WEIGHTS)
@settings(deadline=None, max_examples=50)
def test_a_smaller_k_is_a_prefix(drawn: CandidateSet, weight: float):
    whole = select(drawn.f, drawn.vectors, drawn.item_id, len(drawn.f) + 2, weight)[0]
    assert sorted(whole) == list(range(len(drawn.f)))
    assert fast_select(drawn, weight)[0].tolist() == whole[: drawn.k].tolist()


@given(candidate_sets(max_candidates=6), DIVERSITY_WEIGHTS)
@settings(deadline=None, max_examples=60)
def test_never_above_the_best_of_all_lists(drawn: CandidateSet, weight: float):
    """By brute force over ordered lists; two picks are the best pair that starts with top f."""
    k = min(drawn.k, len(drawn.f), 3)

    def worth(order: tuple[int, ...]) -> float:
        return sum(gain_of(drawn, i, list(order[:r]), weight) for r, i in enumerate(order))

    picks, gains = select(drawn.f, drawn.vectors, drawn.item_id, k, weight)
    every = {order: worth(order) for order in itertools.permutations(range(len(drawn.f)), k)}
    assert gains.sum() == pytest.approx(worth(tuple(picks)))
    assert gains.sum() <= max(every.values()) + 1e-12
    if k == 2:
        assert gains.sum() == pytest.approx(max(v for o, v in every.items() if o[0] == picks[0]))


def test_a_copy_waits_for_what_is_new():
    f = np.array([0.9, 0.8, 0.7])
    vectors = np.array([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    picks, gains = select(f, vectors, np.arange(3), 3, 0.25)
    assert picks.tolist() == [0, 2, 1]
    alike, unlike = 1 / (1 + np.exp(9.0)), 0.5
    np.testing.assert_allclose(gains, [0.9, 0.7 + 0.25 * unlike, 0.8 + 0.25 * alike], rtol=1e-14)


@pytest.mark.parametrize("width", [3, 8, 11, 16, 33, 64])
def test_copies_are_taken_in_the_order_of_their_ids(width):
    """Equal rows must give equal bits wherever they stand; a BLAS product does not promise that."""
    rng = np.random.default_rng(width)
    for count in (1, 2, 5, 7, 9, 17, 31, 63, 200):
        # Large s and f = 0: the last bit of s is seen in the gain.
        vectors = np.tile(rng.normal(size=(1, width)) * 2, (count, 1))
        ids = rng.permutation(count)
        picks, _ = select(np.zeros(count), vectors, ids, count, 1.0)
        assert ids[picks].tolist() == list(range(count))


def test_gain_before_f_before_id():
    # Similarities -800 and 0 to the first pick: exactly 0 + 1 against 0.5 + 0.5.
    vectors = np.array([[1.0, 0.0], [-800.0, 0.0], [0.0, 5.0]])
    f = np.array([1.0, 0.0, 0.5])
    assert select(f, vectors, np.array([9, 1, 5]), 2, 1.0)[0].tolist() == [0, 2]
    same_f = np.array([1.0, 0.5, 0.5])
    zeros = np.zeros((3, 2))
    assert select(same_f, zeros, np.array([9, 7, 5]), 2, 1.0)[0].tolist() == [0, 2]


def test_large_dot_products_keep_their_order():
    # 1 - sigmoid(s) is 0 in float64 from s = 37 on, and both would be worth the same.
    f = np.array([0.9, 0.0, 0.0])
    vectors = np.array([[10.0], [6.0], [5.0]])
    picks, gains = select(f, vectors, np.array([0, 1, 2]), 3, 1.0)
    assert picks.tolist() == [0, 2, 1]
    np.testing.assert_allclose(gains[1:], np.exp([-50.0, -60.0]), rtol=1e-12)


def test_diversity_over_its_whole_range():
    found = diversity(np.array([-np.inf, -800.0, -1.0, 0.0, 1.0, 40.0, 600.0, 1e6, np.inf]))
    assert found[:2].tolist() == [1.0, 1.0]
    np.testing.assert_allclose(found[2:5], [1 - 1 / (1 + np.e), 0.5, 1 / (1 + np.e)], rtol=1e-14)
    np.testing.assert_allclose(found[5:7], np.exp([-40.0, -600.0]), rtol=1e-12)
    assert (found[7:] >= 0).all()
    assert (np.diff(found) <= 0).all()


def test_interest_weighs_the_dimensions():
    e, u = np.array([[1.0, 2.0], [3.0, -1.0]], np.float32), np.array([0.5, 0.0], np.float32)
    vectors = interest_vectors(e, u, 0.0)
    assert vectors.tolist() == [[0.5, 0.0], [1.5, 0.0]]
    tenth = np.array([[0.1]], np.float32)
    product = interest_vectors(tenth, tenth[0], 0.0)
    assert product.dtype == np.float64
    assert product[0, 0] == float(tenth[0, 0]) ** 2, "the product was rounded to float32"


def test_with_a_cosine_scale_similarities_are_kappa_times_the_cosine():
    rng = np.random.default_rng(8)
    e, u = rng.normal(size=(7, 5)) * 10.0 ** rng.integers(-6, 6, size=(7, 1)), rng.normal(size=5)
    vectors = interest_vectors(e, u, 4.0)
    weighed = e * u
    length = np.linalg.norm(weighed, axis=1)
    cosine = weighed @ weighed.T / np.outer(length, length)
    np.testing.assert_allclose(vectors @ vectors.T, 4.0 * cosine, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 4.0])
def test_a_zero_vector_is_similar_to_nothing(scale):
    e = np.array([[3.0, 4.0], [0.0, 0.0]])
    vectors = interest_vectors(e, np.ones(2), scale)
    assert vectors[1].tolist() == [0.0, 0.0]
    assert select(np.array([0.9, 0.1]), vectors, np.arange(2), 2, 1.0)[1][1] == 0.1 + 0.5
