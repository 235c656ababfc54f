"""Maximal marginal relevance, interest-aware (Eq. 1-4) or item-level, exact and lazy.

Letters: R requests, C candidates, d vector width, K picks. Similarity is s_ij = (e_i * u)(e_j * u),
or with a cosine scale kappa > 0 kappa * cos of the same two vectors; item-level is u = 1. A zero
vector has the cosine 0 with everything.
"""

from math import exp, inf

import numpy as np
from numba import njit

from model.config import TeacherConfig
from model.teachers.lanes import LANES, dot_lanes, gather, weigh
from model.teachers.order import goes_before, roughly_by_f
from model.teachers.requests import Picks, Requests
from model.teachers.ruled import allows, best_allowed, close_list, open_list, put
from model.teachers.rules import Rules, ledger


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Pick min(K, N) candidates of each request greedily.

    The first pick is the largest f (Eq. 4) and its gain is f; each further one maximises
    f_i + lambda * Div(i | R) (Eq. 2). Equal gains go to the higher f, then to the lower row. The
    name "mmr" weighs the vectors with u, "mmr_item" does not.
    """
    return greedy(requests, config, rules)


def greedy(
    requests: Requests, config: TeacherConfig, rules: Rules | None = None, lazy: bool = True
) -> Picks:
    """Pick as `pick` does; without laziness every similarity is computed, to compare with."""
    width = requests.table.shape[1]
    u = requests.u
    if config.name == "mmr_item":
        u = np.ones((len(requests.ends), width), np.float32)
    if u is None:
        raise ValueError("teacher.name = 'mmr' needs the users' vectors u")
    book = ledger(rules, requests, config.k)
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    _greedy(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        u,
        config.k,
        config.diversity_weight,
        config.cosine_scale,
        lazy,
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if book is None else book.relaxed)


@njit(cache=True, nogil=True)
def diversity(max_similarity: float) -> float:
    """Return Div = 1 - sigmoid(max s) as sigmoid(-max s), which keeps its tail (Eq. 3)."""
    # Past 700 float64 has no room for e^s; that far out all are equally alike.
    return 1.0 / (1.0 + exp(min(max_similarity, 700.0)))


@njit(cache=True, nogil=True)
def _leader(bound, f, row, member, start, end):  # noqa: ANN001, ANN202
    """Return the place of the block's best bound."""
    best = start
    for i in range(start + 1, end):
        if bound[i] > bound[best] or (
            bound[i] == bound[best] and goes_before(f, row, member[i], member[best])
        ):
            best = i
    return best


@njit(cache=True, nogil=True)
def _greedy(ends, row, f, table, u, k, weight, scale, lazy, rules, order, gain):  # noqa: ANN001, ANN202
    """Fill order and gain.

    A gain only falls as picks are added, so what it was at an earlier step is an upper bound: a
    block of candidates is compared with the picks that it has not seen only while its best bound
    reaches the best gain of the step. Whole blocks, because 16 dot products side by side cost as
    much as four one by one; and no (block, pick) pair is computed twice, so laziness costs at most
    the look at the bounds. Candidates stand in their blocks roughly by f, and blocks that were
    never reached are not even gathered.
    """
    width, cosine = table.shape[1], scale > 0.0
    largest, start = 0, 0
    for end in ends:
        largest, start = max(largest, end - start), end
    blocks = np.zeros(((largest + LANES - 1) // LANES, width, LANES), np.float32)
    picks = np.empty((min(k, largest), width))
    similarity = np.empty(LANES)
    member = np.empty(largest, np.int64)
    most, bound, per_length = np.empty(largest), np.empty(largest), np.empty(largest)
    seen, lead = np.empty(len(blocks), np.int64), np.empty(len(blocks), np.int64)
    top = np.empty(len(blocks))
    start = 0
    for request in range(len(ends)):
        end = ends[request]
        n = end - start
        count = (n + LANES - 1) // LANES
        roughly_by_f(f, start, end, member)
        first, reach = n - 1, -inf
        for b in range(count - 1, -1, -1):
            for i in range(b * LANES, min((b + 1) * LANES, n)):
                most[i], bound[i] = -inf, f[member[i]] + weight
                reach = max(reach, bound[i])
                if goes_before(f, row, member[i], member[first]):
                    first = i
            # Also of all blocks behind it, so that those reached are always the first ones.
            top[b], seen[b] = reach, 0
        last, touched, levels = min(k, n), 0, 1
        if rules is not None:
            open_list(rules, start, end, last)
            levels = rules.levels
            allowed = best_allowed(f, f, row, start, end, rules, 1)
            first = -1
            for i in range(n):
                if member[i] == allowed:
                    first = i
        best, best_gain = first, f[member[first]]
        for step in range(1, last + 1):
            if best < 0:
                break
            chosen = member[best]
            order[chosen], gain[chosen] = step, best_gain
            if rules is not None:
                put(rules, request, chosen, step, last)
            if step == last:
                break
            bound[best], most[best] = -inf, inf
            b = best // LANES
            if b < touched:
                lead[b] = _leader(bound, f, row, member, b * LANES, min((b + 1) * LANES, n))
                top[b] = bound[lead[b]]
            weigh(table, row[chosen], u[request], scale, picks[step - 1])
            ahead = 0
            for b in range(1, touched):
                if top[b] > top[ahead]:
                    ahead = b
            best, best_gain = -1, -inf
            for level in range(levels):
                for turn in range(-1, count):
                    # What led by its bound goes first: its gain spares most of the others.
                    b = ahead if turn < 0 else turn
                    if turn == ahead:
                        continue
                    if lazy and top[b] < best_gain:
                        if b >= touched:
                            break
                        continue
                    low, high = b * LANES, min((b + 1) * LANES, n)
                    if b >= touched:
                        touched = b + 1
                        lanes = member[low:high]
                        gather(
                            table, row, lanes, u[request], cosine, blocks[b], per_length[low:high]
                        )
                        lead[b] = _leader(bound, f, row, member, low, high)
                        top[b] = bound[lead[b]]
                    while seen[b] < step and not (lazy and top[b] < best_gain):
                        dot_lanes(blocks[b], picks[seen[b]], similarity)
                        seen[b] += 1
                        moved = False
                        for i in range(low, high):
                            s = similarity[i - low] * per_length[i]
                            if s > most[i]:
                                most[i], bound[i] = s, f[member[i]] + weight * diversity(s)
                                moved = True
                        if moved:
                            lead[b] = _leader(bound, f, row, member, low, high)
                            top[b] = bound[lead[b]]
                    if rules is not None:
                        for i in range(low, high):
                            if bound[i] < best_gain or bound[i] == -inf:
                                continue
                            if (
                                best < 0
                                or bound[i] > best_gain
                                or goes_before(f, row, member[i], member[best])
                            ) and allows(rules, member[i], step + 1, level):
                                best, best_gain = i, bound[i]
                        continue
                    i = lead[b]
                    if bound[i] > best_gain or (
                        bound[i] == best_gain
                        and best >= 0
                        and goes_before(f, row, member[i], member[best])
                    ):
                        best, best_gain = i, bound[i]
                if best >= 0:
                    break
        if rules is not None:
            close_list(rules, request)
        start = end
