"""Calibration against the worth of whole lists, computed anew for every list."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import assert_greedy, batches, candidates, categories, request

from model.config import TeacherConfig
from model.teachers.calibrated import pick
from model.teachers.requests import Requests


def calibrated(k: int, weight: float) -> TeacherConfig:
    return TeacherConfig(name="calibrated", k=k, diversity_weight=weight)


def mix(requests: Requests, items: list[int], weights: list[float]) -> dict[int, float]:
    found: dict[int, float] = {}
    for i, weight in zip(items, weights, strict=True):
        own = categories(requests, i)
        for c in own:
            found[c] = found.get(c, 0.0) + weight / len(own)
    return found


def divergence(requests: Requests, of: range, items: list[int]) -> float:
    wanted = mix(requests, list(of), [requests.f[i] for i in of])
    total = sum(wanted.values())
    got = mix(requests, items, [1.0 / len(items)] * len(items)) if items else {}
    kl = 0.0
    for c, share in wanted.items():
        if share > 0:
            p = share / total
            kl += p * math.log(p / (0.99 * got.get(c, 0.0) + 0.01 * p))
    return kl


@given(batches(max_candidates=25), st.integers(1, 20), st.sampled_from([0.0, 0.25, 1.0, 8.0]))
@settings(max_examples=60)
def test_the_slow_greedy(requests, k, weight):
    every = candidates(requests)

    def gain(r: int, i: int, before: list[int]) -> float:
        lists = [*before, i], before
        after, now = (divergence(requests, every[r], items) for items in lists)
        return requests.f[i] - weight * (after - now)

    assert_greedy(requests, pick(requests, calibrated(k, weight)), k, gain, tolerance=1e-12)


def test_a_list_gets_the_mix_that_the_candidates_have():
    # Half of f is category 0, a quarter each 1 and 2, though category 0 holds all the best.
    f = [0.8] * 4 + [0.4] * 4 + [0.2] * 8
    each = [[0]] * 4 + [[1]] * 4 + [[2]] * 8
    requests = request(f, [[0.0]] * 16, categories=each)
    order = pick(requests, calibrated(4, 5.0)).order
    assert [(order[a:b] > 0).sum() for a, b in ((0, 4), (4, 8), (8, 16))] == [2, 1, 1]


def test_of_the_first_pick_the_empty_list_is_what_it_is_better_than():
    requests = request([0.5], [[0.0]], categories=[[3]])
    assert pick(requests, calibrated(1, 1.0)).gain[0] == pytest.approx(0.5 - math.log(0.01))


def test_without_categories_it_is_top_k():
    requests = request([0.5, 0.7, 0.6], [[0.0]] * 3)
    picks = pick(requests, calibrated(2, 1.0))
    assert picks.order.tolist() == [0, 1, 2]
    assert picks.gain[1:].tolist() == [0.7, 0.6]


def test_ties_are_exact_in_whatever_order_a_request_is_written():
    """Weights of a third and of a half round to another sum in each order."""
    of = [[1, 2], [3, 1], [1, 3], [3, 1, 0], [2], [1, 0, 3], [1, 3], [], [1], [1, 2, 0]]
    row = [11, 24, 22, 25, 1, 23, 13, 16, 21, 0]
    e = [[0.0]] * 26

    def first(order: list[int]) -> int:
        f, each, rows = [0.125] * 10, [of[i] for i in order], [row[i] for i in order]
        picks = pick(request(f, e, None, each, rows), calibrated(1, 1.0))
        return rows[int(picks.order.argmax())]

    orders = [
        [*range(10)],
        [*range(8), 9, 8],
        [*reversed(range(10))],
        [5, 3, 9, 8, 7, 6, 4, 2, 1, 0],
    ]
    assert [first(order) for order in orders] == [23] * 4
