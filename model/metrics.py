"""Accuracy and diversity of ranked lists, request by request (Eq. 21-22).

Letters: R requests, K places, C categories, d vector width. A list may be shorter than K; `filled`
[R, K] marks the places it has. Figures that do not exist for a request are NaN.
"""

import numpy as np


def recall(hits: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return |L_K and G| / |G| [R]; `hits` [R, K] marks positives, `positives` [R] is |G|."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(positives > 0, hits.sum(axis=1) / positives, np.nan)


def reciprocal_rank(hits: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return 1 / rank of the first hit within K [R], or 0."""
    first = np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1.0), 0.0)
    return np.where(positives > 0, first, np.nan)


def ndcg(hits: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return binary NDCG@K [R], its ideal cut at min(|G|, K)."""
    k = hits.shape[1]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(positives, k).astype(int)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(positives > 0, hits @ discount / ideal, np.nan)


def intra_list_distance(vectors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return ILAD [R] (Eq. 21): one minus the mean cosine over the pairs of a list.

    `vectors` is [R, K, d]; only the places that `known` [R, K] marks count, and a list with fewer
    than two of them has no ILAD. With one-hot categories it is the share of pairs of unlike ones.
    """
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    unit = np.where(known[..., None], vectors / np.where(length > 0, length, 1.0), 0.0)
    count = known.sum(axis=1).astype(np.float64)
    square = (unit.sum(axis=1) ** 2).sum(axis=1) - (unit**2).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 1, 1.0 - square / (count * (count - 1)), np.nan)


def distinct_categories(member: np.ndarray) -> np.ndarray:
    """Return how many categories each list touches [R]; `member` [R, K, C] is 0 or 1."""
    return member.any(axis=1).sum(axis=1).astype(np.float64)


def covered(member: np.ndarray) -> np.ndarray:
    """Return which categories are touched at all [C]; `member` is [..., C], 0 or 1 (Eq. 22)."""
    return member.reshape(-1, member.shape[-1]).any(axis=0)
