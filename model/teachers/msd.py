"""Max-sum diversification (Borodin et al.): f and the mean distance to what was picked.

    gain_i = f_i + lambda * mean over the picks j of (1 - cos(e_i, e_j))

The mean and not the sum, so that lambda means the same at every step. Distances are between the
items alone, without u; a zero vector has distance 1 from everything.
"""

from math import inf

import numpy as np
from numba import njit

from model.config import TeacherConfig
from model.teachers.lanes import LANES, dot_lanes, gather, weigh
from model.teachers.order import goes_before
from model.teachers.requests import Picks, Requests


def pick(requests: Requests, config: TeacherConfig) -> Picks:
    """Pick min(K, N) candidates of each request greedily; the first is the largest f.

    Equal gains go to the higher f, then to the lower row.
    """
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    _msd(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        config.k,
        config.diversity_weight,
        order,
        gain,
    )
    return Picks(order, gain)


@njit(cache=True, nogil=True)
def _msd(ends, row, f, table, k, weight, order, gain):  # noqa: ANN001, ANN202
    """Fill order and gain. A mean distance may rise again, so there is no lazy form."""
    largest, start = 0, 0
    for end in ends:
        largest, start = max(largest, end - start), end
    width = table.shape[1]
    blocks = np.zeros(((largest + LANES - 1) // LANES, width, LANES), np.float32)
    member, chosen = np.arange(largest), np.empty(width)
    per_length, alike, cosine = np.empty(largest), np.empty(largest), np.empty(LANES)
    ones = np.ones(width, np.float32)
    start = 0
    for end in ends:
        n = end - start
        rows = row[start:end]
        for low in range(0, n, LANES):
            high = min(low + LANES, n)
            lanes, block = member[low:high], blocks[low // LANES]
            gather(table, rows, lanes, ones, True, block, per_length[low:high])
        alike[:n] = 0.0
        best = start
        for i in range(start + 1, end):
            if goes_before(f, row, i, best):
                best = i
        best_gain, last = f[best], min(k, n)
        for step in range(1, last + 1):
            order[best], gain[best] = step, best_gain
            if step == last:
                break
            weigh(table, row[best], ones, 1.0, chosen)
            best, best_gain = -1, -inf
            for low in range(0, n, LANES):
                dot_lanes(blocks[low // LANES], chosen, cosine)
                for place in range(low, min(low + LANES, n)):
                    i = start + place
                    if order[i]:
                        continue
                    alike[place] += cosine[place - low] * per_length[place]
                    worth = f[i] + weight * (1.0 - alike[place] / step)
                    if worth > best_gain or (
                        worth == best_gain and best >= 0 and goes_before(f, row, i, best)
                    ):
                        best, best_gain = i, worth
        start = end
