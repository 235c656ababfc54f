"""Category decay: every earlier pick of a category leaves delta of what the next one is worth.

    gain_i = f_i * delta ** n_i,  n_i = picks of i's category so far

With several categories an item n_i is the largest of their counts, with none it is 0. Where every
item has one category, sorting by f_i * delta ** (candidates of its category with a higher f) gives
the same list, for inside of a category the gains fall in the order of f.
"""

import numpy as np
from numba import njit

from model.config import TeacherConfig
from model.teachers.order import goes_before, roughly_by_f
from model.teachers.requests import Picks, Requests


def pick(requests: Requests, config: TeacherConfig) -> Picks:
    """Pick min(K, N) candidates of each request greedily.

    Equal gains go to the higher f, then to the lower row.
    """
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    categories = requests.category.max(initial=-1) + 1
    _decay(
        requests.ends,
        requests.row,
        requests.f,
        requests.category_ends,
        requests.category,
        config.k,
        config.decay ** np.arange(config.k, dtype=np.float64),
        np.zeros(categories, np.int64),
        order,
        gain,
    )
    return Picks(order, gain)


@njit(cache=True, nogil=True)
def _decay(ends, row, f, category_ends, category, k, power, count, order, gain):  # noqa: ANN001, ANN202
    """Fill order and gain: look at candidates roughly by f while their f can still win."""
    member, reach = np.empty(len(f), np.int64), np.empty(len(f))
    start = 0
    for end in ends:
        n = end - start
        roughly_by_f(f, start, end, member)
        for i in range(n - 1, -1, -1):
            reach[i] = f[member[i]] if i == n - 1 else max(reach[i + 1], f[member[i]])
        count[:] = 0
        for step in range(min(k, n)):
            best, best_gain = -1, 0.0
            for i in range(n):
                if best >= 0 and reach[i] < best_gain:
                    break
                candidate = member[i]
                if order[candidate]:
                    continue
                worn = 0
                for c in range(
                    category_ends[candidate - 1] if candidate else 0, category_ends[candidate]
                ):
                    worn = max(worn, count[category[c]])
                worth = f[candidate] * power[worn]
                if (
                    best < 0
                    or worth > best_gain
                    or (worth == best_gain and goes_before(f, row, candidate, best))
                ):
                    best, best_gain = candidate, worth
            order[best], gain[best] = step + 1, best_gain
            for c in range(category_ends[best - 1] if best else 0, category_ends[best]):
                count[category[c]] += 1
        start = end
