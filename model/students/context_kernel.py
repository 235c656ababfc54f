"""What two contexts of k landmarks make of each target: the inner loop of a student that serves.

The k largest weights of a target are found, then, with all signs changed, the k smallest. Letters:
T targets, M landmarks, H width of the hidden layer.
"""

from math import exp, inf

import numpy as np

from model.students.largest import (
    SIDE_BY_SIDE,
    group_row,
    largest_of,
    room_for,
    sort_groups,
)
from model.teachers.compiled import compiled, inner

# Sums may be cut into lanes, and there is no NaN: weights are finite, or -inf.
_FAST = {"reassoc", "contract", "nsz", "nnan"}


def context_products(
    products: np.ndarray,
    row: np.ndarray,
    k: int,
    table: np.ndarray,
    bias: np.ndarray,
    found: np.ndarray,
) -> None:
    """Write relu(bias + sum_m share_m table_m) . read + base of targets into `found` [T].

    `products` [T, H + 1 + M] are `read`, `base` and the weights w of the landmarks, which are
    overwritten. The shares are softmax(w) over the k largest weights, and softmax(-w) over the k
    smallest; `table` [M, 2, H] has the rows of either side, `bias` is [H]. `row` [M] int64 says
    which target a landmark is, in whose sums it has no share; outside of 0..T-1 it is none. Without
    any landmark a sum is 0. All but `row` are float32.
    """
    _products(
        products,
        row,
        table,
        bias,
        room_for(len(table), min(k, len(table))),
        np.empty((SIDE_BY_SIDE, len(bias)), np.float32),
        np.empty(len(products), np.int64),
        found,
    )


@inner(fastmath=_FAST)
def _mix(table, side, count, room, hidden):
    """Add rows of the table by their shares, five at a time: contexts hold 10 or 20."""
    place, share = room.place, room.value
    at = 0
    while at + 5 <= count:
        a, b, c = table[place[at], side], table[place[at + 1], side], table[place[at + 2], side]
        d, e = table[place[at + 3], side], table[place[at + 4], side]
        of_a, of_b, of_c, of_d, of_e = (
            share[at],
            share[at + 1],
            share[at + 2],
            share[at + 3],
            share[at + 4],
        )
        for h in range(len(hidden)):
            hidden[h] += of_a * a[h] + of_b * b[h] + of_c * c[h] + of_d * d[h] + of_e * e[h]
        at += 5
    for i in range(at, count):
        a, of_a = table[place[i], side], share[i]
        for h in range(len(hidden)):
            hidden[h] += of_a * a[h]


@inner(fastmath=_FAST)
def _shares(count, largest, room):
    """Turn the weights that were found into their softmax."""
    total = np.float32(0.0)
    for i in range(count):
        room.value[i] = exp(room.value[i] - largest)
        total += room.value[i]
    for i in range(count):
        room.value[i] *= np.float32(1.0) / total


@compiled(fastmath=_FAST)
def _products(products, row, table, bias, room, hidden, own, found):
    m, size = len(table), len(bias)
    for t in range(len(products)):
        own[t] = -1
    for j in range(m):
        if 0 <= row[j] < len(products):
            own[row[j]] = j
    for first in range(0, len(products), SIDE_BY_SIDE):
        lanes = min(SIDE_BY_SIDE, len(products) - first)
        for lane in range(lanes):
            for h in range(size):
                hidden[lane, h] = bias[h]
        for side in range(2 if m > 0 else 0):
            for lane in range(lanes):
                weight = products[first + lane, size + 1 :]
                if side == 1:
                    for j in range(m):
                        weight[j] = -weight[j]
                if own[first + lane] >= 0:
                    weight[own[first + lane]] = -inf
                group_row(weight, lane, room)
            sort_groups(room)
            for lane in range(lanes):
                count = largest_of(products[first + lane, size + 1 :], lane, room)
                _shares(count, room.top[0, lane], room)
                _mix(table, side, count, room, hidden[lane])
        for lane in range(lanes):
            read = products[first + lane]
            total = read[size]
            for h in range(size):
                total += max(hidden[lane, h], np.float32(0.0)) * read[h]
            found[first + lane] = total
