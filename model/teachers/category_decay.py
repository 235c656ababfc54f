"""Category decay: every earlier pick of a category leaves delta of what the next one is worth.

    gain_i = f_i * delta ** n_i,  n_i = picks of i's category so far

With several categories an item n_i is the largest of their counts, with none it is 0. Where every
item has one category, sorting by f_i * delta ** (candidates of its category with a higher f) gives
the same list, for inside of a category the gains fall in the order of f.
"""

import numpy as np

from model.config import TeacherConfig
from model.teachers.compiled import compiled
from model.teachers.order import goes_before, roughly_by_f
from model.teachers.requests import Picks, Requests
from model.teachers.ruled import allows, close_list, open_list, put
from model.teachers.rules import Rules, ledger


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick min(K, N) candidates of each request greedily.

    Equal gains go to the higher f, then to the lower row.
    """
    book = ledger(rules, requests, config.k)
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    largest = int(np.diff(requests.ends, prepend=0).max(initial=0))
    categories = requests.category.max(initial=-1) + 1
    _decay(
        requests.ends,
        requests.row,
        requests.f,
        requests.category_ends,
        requests.category,
        config.k,
        config.decay ** np.arange(min(config.k, largest), dtype=np.float64),
        np.zeros(categories, np.int64),
        *np.empty((2, largest + 2), np.int64),
        np.empty(largest),
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if rules is None else book.relaxed)


@compiled
def _decay(
    ends, row, f, category_ends, category, k, power, count, member, place, reach, rules, order, gain
):
    """Fill order and gain: look at candidates roughly by f while their f can still win."""
    start = 0
    for request in range(len(ends)):
        end = ends[request]
        n = end - start
        last, levels = min(k, n), 1
        if rules.active:
            open_list(rules, start, end, last)
            levels = rules.levels
        roughly_by_f(f, start, end, member, place)
        for i in range(n - 1, -1, -1):
            reach[i] = f[member[i]] if i == n - 1 else max(reach[i + 1], f[member[i]])
        for c in range(len(count)):
            count[c] = 0
        for step in range(1, last + 1):
            best, best_gain = -1, 0.0
            for level in range(levels):
                for i in range(n):
                    if best >= 0 and reach[i] < best_gain:
                        break
                    candidate = member[i]
                    if order[candidate]:
                        continue
                    worn = 0
                    low = category_ends[candidate - 1] if candidate else 0
                    for c in category[low : category_ends[candidate]]:
                        worn = max(worn, count[c])
                    worth = f[candidate] * power[worn]
                    if (
                        best < 0
                        or worth > best_gain
                        or (worth == best_gain and goes_before(f, row, candidate, best))
                    ):
                        if rules.active and not allows(rules, candidate, step, level):
                            continue
                        best, best_gain = candidate, worth
                if best >= 0:
                    break
            if best < 0:
                break
            order[best], gain[best] = step, best_gain
            for c in category[category_ends[best - 1] if best else 0 : category_ends[best]]:
                count[c] += 1
            if rules.active:
                put(rules, request, best, step, last)
        if rules.active:
            close_list(rules, request)
        start = end
