"""Max-sum diversification against its formula as slow loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import assert_greedy, batches, picked, request
from test_mmr import clustered

from model.config import TeacherConfig
from model.teachers.msd import pick
from model.teachers.requests import Requests


def msd(k: int, weight: float = 0.25) -> TeacherConfig:
    return TeacherConfig(name="msd", k=k, diversity_weight=weight)


def gain_by(requests: Requests, weight: float):
    length = np.linalg.norm(requests.table.astype(float), axis=1, keepdims=True)
    unit = requests.table / np.where(length > 0, length, 1.0)

    def gain(r: int, i: int, before: list[int]) -> float:
        if not before:
            return requests.f[i]
        apart = [1.0 - unit[requests.row[i]] @ unit[requests.row[j]] for j in before]
        return requests.f[i] + weight * sum(apart) / len(apart)

    return gain


@given(batches(), st.integers(1, 45), st.sampled_from([0.0, 0.25, 1.0, 8.0]))
@settings(max_examples=80)
def test_the_slow_greedy(requests, k, weight):
    gain = gain_by(requests, weight)
    assert_greedy(requests, pick(requests, msd(k, weight)), k, gain, tolerance=1e-12)


@pytest.mark.parametrize(("n", "k", "d"), [(60, 20, 16), (130, 130, 7)])
def test_the_slow_greedy_at_real_size(n, k, d):
    requests = clustered(n, d, 0.5, seed=n)
    picks = pick(requests, msd(k, 1.0))
    assert_greedy(requests, picks, k, gain_by(requests, 1.0), tolerance=1e-12)
    assert k == n or set(np.flatnonzero(picks.order)) != set(np.argsort(-requests.f)[:k])


@pytest.mark.parametrize("width", [3, 16, 33])
def test_copies_are_taken_in_the_order_of_their_rows(width):
    rng = np.random.default_rng(width)
    row = rng.permutation(50)
    requests = request(np.zeros(50), np.tile(rng.normal(size=(1, width)), (50, 1)), row=row)
    found = picked(pick(requests, msd(50, 1.0)), range(50))
    assert row[found].tolist() == list(range(50))


def test_the_far_one_and_the_empty_one():
    requests = request([0.5, 0.4, 0.3, 0.2], [[1.0, 0.0], [5.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    picks = pick(requests, msd(4, 1.0))
    assert picks.order.tolist() == [1, 3, 2, 4]
    np.testing.assert_allclose(picks.gain, [0.5, 1.4, 2.3, 1.2])
