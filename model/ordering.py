"""The one order of ranked things: higher score first, then lower item id.

Integer ids compare as numbers, string ids by their UTF-8 bytes (which is code-point order).
"""

import numpy as np


def best_first(score: np.ndarray, item_id: np.ndarray) -> np.ndarray:
    """Return the indices [N] that sort by score down, then item id up.

    `score` is [N] and finite; `item_id` is [N] of integers or of strings.
    """
    place = item_id
    if item_id.dtype == object:
        # Python compares whole strings; numpy's own string type forgets NULs at their end.
        place = np.empty(len(item_id), np.int64)
        place[np.argsort(item_id)] = np.arange(len(item_id))
    return np.lexsort((place, -score))


def top_k(score: np.ndarray, item_id: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the k best, best first; all of them where k exceeds N."""
    return best_first(score, item_id)[:k]
