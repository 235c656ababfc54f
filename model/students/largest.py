"""The k largest of each row, exactly: whom contexts hold.

    a row                3 9 4 1 8 2 7 5 6 0    k = 2, four groups: 3 8 6 | 9 2 0 | 4 7 | 1 5
    best of each group   8 9 7 5                the 2nd of these, 8, is at most the row's 2nd
    as large or larger   9 8                    k and a few more, of which the least are dropped

So a row costs a comparison a value and k a group, and the groups of many rows stand side by side,
where one instruction serves several. Letters: R rows, M values of one, G groups.
"""

from math import inf
from typing import NamedTuple

import numpy as np

from model.teachers.compiled import compiled, inner

SIDE_BY_SIDE = 64
"""Rows whose groups are compared together."""
GROUPS = 32
"""For k = 10: the more there are, the fewer values reach the bound, and the more it costs."""
# There is no NaN that must be kept apart: where one is, any places are as good.
_ORDER = {"nnan", "nsz"}


class Room(NamedTuple):
    """What finding the largest writes to on its way."""

    best: np.ndarray  # [G] float32, of each group of one row
    bests: np.ndarray  # [G, SIDE_BY_SIDE] float32
    top: np.ndarray  # [k, SIDE_BY_SIDE] float32, the k best of the groups, falling
    sinking: np.ndarray  # [SIDE_BY_SIDE] float32
    group: np.ndarray  # [G + 1] int32
    place: np.ndarray  # [M + 1] int32, what is found in a row
    value: np.ndarray  # [M + 1] float32


def room_for(m: int, k: int) -> Room:
    """Return room for the k <= M largest."""
    groups = min(m, GROUPS * -(-k // 10))
    return Room(
        best=np.empty(groups, np.float32),
        bests=np.empty((groups, SIDE_BY_SIDE), np.float32),
        top=np.empty((k, SIDE_BY_SIDE), np.float32),
        sinking=np.empty(SIDE_BY_SIDE, np.float32),
        group=np.empty(groups + 1, np.int32),
        place=np.empty(m + 1, np.int32),
        value=np.empty(m + 1, np.float32),
    )


def largest(rows: np.ndarray, k: int) -> np.ndarray:
    """Return the places [R, k] int64 of the k <= M largest of rows [R, M] float32, falling.

    Which of equal ones, and in which order, is not said.
    """
    found = np.zeros((len(rows), k), np.int64)
    _largest(rows, room_for(rows.shape[1], k), found)
    return found


@inner(fastmath=_ORDER)
def group_row(row, lane, room) -> None:
    """Write the largest value of each group: group g holds the values at g, g + G and so on."""
    groups = len(room.best)
    for g in range(groups):
        room.best[g] = row[g]
    for start in range(groups, len(row), groups):
        run = row[start : min(start + groups, len(row))]
        for g in range(len(run)):
            room.best[g] = max(room.best[g], run[g])
    for g in range(groups):
        room.bests[g, lane] = room.best[g]


@inner(fastmath=_ORDER)
def sort_groups(room) -> None:
    """Write the k best of the groups of each lane, falling: each one sinks to its place."""
    bests, top, sinking = room.bests, room.top, room.sinking
    for i in range(len(top)):
        for lane in range(SIDE_BY_SIDE):
            top[i, lane] = -inf
    for g in range(len(bests)):
        for lane in range(SIDE_BY_SIDE):
            sinking[lane] = bests[g, lane]
        for i in range(len(top)):
            for lane in range(SIDE_BY_SIDE):
                above, below = max(top[i, lane], sinking[lane]), min(top[i, lane], sinking[lane])
                top[i, lane], sinking[lane] = above, below


@inner(fastmath=_ORDER)
def largest_of(row, lane, room) -> int:
    """Write places and values of the k largest; return how many: fewer where others are -inf.

    The groups of the row are known, in its lane.
    """
    k, groups, some, found = len(room.top), len(room.bests), 0, 0
    least = max(room.top[k - 1, lane], np.finfo(np.float32).min)
    for g in range(groups):
        # Without a branch, which nothing could foresee.
        room.group[some] = g
        some += room.bests[g, lane] >= least
    for i in range(some):
        for j in range(room.group[i], len(row), groups):
            room.place[found] = j
            found += row[j] >= least
    for i in range(found):
        room.value[i] = row[room.place[i]]
    while found > k:
        low = 0
        for i in range(1, found):
            if room.value[i] < room.value[low]:
                low = i
        found -= 1
        room.value[low], room.place[low] = room.value[found], room.place[found]
    return found


@compiled(fastmath=_ORDER)
def _largest(rows, room, found):
    for start in range(0, len(rows), SIDE_BY_SIDE):
        lanes = min(SIDE_BY_SIDE, len(rows) - start)
        for lane in range(lanes):
            group_row(rows[start + lane], lane, room)
        sort_groups(room)
        for lane in range(lanes):
            count = largest_of(rows[start + lane], lane, room)
            for i in range(count):
                at = i
                while at > 0 and room.value[i] > rows[start + lane, found[start + lane, at - 1]]:
                    found[start + lane, at] = found[start + lane, at - 1]
                    at -= 1
                found[start + lane, at] = room.place[i]
