"""Calibration (Steck 2018): a list whose mix of categories is the one that the request asks for.

    worth of a list R = sum of f - lambda * KL(p || (1 - alpha) * q(R) + alpha * p)

p is the mix of categories over all of the request's candidates, weighed by f; q(R) is the mix over
the picks. An item with m categories gives 1/m to each; what has none gives nothing. Of an empty
list q is 0 and KL is -log(alpha). xQuAD would be no shorter and asks for P(c|u), which no log has.
Steck's (1 - lambda') and lambda' are this lambda = lambda' / (1 - lambda').
"""

from math import inf, log

import numpy as np
from numba import njit

from model.config import TeacherConfig
from model.teachers.order import goes_before
from model.teachers.requests import Picks, Requests

ALPHA = 0.01
"""Share of p that is mixed into q, so that KL stays finite where the list lacks a category."""


def pick(requests: Requests, config: TeacherConfig) -> Picks:
    """Pick min(K, N) candidates of each request greedily; a gain is what it adds to the worth.

    Equal gains go to the higher f, then to the lower row.
    """
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    _calibrated(
        requests.ends,
        requests.row,
        requests.f,
        requests.category_ends,
        requests.category,
        requests.category.max(initial=-1) + 1,
        config.k,
        config.diversity_weight,
        order,
        gain,
    )
    return Picks(order, gain)


@njit(cache=True, nogil=True)
def _term(wanted, given):  # noqa: ANN001, ANN202
    """Return one category's part of KL."""
    if wanted <= 0.0:
        return 0.0
    return -wanted * log((1.0 - ALPHA) * given / wanted + ALPHA)


@njit(cache=True, nogil=True)
def _calibrated(ends, row, f, category_ends, category, categories, k, weight, order, gain):  # noqa: ANN001, ANN202
    """Fill order and gain. An item changes only its own categories' terms of the sum."""
    wanted, given = np.empty(categories), np.empty(categories)
    term, change = np.empty(categories), np.empty(categories)
    start = 0
    for end in ends:
        wanted[:], given[:] = 0.0, 0.0
        total = 0.0
        for i in range(start, end):
            low = category_ends[i - 1] if i else 0
            for c in range(low, category_ends[i]):
                wanted[category[c]] += f[i] / (category_ends[i] - low)
                total += f[i] / (category_ends[i] - low)
        if total > 0.0:
            wanted /= total
        divergence = 0.0
        for c in range(categories):
            divergence += _term(wanted[c], 0.0)
        for step in range(1, min(k, end - start) + 1):
            # What the list would be with one more item of no category.
            base = 0.0
            for c in range(categories):
                term[c] = _term(wanted[c], given[c] / step)
                base += term[c]
                change[c] = _term(wanted[c], (given[c] + 1.0) / step) - term[c]
            best, best_gain, best_after = -1, -inf, 0.0
            for i in range(start, end):
                if order[i]:
                    continue
                low = category_ends[i - 1] if i else 0
                after, own = base, category_ends[i] - low
                if own == 1:
                    after += change[category[low]]
                else:
                    for c in category[low : category_ends[i]]:
                        after += _term(wanted[c], (given[c] + 1.0 / own) / step) - term[c]
                worth = f[i] - weight * (after - divergence)
                if worth > best_gain or (
                    worth == best_gain and best >= 0 and goes_before(f, row, i, best)
                ):
                    best, best_gain, best_after = i, worth, after
            order[best], gain[best] = step, best_gain
            divergence = best_after
            low = category_ends[best - 1] if best else 0
            for c in range(low, category_ends[best]):
                given[category[c]] += 1.0 / (category_ends[best] - low)
        start = end
