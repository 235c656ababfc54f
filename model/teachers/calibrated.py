"""Calibration (Steck 2018): a list whose mix of categories is the one that the request asks for.

    worth of a list R = sum of f - lambda * KL(p || (1 - alpha) * q(R) + alpha * p)

p is the mix of categories over all of the request's candidates, weighed by f; q(R) is the mix over
the picks. An item with m categories gives 1/m to each; what has none gives nothing. Of an empty
list q is 0 and KL is -log(alpha). xQuAD would be no shorter and asks for P(c|u), which no log has.
Steck's (1 - lambda') and lambda' are this lambda = lambda' / (1 - lambda').
"""

from math import inf, log

import numpy as np

from model.config import TeacherConfig
from model.teachers.compiled import compiled, inner
from model.teachers.order import goes_before
from model.teachers.requests import Picks, Requests
from model.teachers.ruled import best_allowed, close_list, open_list, put
from model.teachers.rules import Rules, ledger

ALPHA = 0.01
"""Share of p that is mixed into q, so that KL stays finite where the list lacks a category."""


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick min(K, N) candidates of each request greedily; a gain is what it adds to the worth.

    Equal gains go to the higher f, then to the lower row.
    """
    book = ledger(rules, requests, config.k)
    # A sum of floats depends on its order: these are the same however a request is written down.
    by_row = _sorted_in_parts(requests.row, requests.ends)
    category = requests.category[_sorted_in_parts(requests.category, requests.category_ends)]
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    _calibrated(
        requests.ends,
        requests.row,
        by_row,
        requests.f,
        requests.category_ends,
        category,
        config.k,
        config.diversity_weight,
        *np.empty((4, requests.category.max(initial=-1) + 1)),
        np.full(len(requests.f), -inf),
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if rules is None else book.relaxed)


def _sorted_in_parts(values, ends):
    """Return the indices that sort each part of `values`; a part stops at its end."""
    part = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    return np.lexsort((values, part))


@inner
def _term(wanted, given):
    """Return one category's part of KL."""
    if wanted <= 0.0:
        return 0.0
    return -wanted * log((1.0 - ALPHA) * given / wanted + ALPHA)


@compiled
def _calibrated(
    ends,
    row,
    by_row,
    f,
    category_ends,
    category,
    k,
    weight,
    wanted,
    given,
    term,
    change,
    worth,
    rules,
    order,
    gain,
):
    """Fill order and gain. An item changes only its own categories' terms of the sum."""
    start = 0
    for request in range(len(ends)):
        end = ends[request]
        categories = len(wanted)
        for c in range(categories):
            wanted[c], given[c] = 0.0, 0.0
        total = 0.0
        for i in by_row[start:end]:
            low = category_ends[i - 1] if i else 0
            for c in range(low, category_ends[i]):
                wanted[category[c]] += f[i] / (category_ends[i] - low)
                total += f[i] / (category_ends[i] - low)
        if total > 0.0:
            for c in range(categories):
                wanted[c] /= total
        divergence = 0.0
        for c in range(categories):
            divergence += _term(wanted[c], 0.0)
        last = min(k, end - start)
        if rules.active:
            open_list(rules, start, end, last)
        for step in range(1, last + 1):
            # What the list would be with one more item of no category.
            base = 0.0
            for c in range(categories):
                term[c] = _term(wanted[c], given[c] / step)
                base += term[c]
                change[c] = _term(wanted[c], (given[c] + 1.0) / step) - term[c]
            best, best_gain = -1, -inf
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
                now = f[i] - weight * (after - divergence)
                if rules.active:
                    worth[i] = now
                elif now > best_gain or (
                    now == best_gain and best >= 0 and goes_before(f, row, i, best)
                ):
                    best, best_gain = i, now
            if rules.active:
                best = best_allowed(worth, f, row, start, end, rules, step)
                if best < 0:
                    break
                best_gain, worth[best] = worth[best], -inf
                put(rules, request, best, step, last)
            order[best], gain[best] = step, best_gain
            low = category_ends[best - 1] if best else 0
            for c in category[low : category_ends[best]]:
                given[c] += 1.0 / (category_ends[best] - low)
            divergence = 0.0
            for c in range(categories):
                divergence += _term(wanted[c], given[c] / step)
        if rules.active:
            close_list(rules, request)
        start = end
