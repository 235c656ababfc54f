"""What a list is worth to a user whom repetition wears: V(L) = sum_r v_r p_i delta_i^n.

n counts what was shown before in the list: items of the same category, or, where wear goes by
likeness, the sum of max(0, cos(z_i, z_j)). Letters: N candidates, K places, d content width.
"""

from dataclasses import dataclass

import numpy as np

from model.ordering import best_first, top_k


@dataclass(frozen=True, slots=True)
class Audience:
    """What one request's user would do; arrays are [N] and follow the candidates."""

    item_id: np.ndarray
    p: np.ndarray
    wear: np.ndarray
    kind: np.ndarray
    """Category codes [N], or content vectors [N, d] where wear goes by likeness."""
    examination: np.ndarray
    """v_r [places]."""

    def value(self, picks: np.ndarray) -> float:
        """Return V of a list of candidate indices [K]."""
        kind = self.kind[picks]
        repeats = repeats_by_likeness(kind) if self.by_likeness else repeats_by_category(kind)
        return list_value(self.p[picks], self.wear[picks], repeats, self.examination)

    def best(self, k: int) -> np.ndarray:
        """Return the best list: exact by category, the greedy's by likeness."""
        best = best_by_likeness if self.by_likeness else best_by_category
        return best(self.p, self.wear, self.kind, self.item_id, k)

    def top_by_p(self, k: int) -> np.ndarray:
        """Return the k most clickable candidates, which is blind to wear."""
        return top_k(self.p, self.item_id, k)

    @property
    def by_likeness(self) -> bool:
        """Whether repetition wears by likeness of content."""
        return self.kind.ndim == 2


def repeats_by_category(category: np.ndarray) -> np.ndarray:
    """Return n [K] for a list: how many earlier places hold the same category code."""
    same = category[:, None] == category[None, :]
    return np.tril(same, -1).sum(axis=1).astype(np.float64)


def repeats_by_likeness(content: np.ndarray) -> np.ndarray:
    """Return n [K] for a list of content vectors [K, d]: likeness summed over earlier places."""
    unit = unit_rows(content)
    return np.tril(np.maximum(unit @ unit.T, 0.0), -1).sum(axis=1)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return the rows scaled to length 1 in float64; zero rows stay zero."""
    vectors = vectors.astype(np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)


def list_value(
    p: np.ndarray, wear: np.ndarray, repeats: np.ndarray, examination: np.ndarray
) -> float:
    """Return V of a list: p, wear (delta_uc) and repeats (n) are [K]; examination at least [K]."""
    return float(np.sum(examination[: len(p)] * p * wear**repeats))


def list_values(
    p: np.ndarray,
    wear: np.ndarray,
    kind: np.ndarray,
    filled: np.ndarray,
    examination: np.ndarray,
) -> np.ndarray:
    """Return V [R] of lists that are cut short by `filled` [R, K]; it is `Audience.value` of each.

    p and wear are [R, K], kind [R, K] or [R, K, d], examination [K].
    """
    if kind.ndim == 2:
        alike = (kind[:, :, None] == kind[:, None, :]).astype(np.float64)
    else:
        unit = unit_rows(kind)
        alike = np.maximum(unit @ unit.swapaxes(1, 2), 0.0)
    repeats = np.tril(alike, -1).sum(axis=2)
    return np.sum(examination * p * wear**repeats * filled, axis=1)


def best_by_category(
    p: np.ndarray, wear: np.ndarray, category: np.ndarray, item_id: np.ndarray, k: int
) -> np.ndarray:
    """Return the indices of the exact best list where wear goes by category.

    In each category the j-th best p is worth p * delta^(j-1), and these only fall, so the K
    largest worths overall, in that order, are the best list for any falling examination. All
    arrays are [N]; `wear` is constant inside a category.
    """
    order = best_first(p, item_id)
    seen: dict[int, int] = {}
    worth = np.empty(len(p))
    for i in order:
        n = seen.get(category[i], 0)
        worth[i] = p[i] * wear[i] ** n
        seen[category[i]] = n + 1
    return best_first(worth, item_id)[:k]


def best_by_likeness(
    p: np.ndarray, wear: np.ndarray, content: np.ndarray, item_id: np.ndarray, k: int
) -> np.ndarray:
    """Return the indices of the greedy list where wear goes by likeness; not always the optimum."""
    unit = unit_rows(content)
    order = best_first(p, item_id)
    repeats, taken = np.zeros(len(p)), np.zeros(len(p), dtype=bool)
    picks = np.empty(min(k, len(p)), np.int64)
    for step in range(len(picks)):
        worth = np.where(taken, -1.0, p * wear**repeats)
        picks[step] = best = order[np.argmax(worth[order])]
        taken[best] = True
        repeats += np.maximum(unit @ unit[best], 0.0)
    return picks
