"""Batches of ragged requests for the teachers, and the greedy rule as anybody would write it.

All drawn numbers are dyadic, so that sums of products are exact in any order and ties are true
ties: one candidate, K beyond N, few levels of f, copied and zero vectors, saturated similarities.
"""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from model.teachers.requests import Picks, Requests

LEVELS = [0.0, 0.125, 0.25, 0.5, 1.0]
COORDINATES = [0.0, -0.0, 0.5, 1.0, -1.0, 0.75, 6.0, 40.0, -40.0]
INTERESTS = [0.0, 0.5, 1.0, -2.0]


def request(f, e, u=None, categories=None, row=None) -> Requests:
    """Return a batch of one request; the i-th candidate is the i-th row unless said otherwise."""
    f, e = np.array(f, np.float64), np.atleast_2d(np.array(e, np.float32))
    each = categories or [[]] * len(f)
    return Requests(
        ends=np.array([len(f)]),
        row=np.arange(len(f)) if row is None else np.array(row),
        f=f,
        table=e,
        u=np.ones((1, e.shape[1]), np.float32) if u is None else np.array([u], np.float32),
        category_ends=np.cumsum([len(c) for c in each]),
        category=np.array([c for one in each for c in one], np.int64),
    )


@st.composite
def batches(draw: st.DrawFn, max_candidates: int = 40) -> Requests:
    """Draw one to three requests; a candidate's row stands anywhere in a table of copies."""
    lengths = draw(st.lists(st.integers(1, max_candidates), min_size=1, max_size=3))
    total, d, seed = sum(lengths), draw(st.integers(1, 5)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    coordinates = np.array(draw(st.lists(st.sampled_from(COORDINATES), min_size=1, max_size=5)))
    levels = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4)))
    pool = rng.choice(coordinates, size=(draw(st.integers(1, total)), d))
    items = total + draw(st.integers(0, 5))
    f = rng.choice(levels, size=total)
    if draw(st.booleans()):
        f = rng.integers(0, 2**20, total) / 2**20
    how_many = rng.integers(0, draw(st.integers(1, 4)), total)
    each = [rng.choice(4, size=n, replace=False) for n in how_many]
    return Requests(
        ends=np.cumsum(lengths),
        row=np.concatenate([rng.permutation(items)[:n] for n in lengths]),
        f=f,
        table=pool[rng.integers(len(pool), size=items)].astype(np.float32),
        u=rng.choice(INTERESTS, size=(len(lengths), d)).astype(np.float32),
        category_ends=np.cumsum(how_many),
        category=np.concatenate(each).astype(np.int64),
    )


def candidates(requests: Requests) -> list[range]:
    """Return the candidates of each request."""
    starts = [0, *requests.ends[:-1]]
    return [range(start, end) for start, end in zip(starts, requests.ends, strict=True)]


def categories(requests: Requests, i: int) -> list[int]:
    """Return the categories of a candidate."""
    start = requests.category_ends[i - 1] if i else 0
    return requests.category[start : requests.category_ends[i]].tolist()


def picked(picks: Picks, of: range) -> list[int]:
    """Return a request's picks in their order."""
    order = picks.order[of.start : of.stop]
    assert sorted(order[order > 0]) == list(range(1, (order > 0).sum() + 1))
    assert (np.isnan(picks.gain[of.start : of.stop]) == (order == 0)).all()
    return [of.start + int(np.flatnonzero(order == step)[0]) for step in range(1, order.max() + 1)]


Gain = Callable[[int, int, list[int]], float]
"""The gain of candidate i of request r after some picks."""


def assert_greedy(
    requests: Requests, picks: Picks, k: int, gain_of: Gain, tolerance: float = 0.0
) -> None:
    """Check each step of each request against the gains of all that was left.

    Within the tolerance any of the best may be picked; without one the tie rule decides.
    """
    for r, of in enumerate(candidates(requests)):
        found = picked(picks, of)
        assert len(found) == min(k, len(of))
        for step, pick in enumerate(found):
            before = found[:step]
            gain = {i: gain_of(r, i, before) for i in of if i not in before}
            best = min(gain, key=lambda i: (-gain[i], -requests.f[i], requests.row[i]))
            if tolerance:
                assert gain[pick] >= gain[best] - tolerance
            else:
                assert pick == best, f"step {step} of request {r}: {gain}"
            assert abs(picks.gain[pick] - gain[pick]) <= max(tolerance, 1e-15)
