"""One-pass MMR against its formula as slow loops, and where it meets the greedy list."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import batches, candidates, picked, request
from test_mmr import clustered, mmr, similarities

from model.config import TeacherConfig
from model.teachers import mmr as greedy
from model.teachers.one_pass import pick
from model.teachers.requests import Requests


def one_pass(k: int, weight: float = 0.25, **other) -> TeacherConfig:
    return TeacherConfig(name="one_pass", k=k, diversity_weight=weight, **other)


def slow(requests: Requests, config: TeacherConfig) -> tuple[dict[int, float], list[list[int]]]:
    """Every score and each request's candidates by it; nothing is left out."""
    s = similarities(requests, config)
    score, lists = {}, []
    for of in candidates(requests):
        now = {i: requests.f[i] for i in of}
        for _ in range(config.rounds):
            by = sorted(of, key=lambda i: (-now[i], -requests.f[i], requests.row[i]))
            context = by[: config.context or config.k]
            now = {}
            for place, i in enumerate(by):
                alike = max((s[i, j] for j in context[:place]), default=-math.inf)
                div = 1.0 / (1.0 + math.exp(min(alike, 700.0)))
                now[i] = requests.f[i] + config.diversity_weight * div
        lists.append(sorted(of, key=lambda i: (-now[i], -requests.f[i], requests.row[i])))
        score |= now
    return score, lists


@given(
    batches(),
    st.integers(1, 45),
    st.sampled_from([0.0, 0.125, 0.25, 1.0, 8.0]),
    st.integers(0, 45),
    st.integers(1, 3),
)
@settings(max_examples=120)
def test_exactly_the_formula(requests, k, weight, context, rounds):
    config = one_pass(k, weight, context=context, rounds=rounds)
    picks = pick(requests, config)
    score, lists = slow(requests, config)
    for of, by in zip(candidates(requests), lists, strict=True):
        assert picked(picks, of) == by[:k]
        assert picks.gain[by[:k]].tolist() == [score[i] for i in by[:k]]


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("kappa", [0.0, 4.0])
@pytest.mark.parametrize("context", [5, 100])
def test_the_formula_at_real_size(rounds, kappa, context):
    requests = clustered(213, 16, 0.5, seed=2)
    config = one_pass(20, 0.5, rounds=rounds, cosine_scale=kappa, context=context)
    picks = pick(requests, config)
    score, (by,) = slow(requests, config)
    assert picked(picks, range(213)) == by[:20]
    np.testing.assert_allclose(picks.gain[by[:20]], [score[i] for i in by[:20]], atol=1e-12)


@given(batches(max_candidates=20), st.sampled_from([0.125, 1.0]))
@settings(max_examples=60)
def test_the_greedy_order_is_where_rounds_end(requests, weight):
    """Given the whole greedy order as context, the formula gives the greedy gains back."""
    whole = greedy.pick(requests, mmr(99, weight))
    s = similarities(requests, mmr(1))
    for of in candidates(requests):
        by = picked(whole, of)
        for place, i in enumerate(by[1:], start=1):
            alike = max(s[i, j] for j in by[:place])
            div = 1.0 / (1.0 + math.exp(min(alike, 700.0)))
            assert whole.gain[i] == requests.f[i] + weight * div


def test_of_two_copies_the_second_one_sees_the_first():
    requests = request([0.5, 0.5, 0.4], [[9.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    assert pick(requests, one_pass(2, 1.0)).order.tolist() == [1, 0, 2]


def test_what_is_far_behind_may_still_win():
    requests = request([0.9, 0.8, 0.125], [[9.0], [9.0], [-9.0]])
    picks = pick(requests, one_pass(2, 1.0))
    assert picks.order.tolist() == [1, 0, 2]
    assert picks.gain[2] == pytest.approx(1.125)
