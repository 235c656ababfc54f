"""Classic MMR that computes every similarity: what laziness is measured against.

As fast as an eager kernel was found to be: float32, unit vectors d-major, so that one instruction
serves eight candidates, and one comparison a candidate and step.
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
        unit, most = np.empty((width, n), np.float32), np.full(n, np.float32(-1.0))
        for i in range(n):
            e = table[row[start + i]]
            factor = np.float32(1.0) / np.sqrt((e * e).sum())
            for d in range(width):
                unit[d, i] = e[d] * factor
        cosine = np.empty(n, np.float32)
        left = f[start:end].copy()
        best = left.argmax()
        for step in range(1, min(k, n) + 1):
            order[start + best], left[best] = step, -np.inf
            cosine[:] = np.float32(0.0)
            for d in range(width):
                line, along = unit[d], unit[d, best]
                for i in range(n):
                    cosine[i] += along * line[i]
            best, best_gain = 0, -np.inf
            for i in range(n):
                most[i] = max(most[i], cosine[i])
                gain = left[i] + weight * (1.0 - most[i])
                if gain > best_gain:
                    best, best_gain = i, gain
        start = end
