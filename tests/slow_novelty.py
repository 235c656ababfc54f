"""Slow float64 references for DPP and SSD, and requests of every awkward shape for them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from model.teachers.novelty import LOG, Novelty
from model.teachers.requests import Picks, Requests

COORDINATES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -40.0])
F = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
WEIGHTS = st.sampled_from([0.0, 0.05, 0.25, 1.0, 10.0])


def likeness(vectors: np.ndarray, constant: float, jitter: float) -> np.ndarray:
    """Return S [N, N] by its definition: ones, zero vectors at cos = 0, jitter on the diagonal."""
    length = np.linalg.norm(vectors, axis=1)
    cosine = (
        vectors @ vectors.T / np.outer(np.where(length, length, 1), np.where(length, length, 1))
    )
    np.fill_diagonal(cosine, 1.0)
    return (cosine + constant**2) / (1 + constant**2) + jitter * np.eye(len(vectors))


def root(gram: np.ndarray) -> np.ndarray:
    """Return vectors [N, N] with this Gram matrix."""
    value, vector = np.linalg.eigh(gram)
    return vector * np.sqrt(np.maximum(value, 0.0))


def log_determinant(gram: np.ndarray, members: list[int]) -> float:
    """Return log det of a part of a Gram matrix; 0 of nothing."""
    return float(np.linalg.slogdet(gram[np.ix_(members, members)])[1]) if members else 0.0


def projected_length(v: np.ndarray, against: np.ndarray) -> float:
    """Return the length of what a projection on the rows of `against` leaves of v."""
    if not len(against):
        return float(np.linalg.norm(v))
    left, length, _ = np.linalg.svd(against.T, full_matrices=False)
    basis = left[:, length > 1e-5]
    return float(np.linalg.norm(v - basis @ (basis.T @ v)))


def added_back(vectors: np.ndarray, picks: list[int], window: int) -> tuple[np.ndarray, float]:
    """Return all residuals' lengths [N] after the picks, and P, as the paper's queue keeps them."""
    rho, queue = vectors.copy(), []
    for pick in picks:
        b = rho[pick].copy()
        if len(queue) == window:
            gone, share = queue.pop(0)
            rho += np.outer(share, gone)
        share = rho @ b / (b @ b) if b @ b > 1e-10 else np.zeros(len(rho))
        rho -= np.outer(share, b)
        queue.append((b, share))
    return np.linalg.norm(rho, axis=1), np.prod([np.linalg.norm(b) for b, _ in queue])


@dataclass(frozen=True, slots=True)
class Request:
    """One request on its own: f [N], rows [N], its vectors [N, d]."""

    f: np.ndarray
    row: np.ndarray
    vectors: np.ndarray

    def gains(self, picks: list[int], novelty: Novelty) -> np.ndarray:
        """Return the gain [N] of each candidate after these picks, by the definition."""
        gram = likeness(self.vectors, novelty.constant, novelty.jitter)
        latest = picks[-novelty.window :] if novelty.window else picks
        if novelty.form == LOG:
            before = log_determinant(gram, latest)
            new = [log_determinant(gram, [*latest, i]) - before for i in range(len(self.f))]
            return self.f + novelty.weight * np.array(new)
        v = root(gram)
        if novelty.add_back and novelty.window:
            new, volume = added_back(v, picks, novelty.window)
        else:
            new = np.array([projected_length(one, v[latest]) for one in v])
            volume = np.sqrt(max(np.linalg.det(gram[np.ix_(latest, latest)]), 0.0))
        return self.f + novelty.weight * (volume if novelty.volume else 1.0) * new


def each(requests: Requests, picks: Picks, *, interest: bool) -> list[tuple[Request, list, list]]:
    """Return each request with its picks and their gains in pick order."""
    found, start = [], 0
    for r, end in enumerate(requests.ends):
        row, order = requests.row[start:end], picks.order[start:end]
        vectors = requests.table[row].astype(np.float64)
        if interest:
            vectors = vectors * requests.u[r].astype(np.float64)
        at = [int(np.flatnonzero(order == rank)[0]) for rank in range(1, order.max(initial=0) + 1)]
        gains = picks.gain[start:end]
        assert np.isnan(gains[order == 0]).all()
        found.append((Request(requests.f[start:end], row, vectors), at, gains[at].tolist()))
        start = end
    return found


def check_greedy(
    requests: Requests, picks: Picks, novelty: Novelty, k: int, *, interest: bool = False
) -> None:
    """Assert that each pick is a best one by the slow gains, and copies go by f, then by row."""
    for request, at, gains in each(requests, picks, interest=interest):
        assert len(at) == min(k, len(request.f))
        for step, (best, gain) in enumerate(zip(at, gains, strict=True)):
            slow = request.gains(at[:step], novelty)
            left = [i for i in range(len(slow)) if i not in at[:step]]
            np.testing.assert_allclose(gain, slow[best], rtol=1e-7, atol=1e-6)
            assert slow[best] >= slow[left].max() - 1e-6
            for i in left:
                if (request.vectors[i] == request.vectors[best]).all():
                    assert (request.f[i], -request.row[i]) <= (request.f[best], -request.row[best])


def of_one(f: np.ndarray, vectors: np.ndarray, u: np.ndarray | None = None) -> Requests:
    """Return a batch of one request whose rows are its candidates in order."""
    n = len(f)
    return Requests(
        ends=np.array([n]),
        row=np.arange(n),
        f=np.asarray(f, np.float64),
        table=np.ascontiguousarray(vectors, np.float32),
        u=None if u is None else np.asarray(u, np.float32)[None],
        category_ends=np.zeros(n, np.int64),
        category=np.zeros(0, np.int64),
    )


@st.composite
def batches(draw: st.DrawFn, max_candidates: int = 9) -> Requests:
    """Draw ragged requests over one table, whose rows come from a small pool: copies are common."""
    d = draw(st.integers(1, 4))
    pool = draw(st.lists(st.lists(COORDINATES, min_size=d, max_size=d), min_size=1, max_size=6))
    table = np.array(draw(st.lists(st.sampled_from(pool), min_size=max_candidates, max_size=12)))
    lengths = draw(st.lists(st.integers(1, max_candidates), min_size=1, max_size=3))
    rows = [draw(st.permutations(range(len(table))))[:n] for n in lengths]
    u = st.lists(COORDINATES, min_size=d, max_size=d)
    total = sum(lengths)
    return Requests(
        ends=np.cumsum(lengths),
        row=np.array([r for one in rows for r in one], np.int64),
        f=np.array(draw(st.lists(F, min_size=total, max_size=total)), np.float64),
        table=table.astype(np.float32),
        u=np.array([draw(u) for _ in lengths], np.float32),
        category_ends=np.zeros(total, np.int64),
        category=np.zeros(0, np.int64),
    )


def clustered(n: int, d: int, seed: int) -> Requests:
    """Return one request of clustered vectors, some of them copies."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(max(3, n // 15), d))[rng.integers(max(3, n // 15), size=n)]
    vectors += 0.4 * rng.normal(size=(n, d)) * (rng.random((n, 1)) < 0.8)
    return of_one(rng.beta(1, 8, n), vectors, rng.normal(size=d))
