"""Classic MMR that computes every similarity: what laziness is measured against.

As fast as an eager kernel of the teacher's precision was found to be: vectors d-major, so that one
instruction serves several candidates, and sums in float64.
"""

import numpy as np
from numba import njit

from model.teachers.requests import Requests


def pick(requests: Requests, weight: float, k: int) -> np.ndarray:
    """Return the picks' order [C], as the teacher mmr_item does but for ties."""
    order = np.zeros(len(requests.f), np.int32)
    _eager(requests.ends, requests.row, requests.f, requests.table, weight, k, order)
    return order


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _eager(ends, row, f, table, weight, k, order):  # noqa: ANN001, ANN202
    start, width = 0, table.shape[1]
    for end in ends:
        n = end - start
        vectors, most = np.empty((width, n), np.float32), np.full(n, -1.0)
        per_length, cosine = np.empty(n), np.empty(n)
        for i in range(n):
            e = table[row[start + i]]
            square = 0.0
            for d in range(width):
                vectors[d, i] = e[d]
                square += np.float64(e[d]) * e[d]
            per_length[i] = 1.0 / np.sqrt(square)
        left = f[start:end].copy()
        best = left.argmax()
        for step in range(1, min(k, n) + 1):
            order[start + best], left[best] = step, -np.inf
            cosine[:] = 0.0
            for d in range(width):
                line, along = vectors[d], np.float64(vectors[d, best]) * per_length[best]
                for i in range(n):
                    cosine[i] += along * line[i]
            best, best_gain = 0, -np.inf
            for i in range(n):
                most[i] = max(most[i], cosine[i] * per_length[i])
                gain = left[i] + weight * (1.0 - most[i])
                if gain > best_gain:
                    best, best_gain = i, gain
        start = end
