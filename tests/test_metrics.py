"""Metrics on lists worked out by hand, by their laws, and by what chance gives."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.categories import membership
from jobs.judged_day import JudgedDay
from model.metrics import (
    covered,
    distinct_categories,
    intra_list_distance,
    ndcg,
    recall,
    reciprocal_rank,
)

NAN = float("nan")


def hit_lists(*rows: str) -> np.ndarray:
    """Return hits [R, K] of rows such as '.x.'."""
    return np.array([[c == "x" for c in row] for row in rows])


def test_accuracy_by_hand():
    hits = hit_lists("x.x", ".x.", "...", "xxx", "..x")
    positives = np.array([2, 4, 1, 3, 1])
    assert recall(hits, positives).tolist() == [1.0, 0.25, 0.0, 1.0, 1.0]
    assert reciprocal_rank(hits, positives).tolist() == [1.0, 0.5, 0.0, 1.0, 1 / 3]
    second, third = 1 / math.log2(3), 0.5
    expected = [
        (1 + third) / (1 + second),
        second / (1 + second + third),
        0.0,
        1.0,
        third,
    ]
    np.testing.assert_allclose(ndcg(hits, positives), expected, rtol=1e-15)


def test_a_request_without_positives_has_no_accuracy():
    hits, positives = hit_lists("..", "x."), np.array([0, 1])
    for measure in (recall, reciprocal_rank, ndcg):
        found = measure(hits, positives)
        assert np.isnan(found[0])
        assert found[1] == 1.0


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 4), st.integers(0, 999))
@settings(deadline=None, max_examples=80)
def test_recall_and_mrr_never_fall_with_k(n, relevant, missed, seed):
    ranked = np.random.default_rng(seed).permutation(n) < relevant
    positives = np.array([min(relevant, n) + missed])
    at = {
        measure: [measure(ranked[None, :k], positives)[0] for k in range(1, n + 1)]
        for measure in (recall, reciprocal_rank, ndcg)
    }
    if positives[0] == 0:
        assert np.isnan(list(at.values())).all()
        return
    assert (np.diff(at[recall]) >= 0).all()
    assert (np.diff(at[reciprocal_rank]) >= 0).all()
    assert at[recall][-1] == min(relevant, n) / positives[0]
    for values in at.values():
        assert 0 <= min(values) <= max(values) <= 1 + 1e-12


@given(st.integers(1, 8), st.integers(1, 8))
@settings(deadline=None, max_examples=30)
def test_the_ideal_list_has_ndcg_1(k, relevant):
    ideal = (np.arange(k) < relevant)[None]
    assert ndcg(ideal, np.array([relevant]))[0] == pytest.approx(1.0)


def test_chance_gives_what_it_must():
    """N = 500 with 9 positives: Recall@20 is K/N = .040 and MRR@20 .0603 by the hypergeometric."""
    n, relevant, k, requests = 500, 9, 20, 6_000
    rng = np.random.default_rng(12)
    hits = rng.random((requests, n)).argsort(axis=1)[:, :k] < relevant
    positives = np.full(requests, relevant)
    miss, expected = 1.0, 0.0
    for rank in range(1, k + 1):
        chance = relevant / (n - rank + 1)
        expected += miss * chance / rank
        miss *= 1 - chance
    assert expected == pytest.approx(0.0603, abs=5e-5)
    for measure, value in ((recall, k / n), (reciprocal_rank, expected)):
        found = measure(hits, positives)
        assert abs(found.mean() - value) < 4 * found.std() / requests**0.5


def slow_distance(vectors: np.ndarray, known: np.ndarray) -> float:
    """Eq. 21 as a double loop over ordered pairs."""
    total, pairs = 0.0, 0
    for x in range(len(vectors)):
        for y in range(len(vectors)):
            if x == y or not (known[x] and known[y]):
                continue
            a, b = vectors[x], vectors[y]
            length = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
            total += float(a @ b) / length if length else 0.0
            pairs += 1
    return 1 - total / pairs if pairs else NAN


@given(st.data(), st.integers(1, 5), st.integers(1, 4))
@settings(deadline=None, max_examples=100)
def test_ilad_is_the_double_loop(data, k, d):
    coordinate = st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, -40.0])
    rows = st.lists(coordinate, min_size=d, max_size=d)
    vectors = np.array(data.draw(st.lists(rows, min_size=k, max_size=k)))
    known = np.array(data.draw(st.lists(st.booleans(), min_size=k, max_size=k)))
    found = intra_list_distance(vectors[None], known[None])
    np.testing.assert_allclose(found, [slow_distance(vectors, known)], atol=1e-12)


def test_ilad_by_hand():
    same, across, opposite = [[1.0, 0.0]] * 2, [[2.0, 0.0], [0.0, 5.0]], [[1.0, 0.0], [-3.0, 0.0]]
    vectors, known = np.array([same, across, opposite]), np.ones((3, 2), bool)
    assert intra_list_distance(vectors, known).tolist() == [0.0, 1.0, 2.0]


def test_ilad_of_one_hot_categories_is_the_share_of_unlike_pairs():
    # a a b c: of six pairs one is alike.
    member = np.eye(3, dtype=np.uint8)[[[0, 0, 1, 2]]]
    assert intra_list_distance(member, np.ones((1, 4), bool))[0] == pytest.approx(5 / 6)


def test_ilad_of_items_in_several_categories():
    # {a, b} against {b}: cosine 1/sqrt 2; {a, b} against {c}: 0; {b} against {c}: 0.
    member = np.array([[[1, 1, 0], [0, 1, 0], [0, 0, 1]]], np.uint8)
    expected = 1 - (1 / math.sqrt(2)) / 3
    assert intra_list_distance(member, np.ones((1, 3), bool))[0] == pytest.approx(expected)


def test_ilad_ignores_places_that_are_not_filled():
    vectors = np.array([[[1.0, 0.0], [0.0, 1.0], [NAN, 7.0]], [[1.0, 0.0]] * 3])
    known = np.array([[True, True, False], [True, False, False]])
    found = intra_list_distance(vectors, known)
    assert found[0] == 1.0
    assert np.isnan(found[1]), "one item has no pairs"


def test_categories_of_lists():
    member = np.zeros((3, 3, 4), np.uint8)
    member[0, [0, 1, 2], [0, 0, 2]] = 1
    member[1, 0, [1, 2]] = 1  # one item in two categories, the other places unfilled
    assert distinct_categories(member).tolist() == [2.0, 2.0, 0.0]
    assert covered(member).tolist() == [True, True, True, False]
    assert covered(member).mean() == 0.75


def names_of(values: list[str], separator: str) -> list[set[int]]:
    member = membership(pa.array(values), separator)
    assert set(np.unique(member)) <= {0, 1}
    assert not len(values) or (member.any(axis=0)).all(), "a category that nothing is in"
    return [set(np.flatnonzero(row)) for row in member]


def test_membership_of_one_category_each():
    toys, books, again = names_of(["toys|x", "books", "toys|x"], "")
    assert toys == again
    assert toys.isdisjoint(books)
    assert len(toys) == len(books) == 1


@pytest.mark.parametrize("separator", ["|", ".", ", ", "::"])
def test_membership_of_several_categories(separator):
    values = [separator.join(part) for part in (["a", "b"], ["b"], ["c", "a", "c"], ["b", "a"])]
    ab, b, ca, ba = names_of(values, separator)
    assert ab == ba
    assert b < ab
    assert len(ab) == len(ca) == 2
    assert len(ab & ca) == 1
    assert b.isdisjoint(ca)


def test_no_category_is_none():
    found = names_of(["a", "", "b", ""], "")
    assert [len(names) for names in found] == [1, 0, 1, 0]
    found = names_of(["|a", "", "a||b|", "|"], "|")
    assert [len(names) for names in found] == [1, 0, 2, 0]
    assert found[0] < found[2]
    assert membership(pa.array(["", ""]), "|").shape == (2, 0)


def judged_day() -> JudgedDay:
    """Two requests of string ids; items of the same name are different candidates."""
    return JudgedDay(
        request_id=np.array(["r1", "r2"], object),
        start=np.array([0, 3]),
        count=np.array([3, 2]),
        positives=np.array([1, 0]),
        item_id=np.array(["a", "b", "c", "b", "é"], object),
        clicked=np.zeros(5, bool),
        category=None,
        reference=None,
    )


def ranked(rows: list[tuple[str, int, str]]) -> pa.Table:
    request, rank, item = zip(*rows, strict=True)
    return pa.table({"request_id": request, "rank": pa.array(rank, pa.int32()), "item_id": item})


def test_rankings_become_places_whatever_their_order():
    rows = [("r2", 1, "é"), ("r1", 2, "a"), ("r1", 1, "c"), ("r2", 2, "b"), ("r1", 3, "b")]
    assert judged_day().positions(ranked(rows), 3).tolist() == [[2, 0, 1], [4, 3, -1]]
    assert judged_day().positions(ranked(rows[:1]), 2).tolist() == [[-1, -1], [4, -1]]


@pytest.mark.parametrize("stranger", ["a", "r11", "s"])
def test_a_ranked_request_of_another_day_is_refused(stranger):
    with pytest.raises(ValueError, match=f"request '{stranger}' is ranked, but is not of this day"):
        judged_day().positions(ranked([("r1", 1, "a"), (stranger, 1, "a")]), 2)


def test_a_ranked_item_that_is_no_candidate_is_refused():
    with pytest.raises(ValueError, match=r"request 'r2' ranks item 'a', no candidate of it"):
        judged_day().positions(ranked([("r1", 1, "a"), ("r2", 1, "a")]), 2)
