"""The one order of ranked things: score down, then item id up, by number or by UTF-8 bytes."""

import numpy as np
import pytest
from candidate_sets import CandidateSet, candidate_sets, place_in_order
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ordering import best_first, top_k


def slowly(score: np.ndarray, item_id: np.ndarray) -> list[int]:
    return sorted(range(len(score)), key=lambda i: (-score[i], place_in_order(item_id[i])))


@given(candidate_sets())
@settings(deadline=None, max_examples=150)
def test_score_down_then_id_up(drawn: CandidateSet):
    assert best_first(drawn.f, drawn.item_id).tolist() == slowly(drawn.f, drawn.item_id)
    assert best_first(-drawn.f, drawn.item_id).tolist() == slowly(-drawn.f, drawn.item_id)


@given(candidate_sets(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_in_which_candidates_come_does_not_matter(drawn: CandidateSet, random):
    order = random.sample(range(len(drawn.f)), len(drawn.f))
    other = drawn.reordered(order)
    before = drawn.item_id[best_first(drawn.f, drawn.item_id)]
    after = other.item_id[best_first(other.f, other.item_id)]
    assert before.tolist() == after.tolist()


def test_integer_ids_beyond_2_53_are_told_apart():
    # As floats these three are one number.
    ids = np.array([2**53 + 1, 2**53, 2**53 - 1, -(2**63)])
    assert best_first(np.zeros(4), ids).tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("kind", [object, str])
def test_strings_compare_by_utf8_bytes(kind):
    # By number 10 would come after 9, by locale é before z, by UTF-16 the emoji before U+FFFD.
    ids = ["\N{GRINNING FACE}", "\N{REPLACEMENT CHARACTER}", "é", "z", "a", "Z", "9", "10", ""]
    order = best_first(np.ones(len(ids)), np.array(ids, kind))
    assert [ids[i] for i in order] == sorted(ids, key=str.encode) == ids[::-1]


def test_strings_that_differ_by_a_nul_at_their_end():
    ids = np.array(["a\0\0", "a\0", "a"], object)
    assert best_first(np.zeros(3), ids).tolist() == [2, 1, 0]


def test_minus_zero_is_zero():
    score = np.array([0.0, -0.0, 0.0, -0.0])
    assert best_first(score, np.array([3, 2, 1, 0])).tolist() == [3, 2, 1, 0]
    assert best_first(np.array([-1e-300, -0.0, 1e-300]), np.arange(3)).tolist() == [2, 1, 0]


def test_single_precision_scores_and_the_smallest_steps():
    score = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1))], np.float32)
    assert best_first(score, np.array([0, 1])).tolist() == [1, 0]


@given(candidate_sets())
@settings(deadline=None, max_examples=30)
def test_top_k_is_the_head_of_the_order(drawn: CandidateSet):
    picks = top_k(drawn.f, drawn.item_id, drawn.k)
    assert len(picks) == min(drawn.k, len(drawn.f))
    assert picks.tolist() == slowly(drawn.f, drawn.item_id)[: drawn.k]
