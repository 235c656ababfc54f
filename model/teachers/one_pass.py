"""One-pass MMR: each candidate against a fixed context of better ones, without K steps.

    score_i = f_i + lambda * sigmoid(-max s_ij over j in the context that stand before i)

The context is the M candidates of highest f, and "before" means by higher f, then by lower row, so
that of two copies with the same f the second one sees the first. Further rounds take context and
order from the scores of the round before; the greedy order of MMR is a fixed point where M is N.
Similarity, lambda and kappa are those of `model.teachers.mmr`.
"""

from math import inf

import numpy as np
from numba import njit

from model.config import TeacherConfig
from model.teachers.lanes import LANES, dot_lanes, gather, weigh
from model.teachers.mmr import diversity
from model.teachers.order import best_few
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
    _one_pass(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        requests.u,
        config.k,
        config.context or config.k,
        config.rounds,
        config.diversity_weight,
        config.cosine_scale,
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if book is None else book.relaxed)


@njit(cache=True, nogil=True)
def _one_pass(ends, row, f, table, u, k, context_size, rounds, weight, scale, rules, order, gain):  # noqa: ANN001, ANN202
    largest, start = 0, 0
    for end in ends:
        largest, start = max(largest, end - start), end
    width = table.shape[1]
    score = f.copy()
    member, position = np.empty(largest, np.int64), np.empty(len(f), np.int64)
    context = np.empty(min(context_size, largest), np.int64)
    best = np.empty(min(max(k, context_size), largest), np.int64)
    blocks = np.zeros(((largest + LANES - 1) // LANES, width, LANES), np.float32)
    weighed = np.empty((len(context), width))
    most, per_length, similarity = np.empty(largest), np.empty(largest), np.empty(LANES)
    start = 0
    for request in range(len(ends)):
        end = ends[request]
        # Div lies in [0, 1], so what is more than lambda behind can be neither pick nor context.
        depth = best_few(f, f, row, start, end, best)
        n, reach = 0, f[best[depth - 1]] - weight
        for i in range(start, end):
            # A rule may ask for any of them.
            if f[i] >= reach or rules is not None:
                member[n] = i
                n += 1
            else:
                score[i] = -inf
        for low in range(0, n, LANES):
            high = min(low + LANES, n)
            lanes, block = member[low:high], blocks[low // LANES]
            gather(table, row, lanes, u[request], scale > 0.0, block, per_length[low:high])
        for _ in range(rounds):
            size = best_few(score, f, row, start, end, context)
            position[start:end] = size
            for j in range(size):
                position[context[j]] = j
                weigh(table, row[context[j]], u[request], scale, weighed[j])
            for low in range(0, n, LANES):
                high = min(low + LANES, n)
                most[low:high] = -inf
                for j in range(size):
                    dot_lanes(blocks[low // LANES], weighed[j], similarity)
                    for i in range(low, high):
                        s = similarity[i - low] * per_length[i]
                        if s > most[i] and j < position[member[i]]:
                            most[i] = s
                for i in range(low, high):
                    score[member[i]] = f[member[i]] + weight * diversity(most[i])
        last = min(k, end - start)
        if rules is None:
            best_few(score, f, row, start, end, best)
            for place in range(last):
                order[best[place]], gain[best[place]] = place + 1, score[best[place]]
        else:
            open_list(rules, start, end, last)
            for step in range(1, last + 1):
                i = best_allowed(score, f, row, start, end, rules, step)
                if i < 0:
                    break
                order[i], gain[i], score[i] = step, score[i], -inf
                put(rules, request, i, step, last)
            close_list(rules, request)
        start = end
