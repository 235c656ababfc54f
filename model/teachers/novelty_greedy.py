"""The greedy rule that DPP and SSD share: f plus a weight times what is new in a candidate.

Letters: R requests, C candidates of all of them, N of one, K picks, d vector width.

A candidate's vector is v = [x; kappa] / sqrt(1 + kappa^2) with x = e * u at length one. The
constant lifts the rank to d + 1 and makes the likeness (cos + kappa^2) / (1 + kappa^2), so that
opposite vectors are not taken for copies. A zero vector is like nothing (cos = 0) and yet of
length one, as if it had a dimension of its own; a jitter gives such a dimension to every one.

New is the residual of v against the span of the latest picks. For an orthonormal basis b of it
|residual|^2 = |v|^2 - sum (v.b)^2 depends on the span alone. So a pick takes (v.b)^2 of one new
direction away and an eviction gives that of one direction back: exact, and without an N x K matrix.

Lazy and exact. While picks are only added, residuals only fall: a gain of an earlier step bounds
today's, and a candidate bounded below the best gain need not catch up. Bounds stand in blocks by
roughly falling f, each block with its largest. An eviction may raise residuals: from then on each
step starts from what a wholly new vector would gain.

All compiled code stands in this file: numba's cache does not see a change in another one.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from model.teachers.requests import Picks, Requests

LOG, LENGTH = 0, 1
"""What novelty is: the log of the squared residual, or the length of the residual."""
SPANNED = 1e-10
"""Up to here a squared residual is rounding: such a pick adds no direction, and log stops here."""
BLOCK = 32
LEVELS = 1024
"""Steps of f by which candidates are sorted; how fine they are changes speed alone."""


class Rule(NamedTuple):
    """A greedy rule; how a kernel is told it."""

    novelty: int
    """LOG or LENGTH."""
    weight: float
    """Of novelty against f."""
    volume: bool
    """Whether novelty is multiplied by the lengths of the picks' residuals in the window."""
    window: int
    """How many of the latest picks a residual is taken against; 0 is all."""
    add_back: bool
    """Whether an eviction adds the oldest pick's own direction back (approximate)."""
    kappa: float
    """The constant coordinate appended to vectors of length one."""
    jitter: float
    """Added to the squared length of every vector, in a dimension of its own."""


# Sums may be cut into lanes: how follows from d alone, never from the row that is read, and every
# residual comes out of these two loops. So equal rows get equal bits and tie, as they must.
_SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _dot(table: np.ndarray, row: int, directions: np.ndarray, t: int) -> float:
    """Return the float64 product of a row [d] of the table and the first d of direction t."""
    total = 0.0
    for j in range(table.shape[1]):
        total += table[row, j] * directions[t, j]
    return total


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _unit_scale(table: np.ndarray, row: int, squared_interest: np.ndarray, kappa: float) -> float:
    """Return what scales e * u to the first d coordinates of v; 0 for a zero vector."""
    squared = 0.0
    for j in range(table.shape[1]):
        squared += np.float64(table[row, j]) * table[row, j] * squared_interest[j]
    return 1.0 / np.sqrt(squared * (1.0 + kappa * kappa)) if squared > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _add_pick(
    basis: np.ndarray,
    products: np.ndarray,
    table: np.ndarray,
    row: int,
    scale: float,
    squared_interest: np.ndarray,
    kappa: float,
    rest: float,
) -> float:
    """Put the direction that a pick adds into the last row of `basis`; return its length.

    `products` receives the pick's products with the rows before, `rest` is its squared residual.
    A pick that the span already holds adds a zero direction of length 0.

    A direction is stored as [u * b; b_last * kappa / sqrt(1 + kappa^2)]: its product with v is
    scale * (row of the table as it stands) . direction, plus its last coordinate.
    """
    d, new = table.shape[1], basis[-1]
    for j in range(d):
        new[j] = scale * squared_interest[j] * table[row, j]
    new[d] = kappa * kappa / (1.0 + kappa * kappa)
    for t in range(len(basis) - 1):
        products[t] = scale * _dot(table, row, basis, t) + basis[t, d]
        for j in range(d + 1):
            new[j] -= products[t] * basis[t, j]
    length = np.sqrt(rest) if rest > SPANNED else 0.0
    for j in range(d + 1):
        new[j] = new[j] / length if length else 0.0
    return length


@njit(cache=True, nogil=True)
def _evict_exactly(basis: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Drop the oldest pick of a basis [T, d + 1]; return the direction that leaves the span.

    `factor` [T, T] is lower triangular, row t the products of pick t with the basis. Without row 0
    each row reaches one past the diagonal. Givens rotations of neighbouring directions mend that,
    and what they leave in the last direction is in no remaining pick (Chen 2018, section 4.2).
    """
    size = len(basis)
    for t in range(size - 1):
        along, past = factor[t + 1, t], factor[t + 1, t + 1]
        length = np.hypot(along, past)
        # A pick that the others span takes neither direction: what leaves moves on past it.
        spanned = length * length <= SPANNED
        cos, sin = (0.0, 1.0) if spanned else (along / length, past / length)
        for s in range(t + 1, size):
            x, y = factor[s, t], factor[s, t + 1]
            factor[s, t], factor[s, t + 1] = cos * x + sin * y, cos * y - sin * x
        for j in range(basis.shape[1]):
            x, y = basis[t, j], basis[t + 1, j]
            basis[t, j], basis[t + 1, j] = cos * x + sin * y, cos * y - sin * x
    for t in range(size - 1):
        factor[t, : size - 1] = factor[t + 1, : size - 1]
    return basis[size - 1].copy()


@njit(cache=True, nogil=True)
def _evict_by_adding_back(basis: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Drop the oldest pick's own direction, though later ones were made orthogonal to it."""
    size, gone = len(basis), basis[0].copy()
    for t in range(size - 1):
        basis[t] = basis[t + 1]
        factor[t, : size - 1] = factor[t + 1, 1:size]
    return gone


@njit(cache=True, nogil=True)
def _by_falling_f(f: np.ndarray) -> np.ndarray:
    high = f.max()
    spread = high - f.min()
    # A smaller spread could overflow, and is not worth sorting.
    per_level = (LEVELS - 1) / spread if spread > 1e-9 else 0.0
    start = np.zeros(LEVELS + 1, np.int64)
    level = np.empty(len(f), np.int64)
    for i in range(len(f)):
        level[i] = np.int64((high - f[i]) * per_level)
        start[level[i] + 1] += 1
    start = np.cumsum(start)
    order = np.empty(len(f), np.int64)
    for i in range(len(f)):
        order[start[level[i]]] = i
        start[level[i]] += 1
    return order


@njit(cache=True, nogil=True)
def _gain(novelty: int, f: float, weight: float, rest: float) -> float:
    if novelty == LOG:
        return f + weight * np.log(max(rest, SPANNED))
    return f + weight * np.sqrt(max(rest, 0.0))


@njit(cache=True, nogil=True)
def _before(
    i: int, gain: float, best: int, best_gain: float, f: np.ndarray, row: np.ndarray
) -> bool:
    """Say whether i comes before the best so far, if there is one."""
    if gain != best_gain:
        return gain > best_gain
    return best >= 0 and (f[i] > f[best] or (f[i] == f[best] and row[i] < row[best]))


@njit(cache=True, nogil=True)
def _largest_by_block(bound: np.ndarray, top: np.ndarray) -> None:
    for block in range(len(top)):
        top[block] = bound[block * BLOCK : (block + 1) * BLOCK].max()


# Plain arrays and one long loop: numba counts references to each array of a tuple at each call,
# which made this twice as slow.
@njit(cache=True, nogil=True)
def _select(
    row: np.ndarray,
    f: np.ndarray,
    table: np.ndarray,
    squared_interest: np.ndarray,
    k: int,
    rule: Rule,
) -> tuple[np.ndarray, np.ndarray]:
    novelty, weight, kappa, whole = rule.novelty, rule.weight, rule.kappa, 1.0 + rule.jitter
    n, d = len(row), table.shape[1]
    # A window that no pick leaves is none.
    window = rule.window if rule.window < k else 0
    slots = window + 1 if window else k
    # Of the window's picks: directions, products with those before, and products with all.
    basis, products = np.empty((slots, d + 1)), np.empty(slots)
    factor = np.zeros((slots, slots) if window else (0, 0))
    # All directions that came (1) or went (-1), and how many of them each candidate has seen.
    log, sign = np.empty((2 * k if window else k, d + 1)), np.empty(2 * k)
    seen, scale, rest = np.full(n, -1), np.zeros(n), np.full(n, whole)
    bound = f + _gain(novelty, 0.0, weight, whole)
    top = np.empty((n + BLOCK - 1) // BLOCK)
    _largest_by_block(bound, top)
    picks, gains = np.empty(k, np.int64), np.empty(k)
    known, count, volume = 0, 0, 1.0
    for step in range(k):
        best, best_gain, lead = -1, -np.inf, top.argmax()
        for turn in range(-1, len(top)):
            block = lead if turn < 0 else turn
            if turn >= 0 and (block == lead or top[block] < best_gain):
                continue
            high = -np.inf
            for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
                if _before(i, bound[i], best, best_gain, f, row):
                    if seen[i] < 0:
                        scale[i] = _unit_scale(table, row[i], squared_interest, kappa)
                        seen[i] = 0
                    for t in range(seen[i], known):
                        shared = scale[i] * _dot(table, row[i], log, t) + log[t, d]
                        rest[i] -= sign[t] * shared * shared
                    seen[i] = known
                    gain = _gain(novelty, f[i], weight * volume, rest[i])
                    bound[i] = gain
                    if _before(i, gain, best, best_gain, f, row):
                        best, best_gain = i, gain
                high = max(high, bound[i])
            top[block] = high
        picks[step], gains[step], bound[best] = best, best_gain, -np.inf
        if step == k - 1:
            break

        count += 1
        at, new = row[best], basis[:count]
        length = _add_pick(
            new, products, table, at, scale[best], squared_interest, kappa, rest[best]
        )
        log[known], sign[known] = basis[count - 1], 1.0
        known += 1
        if rule.volume:
            volume *= length
        if not window:
            continue
        factor[count - 1, : count - 1] = products[: count - 1]
        factor[count - 1, count - 1] = length
        if count <= window:
            continue
        if rule.add_back:
            log[known] = _evict_by_adding_back(basis, factor)
        else:
            log[known] = _evict_exactly(basis, factor)
        sign[known] = -1.0
        known += 1
        count = window
        if rule.volume:
            volume = 1.0
            for t in range(window):
                volume *= factor[t, t]
        ceiling = _gain(novelty, 0.0, weight * volume, whole)
        for i in range(n):
            if bound[i] > -np.inf:
                bound[i] = f[i] + ceiling
        _largest_by_block(bound, top)
    return picks, gains


@njit(cache=True, nogil=True)
def _select_all(
    ends: np.ndarray,
    row: np.ndarray,
    f: np.ndarray,
    table: np.ndarray,
    u: np.ndarray,
    k: int,
    rule: Rule,
) -> tuple[np.ndarray, np.ndarray]:
    order, gain = np.zeros(len(f), np.int32), np.full(len(f), np.nan)
    squared_interest = np.ones(table.shape[1])
    start = 0
    for request in range(len(ends)):
        end = ends[request]
        if end > start:
            if len(u):
                squared_interest = u[request].astype(np.float64) ** 2
            at = start + _by_falling_f(f[start:end])
            picks, gains = _select(
                row[at], f[at], table, squared_interest, min(k, end - start), rule
            )
            for step in range(len(picks)):
                order[at[picks[step]]], gain[at[picks[step]]] = step + 1, gains[step]
        start = end
    return order, gain


def pick_by(rule: Rule, requests: Requests, k: int, *, interest: bool) -> Picks:
    """Pick min(K, N) candidates of each request by a rule, of e * u where `interest` is set.

    Equal gains go to the higher f, then to the lower row. Raises ValueError where u is missing.
    """
    if interest and requests.u is None:
        raise ValueError("interest = True needs u, one vector a request; these requests have none")
    u = requests.u if interest else np.empty((0, requests.table.shape[1]), np.float32)
    return Picks(*_select_all(requests.ends, requests.row, requests.f, requests.table, u, k, rule))
