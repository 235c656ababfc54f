"""Greedy picks by f and what is new in a candidate, exact and lazy: the kernel of five teachers.

While gains only fall, what a gain was is a bound on what it is, and a candidate catches up with the
directions that it has not seen only while its bound reaches the best gain of the step. Bounds stand
in blocks by roughly falling f, each block with its largest. Where gains may rise, by an eviction or
for MEAN, each step starts from what a wholly new candidate would gain.

Letters: R requests, C candidates of all of them, N of one, K picks, d vector width.
"""

from math import inf
from typing import NamedTuple

import numpy as np

from model.teachers.compiled import compiled, inner
from model.teachers.novelty import (
    COSINE,
    LOG,
    MEAN,
    SIGMOID,
    Novelty,
    ceiling_of,
    gain_of,
    per_length_of,
    state_of_the_new,
)
from model.teachers.order import goes_before, roughly_by_f
from model.teachers.products import product, product_and_square, squared_length, weigh
from model.teachers.requests import Picks, Requests
from model.teachers.ruled import allows, close_list, open_list, put
from model.teachers.rules import Ledger, Rules, ledger
from model.teachers.span import (
    Span,
    add_pick,
    evict_by_adding_back,
    evict_exactly,
    span_for,
)

BLOCK = 16
LEAST = float(np.finfo(np.float64).min)


class Candidates(NamedTuple):
    """The N candidates of one request, roughly by falling f."""

    member: np.ndarray  # [N] int64, which candidate of the batch
    row: np.ndarray  # [N] int64
    f: np.ndarray  # [N]
    per_length: np.ndarray  # [N]; a product times this is x; known once a direction was seen
    state: np.ndarray  # [N], what the directions it has seen leave of a candidate
    seen: np.ndarray  # [N] int64, how many directions that is
    bound: np.ndarray  # [16 blocks], what its gain is at most; -inf of a pick, and behind N
    top: np.ndarray  # [blocks], the largest bound
    limit: np.ndarray  # [blocks], what no bound of this block or one behind it exceeds
    place: np.ndarray  # [N // 2 + 2] int64, for the sorting


class Directions(NamedTuple):
    """All directions that came (1) or went (-1), T at most."""

    vector: np.ndarray  # [T, d + 1]
    sign: np.ndarray  # [T]


def pick_by(
    novelty: Novelty,
    requests: Requests,
    k: int,
    *,
    interest: bool,
    rules: Rules | None = None,
) -> Picks:
    """Pick min(K, N) candidates of each request by novelty of e * u where `interest` is set.

    Equal gains go to the higher f, then to the lower row. Raises ValueError where u is missing.
    """
    if interest and requests.u is None:
        raise ValueError("interest = True needs u, one vector a request; these requests have none")
    n, d = int(np.diff(requests.ends, prepend=0).max(initial=0)), requests.table.shape[1]
    k = min(k, n)
    blocks = (n + BLOCK - 1) // BLOCK
    # A window that no pick leaves is none.
    novelty = novelty._replace(window=novelty.window if novelty.window < k else 0)
    evicts = novelty.window > 0
    slots = (novelty.window + 1 if evicts else k) if novelty.form >= LOG else 0
    directions = 2 * k if evicts else k
    book = ledger(rules, requests, k)
    order, gain = np.zeros(len(requests.f), np.int32), np.full(len(requests.f), np.nan)
    _pick_all(
        requests.ends,
        requests.row,
        requests.f,
        requests.table,
        requests.u if interest else np.empty((0, d), np.float32),
        k,
        novelty,
        Candidates(
            member=np.empty(n, np.int64),
            row=np.empty(n, np.int64),
            f=np.empty(n),
            per_length=np.empty(n),
            state=np.empty(n),
            seen=np.empty(n, np.int64),
            bound=np.empty(blocks * BLOCK),
            top=np.empty(blocks),
            limit=np.empty(blocks),
            place=np.empty(n // 2 + 2, np.int64),
        ),
        Directions(np.empty((directions, d + 1)), np.empty(directions)),
        span_for(slots, d, evicts),
        np.ones(d),
        book,
        order,
        gain,
    )
    return Picks(order, gain, None if rules is None else book.relaxed)


@inner(fastmath={"nnan", "nsz"})
def _largest(bound, b):
    """Return the largest bound of a block, none of which is nan; four chains wait for no other."""
    one, two, three, four = -inf, -inf, -inf, -inf
    for i in range(b * BLOCK, (b + 1) * BLOCK, 4):
        one, two = max(one, bound[i]), max(two, bound[i + 1])
        three, four = max(three, bound[i + 2]), max(four, bound[i + 3])
    return max(max(one, two), max(three, four))


@inner
def _raise_bounds(those, blocks, ceiling):
    """Let the bound of all that is left be that of something wholly new."""
    limit = -inf
    for b in range(blocks - 1, -1, -1):
        for i in range(b * BLOCK, (b + 1) * BLOCK):
            if those.bound[i] > -inf:
                those.bound[i] = those.f[i] + ceiling
        those.top[b] = _largest(those.bound, b)
        limit = max(limit, those.top[b])
        those.limit[b] = limit


@inner
def _open(those, novelty, f, row, start, end):
    """Begin a request: nobody has seen anything; the first pick of MMR and MSD is by f alone.

    Return how many blocks its candidates fill.
    """
    n = end - start
    blocks = (n + BLOCK - 1) // BLOCK
    roughly_by_f(f, start, end, those.member, those.place)
    state = state_of_the_new(novelty)
    for i in range(n):
        those.row[i], those.f[i] = row[those.member[i]], f[those.member[i]]
        those.state[i], those.seen[i], those.bound[i] = state, 0, 0.0
    for i in range(n, blocks * BLOCK):
        those.bound[i] = -inf
    _raise_bounds(
        those, blocks, ceiling_of(novelty, novelty.weight) if novelty.form >= LOG else 0.0
    )
    return blocks


@inner
def _catch_up(novelty, weight, those, i, table, u_squared, directions, known, least):
    """Let a candidate see the directions that it has not, while its gain may reach `least`."""
    if those.seen[i] == known:
        return
    form, r, fresh = novelty.form, those.row[i], state_of_the_new(novelty)
    f, state, t = those.f[i], those.state[i], those.seen[i]
    while t < known:
        vector = directions.vector[t]
        if t == 0:
            # At first sight a vector comes from far: it is read once for both.
            x, square = product_and_square(table, r, vector, u_squared)
            those.per_length[i] = per_length_of(novelty, square)
        else:
            x = product(table, r, vector)
        x *= those.per_length[i]
        t += 1
        # Rounding must not make a candidate newer than new: its bound would be too low.
        if form >= LOG:
            x += vector[-1]
            state = min(state - directions.sign[t - 1] * x * x, fresh)
        elif form == MEAN:
            state += max(x, -1.0)
        elif form == COSINE:
            state = max(state, x)
            if t < known and f + weight * (1.0 - state) < least:
                break
        elif x > state:
            state = x
            if t < known and gain_of(form, weight, f, state, known) < least:
                break
    those.seen[i], those.state[i] = t, state
    those.bound[i] = gain_of(form, weight, f, state, known)


@inner
def _best(novelty, weight, those, blocks, table, u_squared, directions, known, rules, step):
    """Return which candidate is the best that the step allows, or -1; its bound is its gain."""
    ahead = 0
    for b in range(1, blocks):
        if those.limit[b] < those.top[ahead]:
            break
        if those.top[b] > those.top[ahead]:
            ahead = b
    for level in range(rules.levels):
        best, best_gain = -1, LEAST
        for turn in range(-1, blocks):
            # What led by its bound goes first: its gain spares most of the others.
            b = ahead if turn < 0 else turn
            if those.limit[b] < best_gain:
                break
            if turn == ahead or those.top[b] < best_gain:
                continue
            for i in range(b * BLOCK, (b + 1) * BLOCK):
                if those.bound[i] < best_gain:
                    continue
                _catch_up(novelty, weight, those, i, table, u_squared, directions, known, best_gain)
                gain = those.bound[i]
                if gain > best_gain or (
                    gain == best_gain and (best < 0 or goes_before(those.f, those.row, i, best))
                ):
                    if not rules.active or allows(rules, those.member[i], step, level):
                        best, best_gain = i, gain
            those.top[b] = _largest(those.bound, b)
        if best >= 0:
            return best
    return -1


@inner
def _add_to_span(novelty, those, best, table, u_squared, directions, known, span, held):
    """Add the direction of a pick, and where the window is full that of what leaves it.

    Return how many directions came, and by how much the volume changes.
    """
    length = add_pick(
        span,
        held,
        table,
        those.row[best],
        those.per_length[best],
        u_squared,
        novelty.constant,
        those.state[best],
    )
    for j in range(len(u_squared) + 1):
        directions.vector[known, j] = span.basis[held, j]
    directions.sign[known] = 1.0
    if novelty.window == 0 or held < novelty.window:
        return 1, length
    if novelty.add_back:
        evict_by_adding_back(span, directions.vector[known + 1])
    else:
        evict_exactly(span, directions.vector[known + 1])
    directions.sign[known + 1] = -1.0
    return 2, length


@compiled
def _pick_all(
    ends: np.ndarray,
    row: np.ndarray,
    f: np.ndarray,
    table: np.ndarray,
    u: np.ndarray,
    k: int,
    novelty: Novelty,
    those: Candidates,
    directions: Directions,
    span: Span,
    u_squared: np.ndarray,
    rules: Ledger,
    order: np.ndarray,
    gain: np.ndarray,
) -> None:
    """Fill order and gain."""
    form, start = novelty.form, 0
    for request in range(len(ends)):
        end = ends[request]
        last = min(k, end - start)
        if rules.active:
            open_list(rules, start, end, last)
        if len(u):
            for d in range(len(u_squared)):
                u_squared[d] = np.float64(u[request, d]) * u[request, d]
        blocks = _open(those, novelty, f, row, start, end)
        known, held, weight = 0, 0, novelty.weight
        for step in range(1, last + 1):
            best = _best(
                novelty, weight, those, blocks, table, u_squared, directions, known, rules, step
            )
            if best < 0:
                break
            m = those.member[best]
            order[m], gain[m], those.bound[best] = step, those.bound[best], -inf
            if known == 0:
                square = squared_length(table, row[m], u_squared)
                those.per_length[best] = per_length_of(novelty, square)
            if rules.active:
                put(rules, request, m, step, last)
            if step == last:
                break
            came = 1
            if form < LOG:
                factor = those.per_length[best]
                if form == SIGMOID and novelty.scale > 0.0:
                    factor *= novelty.scale
                weigh(table, row[m], u_squared, factor, directions.vector[known])
            else:
                came, length = _add_to_span(
                    novelty, those, best, table, u_squared, directions, known, span, held
                )
                held += 2 - came
                if novelty.volume:
                    weight *= length
                    if novelty.window:
                        weight = novelty.weight
                        for t in range(held):
                            weight *= span.factor[t, t]
            known += came
            if came == 2 or form == MEAN or (form < LOG and step == 1):
                _raise_bounds(those, blocks, ceiling_of(novelty, weight))
        if rules.active:
            close_list(rules, request)
        start = end
