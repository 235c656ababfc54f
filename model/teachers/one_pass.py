"""One-pass MMR: each candidate against a fixed context of better ones, without K steps.

    score_i = f_i + lambda * sigmoid(-max s_ij over j in the context that stand before i)

The context is the M candidates of highest f, and "before" means by higher f, then by lower row, so
that of two copies with the same f the second one sees the first. Further rounds take context and
order from the scores of the round before; the greedy order of MMR is a fixed point where M is N.
Similarity, lambda and kappa are those of `model.teachers.mmr`.
"""

from math import inf, sqrt

import numpy as np

from model.config import TeacherConfig
from model.teachers.compiled import compiled, inner
from model.teachers.novelty import diversity
from model.teachers.order import best_few
from model.teachers.products import product, squared_length, weigh
from model.teachers.requests import Picks, Requests
from model.teachers.ruled import best_allowed, close_list, open_list, put
from model.teachers.rules import Rules, ledger


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick the min(K, N) highest scores of each request; the gain is the score.

    Equal scores go to the higher f, then to the lower row.
    """
    if requests.u is None:
        raise ValueError("teacher.name = 'one_pass' needs the users' vectors u")
    book = ledger(rules, requests, config.k)
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    largest = int(np.diff(requests.ends, prepend=0).max(initial=0))
    context, width = min(config.context or config.k, largest), requests.table.shape[1]
    _one_pass(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        requests.u,
        config.k,
        config.rounds,
        config.diversity_weight,
        config.cosine_scale,
        requests.f.copy(),
        np.empty(len(requests.f), np.int64),
        np.empty(len(requests.f)),
        np.empty(context, np.int64),
        np.empty(min(max(config.k, context), largest), np.int64),
        np.empty((context, width)),
        np.empty(width),
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if rules is None else book.relaxed)


@inner
def _inverse_length(table, r, u_squared, scale):
    """Return 1 / |e * u|, 0 for a zero vector; 1 where products are not made cosines."""
    if scale == 0.0:
        return 1.0
    square = squared_length(table, r, u_squared)
    return 1.0 / sqrt(square) if square > 0.0 else 0.0


@inner
def _pick_allowed(score, f, row, start, end, request, last, rules, order, gain):
    """Fill order and gain with the best scores that the rules allow."""
    open_list(rules, start, end, last)
    for step in range(1, last + 1):
        i = best_allowed(score, f, row, start, end, rules, step)
        if i < 0:
            break
        order[i], gain[i], score[i] = step, score[i], -inf
        put(rules, request, i, step, last)
    close_list(rules, request)


@compiled
def _one_pass(
    ends,
    row,
    f,
    table,
    u,
    k,
    rounds,
    weight,
    scale,
    score,
    position,
    per_length,
    context,
    best,
    weighed,
    u_squared,
    rules,
    order,
    gain,
):
    """Fill order and gain; `position` is a candidate's place in the context."""
    start = 0
    for request in range(len(ends)):
        end = ends[request]
        for d in range(len(u_squared)):
            u_squared[d] = np.float64(u[request, d]) * u[request, d]
        # Div lies in [0, 1], so what is more than lambda behind can be neither pick nor context.
        depth = best_few(f, f, row, start, end, best)
        reach = f[best[depth - 1]] - weight
        for i in range(start, end):
            # A rule may ask for any of them.
            if f[i] >= reach or rules.active:
                per_length[i] = _inverse_length(table, row[i], u_squared, scale)
            else:
                score[i] = -inf
        for _ in range(rounds):
            size = best_few(score, f, row, start, end, context)
            for i in range(start, end):
                position[i] = size
            for j in range(size):
                i = context[j]
                position[i] = j
                factor = per_length[i] * (scale if scale > 0.0 else 1.0)
                weigh(table, row[i], u_squared, factor, weighed[j])
            for i in range(start, end):
                if score[i] > -inf:
                    most = -inf
                    for j in range(position[i]):
                        most = max(most, per_length[i] * product(table, row[i], weighed[j]))
                    score[i] = f[i] + weight * diversity(most)
        last = min(k, end - start)
        if rules.active:
            _pick_allowed(score, f, row, start, end, request, last, rules, order, gain)
        else:
            best_few(score, f, row, start, end, best)
            for place in range(last):
                order[best[place]], gain[best[place]] = place + 1, score[best[place]]
        start = end
