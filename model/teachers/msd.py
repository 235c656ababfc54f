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
from model.teachers.ruled import best_allowed, close_list, open_list, put
from model.teachers.rules import Rules, ledger


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick min(K, N) candidates of each request greedily; the first is the largest f.

    Equal gains go to the higher f, then to the lower row.
    """
    book = ledger(rules, requests, config.k)
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    _msd(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        config.k,
        config.diversity_weight,
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if book is None else book.relaxed)


@njit(cache=True, nogil=True)
def _msd(ends, row, f, table, k, weight, rules, order, gain):  # noqa: ANN001, ANN202
    """Fill order and gain. A mean distance may rise again, so there is no lazy form."""
    largest, start = 0, 0
    for end in ends:
        largest, start = max(largest, end - start), end
    width = table.shape[1]
    blocks = np.zeros(((largest + LANES - 1) // LANES, width, LANES), np.float32)
    member, chosen = np.arange(largest), np.empty(width)
    per_length, alike, cosine = np.empty(largest), np.empty(largest), np.empty(LANES)
    ones = np.ones(width, np.float32)
    worth = np.empty(len(f) if rules is not None else 0)
    start = 0
    for request in range(len(ends)):
        end = ends[request]
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
        last = min(k, n)
        if rules is not None:
            open_list(rules, start, end, last)
            best = best_allowed(f, f, row, start, end, rules, 1)
        best_gain = f[best]
        for step in range(1, last + 1):
            if best < 0:
                break
            order[best], gain[best] = step, best_gain
            if rules is not None:
                put(rules, request, best, step, last)
                worth[best] = -inf
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
                    now = f[i] + weight * (1.0 - alike[place] / step)
                    if rules is not None:
                        worth[i] = now
                    elif now > best_gain or (
                        now == best_gain and best >= 0 and goes_before(f, row, i, best)
                    ):
                        best, best_gain = i, now
            if rules is not None:
                best = best_allowed(worth, f, row, start, end, rules, step + 1)
                best_gain = worth[best]
        if rules is not None:
            close_list(rules, request)
        start = end
