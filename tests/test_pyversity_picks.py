"""MMR, DPP and SSD pick what pyversity 0.2 picks from the same inputs."""

import numpy as np
import pytest
from slow_novelty import of_one

from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import COSINE, LENGTH, LOG, Novelty

pyversity = pytest.importorskip(
    "pyversity", reason="pyversity is not installed: pip install -r requirements-benchmarks.lock"
)

CASES = [(60, 8, 20), (200, 32, 30), (500, 64, 50)]


def inputs(n: int, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return clustered vectors, scores, and the scores' z-scores."""
    rng = np.random.default_rng(n)
    vectors = rng.normal(size=(n // 10, d))[rng.integers(n // 10, size=n)]
    vectors = (vectors + 0.7 * rng.normal(size=(n, d))).astype(np.float32)
    scores = rng.beta(1, 8, n).astype(np.float32)
    return vectors, scores, (scores - scores.mean()) / scores.std()


def picked(novelty: Novelty, f: np.ndarray, vectors: np.ndarray, k: int) -> list[int]:
    order = pick_by(novelty, of_one(f, vectors), k, interest=False).order
    return np.argsort(np.where(order, order, len(order) + 1), kind="stable")[:k].tolist()


@pytest.mark.parametrize(("n", "d", "k"), CASES)
@pytest.mark.parametrize("weight", [0.05, 0.1, 0.25, 1.0])
def test_mmr(n, d, k, weight):
    # It cuts cosines off at 0, so here none is below: all vectors lean to one side.
    vectors, scores, _ = inputs(n, d)
    vectors += 4.0 * np.abs(vectors).max() / np.sqrt(d)
    theirs = pyversity.diversify(
        vectors, scores, k, strategy=pyversity.Strategy.MMR, diversity=weight / (1 + weight)
    ).indices
    assert picked(Novelty(COSINE, weight), scores, vectors, k) == theirs.tolist()


@pytest.mark.parametrize(("n", "d", "k"), CASES)
@pytest.mark.parametrize("diversity", [0.2, 0.5, 0.9])
def test_dpp(n, d, k, diversity):
    # Its weights are exp(beta z), squared in the determinant; no constant, no jitter.
    vectors, scores, z = inputs(n, d)
    k = min(k, d)
    theirs = pyversity.diversify(
        vectors, scores, k, strategy=pyversity.Strategy.DPP, diversity=diversity
    ).indices
    assert picked(Novelty(LOG, 1.0), 2 * (1 - diversity) * z, vectors, k) == theirs.tolist()


@pytest.mark.parametrize(("n", "d", "k"), CASES)
@pytest.mark.parametrize("diversity", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("window", [None, 1, 10])
def test_ssd(n, d, k, diversity, window):
    # Its [x; 1] has length root 2, and its window adds back.
    vectors, scores, z = inputs(n, d)
    theirs = pyversity.diversify(
        vectors, scores, k, strategy=pyversity.Strategy.SSD, diversity=diversity, window=window
    ).indices
    weight = diversity * np.sqrt(2.0)
    novelty = Novelty(LENGTH, weight, constant=1.0, window=window or 0, add_back=window is not None)
    if window is None and k > d:
        k = d
    assert picked(novelty, (1 - diversity) * z, vectors, k) == theirs[:k].tolist()
