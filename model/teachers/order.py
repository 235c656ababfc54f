"""The order of candidates inside of a kernel: the tie rule, the best few, a rough order."""

import numpy as np

from model.teachers.compiled import inner


@inner
def goes_before(f: np.ndarray, row: np.ndarray, i: int, j: int) -> bool:
    """Whether candidate i wins a tie against j."""
    return f[i] > f[j] or (f[i] == f[j] and row[i] < row[j])


@inner
def best_few(
    score: np.ndarray, f: np.ndarray, row: np.ndarray, start: int, end: int, found: np.ndarray
) -> int:
    """Write the best candidates of start..end-1 by score into `found`, best first; return how many.

    Equal scores go to the higher f, then to the lower row. For few of many: a candidate that is
    not among the best costs one comparison.
    """
    count = 0
    for i in range(start, end):
        place = count
        while place > 0:
            j = found[place - 1]
            if score[i] < score[j] or (score[i] == score[j] and not goes_before(f, row, i, j)):
                break
            if place < len(found):
                found[place] = j
            place -= 1
        if place < len(found):
            found[place] = i
            count = min(count + 1, len(found))
    return count


@inner
def roughly_by_f(f: np.ndarray, start: int, end: int, found: np.ndarray, place: np.ndarray) -> None:
    """Write the candidates start..end-1 into `found`, the larger f first but for small differences.

    A counting sort: the full one would cost as much as the picks. Only speed depends on the order.
    `place` is room for N // 2 + 2 numbers.
    """
    low, high = f[start], f[start]
    for i in range(start, end):
        low, high = min(low, f[i]), max(high, f[i])
    buckets = (end - start) // 2 + 1
    scale = (buckets - 1) / (high - low) if high > low else 0.0
    if not scale < np.inf:
        scale = 0.0
    for b in range(buckets + 1):
        place[b] = 0
    for i in range(start, end):
        place[int((high - f[i]) * scale) + 1] += 1
    for b in range(buckets):
        place[b + 1] += place[b]
    for i in range(start, end):
        b = int((high - f[i]) * scale)
        found[place[b]] = i
        place[b] += 1
