"""The value of a list that repetition wears, and the best list, against brute force."""

import itertools

import numpy as np
import pytest
from candidate_sets import place_in_order
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ordering import top_k
from model.satiation import (
    Audience,
    best_by_category,
    best_by_likeness,
    list_value,
    list_values,
    repeats_by_category,
    repeats_by_likeness,
    unit_rows,
)

CHANCES = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.floats(0, 1))
WEAR = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))


def test_repeats_by_hand():
    assert repeats_by_category(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]
    assert repeats_by_category(np.array([], int)).tolist() == []
    # A copy counts 1, the opposite nothing, a right angle nothing, 60 degrees a half.
    half = [0.5, 3**0.5 / 2]
    content = np.array([[2.0, 0.0], [-1.0, 0.0], [5.0, 0.0], [0.0, 0.0], half])
    found = repeats_by_likeness(content)
    np.testing.assert_allclose(found, [0, 0, 1, 0, 1], atol=1e-12)


def test_value_by_hand():
    examination = np.array([1.0, 0.5, 0.25, 0.0])
    p, wear = np.array([0.4, 0.8, 0.2]), np.array([0.5, 0.5, 0.9])
    # Places: .4, then the same category again .5 * .8 * .5, then another .25 * .2.
    repeats = repeats_by_category(np.array([1, 1, 2]))
    assert list_value(p, wear, repeats, examination) == pytest.approx(0.4 + 0.2 + 0.05)
    assert list_value(p[:0], wear[:0], repeats[:0], examination) == 0.0


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(deadline=None, max_examples=60)
def test_lists_together_are_worth_what_each_is_alone(seed, by_likeness):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(1, 9)), int(rng.integers(1, 6))
    p, wear = rng.random((2, n))
    kind = rng.integers(-1, 2, (n, 3)) * 1.0 if by_likeness else rng.integers(0, 3, n)
    examination = np.sort(rng.random(8))[::-1]
    audience = Audience(np.arange(n), p, wear, kind, examination)
    places = np.full((5, k), -1)
    for row in places:
        picks = rng.permutation(n)[: rng.integers(0, k + 1)]
        row[: len(picks)] = picks
    found = list_values(p[places], wear[places], kind[places], places >= 0, examination[:k])
    alone = [audience.value(row[row >= 0]) for row in places]
    np.testing.assert_allclose(found, alone, rtol=1e-12)


@st.composite
def worlds(draw: st.DrawFn) -> tuple:
    """Draw up to six candidates in up to three categories, and a falling examination."""
    n = draw(st.integers(1, 6))
    category = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    wear = np.array(draw(st.lists(WEAR, min_size=3, max_size=3)))[category]
    p = np.array(draw(st.lists(CHANCES, min_size=n, max_size=n)))
    k = draw(st.integers(1, 4))
    steps = draw(st.lists(st.floats(0, 1), min_size=k, max_size=k))
    ids = np.array(draw(st.permutations(range(n))))
    return p, wear, category, ids, k, np.cumprod(steps)


@given(worlds())
@settings(deadline=None, max_examples=120)
def test_the_best_list_by_category_is_the_best_of_all_lists(world):
    p, wear, category, ids, k, examination = world

    def value(picks: object) -> float:
        picks = np.array(picks)
        return list_value(p[picks], wear[picks], repeats_by_category(category[picks]), examination)

    best = best_by_category(p, wear, category, ids, k)
    length = min(k, len(p))
    assert len(best) == len(set(best)) == length
    every = itertools.permutations(range(len(p)), length)
    assert value(best) == pytest.approx(max(map(value, every)), abs=1e-12)


@given(worlds())
@settings(deadline=None, max_examples=60)
def test_what_nothing_wears_is_best_by_p(world):
    p, _, category, ids, k, _ = world
    expected = top_k(p, ids, k).tolist()
    unworn = np.ones(len(p))
    assert best_by_category(p, unworn, category, ids, k).tolist() == expected
    assert best_by_likeness(p, unworn, np.eye(len(p)), ids, k).tolist() == expected


@given(worlds(), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_the_greedy_list_takes_the_largest_worth_at_each_step(world, seed):
    p, wear, _, ids, k, _ = world
    # Few directions, so that some candidates are copies; copies share every likeness.
    content = np.random.default_rng(seed).normal(size=(3, 2))[np.arange(len(p)) % 3]
    unit = unit_rows(content)
    picks = best_by_likeness(p, wear, content, ids, k)
    assert len(set(picks)) == len(picks) == min(k, len(p))
    for step, pick in enumerate(picks):
        shown = picks[:step]
        left = [i for i in range(len(p)) if i not in set(shown)]
        worth = {
            i: p[i] * wear[i] ** sum(max(0.0, float(unit[i] @ unit[j])) for j in shown)
            for i in left
        }
        assert worth[pick] == pytest.approx(max(worth.values()), abs=1e-12)


def test_equal_worth_goes_to_the_higher_p_then_the_lower_id():
    p, wear = np.array([0.5, 0.25, 0.25, 1.0]), np.array([0.5, 1.0, 1.0, 0.5])
    content = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 0, 0]])
    ids = np.array([0, 2, 1, 3])
    # After the last one the first is worth .5 * .5, like the others, with the higher p.
    assert best_by_likeness(p, wear, content, ids, 4).tolist() == [3, 0, 2, 1]
    strings = np.array(["b", "a"], object)
    twins = np.array([0.5, 0.5])
    assert best_by_category(twins, np.ones(2), np.arange(2), strings, 2).tolist() == [1, 0]
    assert place_in_order("a") < place_in_order("b")


def test_wear_by_category_reads_the_count_before_it():
    p, wear = np.array([0.9, 0.8, 0.7, 0.3]), np.full(4, 0.5)
    category = np.array([1, 1, 1, 2])
    # Worth .9, .4, .175 in the first category, .3 in the second.
    assert best_by_category(p, wear, category, np.arange(4), 4).tolist() == [0, 1, 3, 2]


def test_unit_rows():
    found = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    assert found.dtype == np.float64
    assert found.tolist() == [[0.6, 0.8], [0.0, 0.0]]
