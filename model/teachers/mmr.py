"""Maximal marginal relevance, item-level or interest-aware (Eq. 1-4), exact.

Letters: N candidates, d vector width, K picks.
"""

import numpy as np

from model.ordering import best_first


def interest_vectors(e: np.ndarray, u: np.ndarray, cosine_scale: float) -> np.ndarray:
    """Return e_iu = e_i * u [N, d] in float64, whose dot products are the similarities s.

    With a cosine scale kappa the rows have length sqrt(kappa), so that s = kappa * cos; a zero
    vector stays zero and is similar to nothing.
    """
    vectors = e.astype(np.float64) * u.astype(np.float64)
    if cosine_scale:
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors / np.where(length > 0, length, 1.0) * np.sqrt(cosine_scale)
    return vectors


def diversity(max_similarity: np.ndarray) -> np.ndarray:
    """Return Div = 1 - sigmoid(max s) as sigmoid(-max s), which keeps its tail (Eq. 3)."""
    return 1.0 / (1.0 + np.exp(np.minimum(max_similarity, 700.0)))


def select(
    f: np.ndarray,
    vectors: np.ndarray,
    item_id: np.ndarray,
    k: int,
    diversity_weight: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Pick min(K, N) candidates greedily; return their indices in pick order and their gains.

    `f` is [N] and `vectors` [N, d], both taken in float64. The first pick is the largest f (Eq. 4)
    and its gain is f; each further one maximises f_i + lambda * Div(i | R) (Eq. 2). Equal gains go
    to the higher f, then to the lower item id.
    """
    # In this order the first maximum that argmax finds is the one that the tie rule wants.
    order = best_first(f, item_id)
    f, vectors = f[order].astype(np.float64), vectors[order].astype(np.float64)
    n = len(f)
    max_similarity = np.full(n, -np.inf)
    taken = np.zeros(n, dtype=bool)
    picks, gains = np.empty(min(k, n), np.int64), np.empty(min(k, n))
    gain = f
    for step in range(len(picks)):
        best = int(np.argmax(np.where(taken, -np.inf, gain)))
        picks[step], gains[step] = best, gain[best]
        taken[best] = True
        # A row-wise sum, not BLAS: equal rows must give equal bits, or ties break by accident.
        np.maximum(max_similarity, (vectors * vectors[best]).sum(axis=1), out=max_similarity)
        gain = f + diversity_weight * diversity(max_similarity)
    return order[picks], gains
