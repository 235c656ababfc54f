"""The rules inside of a kernel: what a place allows, and the account of what was put there.

None of it is inlined: few lists have rules, and it would double the time that kernels compile.
"""

import numpy as np

from model.config import RULES
from model.teachers.compiled import inner
from model.teachers.order import goes_before
from model.teachers.rules import Ledger

BLOCKED, PINNED, MOST, QUOTA = range(len(RULES))


@inner(forceinline=False)
def open_list(rules: Ledger, start: int, end: int, last: int) -> None:
    """Begin the list of a request of `last` places."""
    for c in range(len(rules.have)):
        rules.have[c], rules.recent[c], rules.later[c], rules.need[c] = 0, 0, 0, 0
    for place in range(len(rules.at_place)):
        rules.at_place[place] = -1
    rules.free[0] = last - 1
    for i in range(start, end):
        if not rules.blocked[i]:
            _count(rules, rules.need, i, 1)
        place = rules.pinned[i]
        if 0 < place <= last:
            rules.at_place[place] = i
            rules.free[0] -= place > 1
            _count(rules, rules.later, i, 1)
    # Places are kept only for what there is.
    for c in range(len(rules.need)):
        rules.need[c] = min(rules.need[c], rules.least[c])


@inner(forceinline=False)
def allows(rules: Ledger, i: int, step: int, level: int) -> bool:
    """Whether candidate i may stand at place `step` when `level` rules have given way."""
    for rule in range(4):
        if rules.rank[rule] >= level and _breaks(rules, rule, i, step):
            return False
    return True


@inner(forceinline=False)
def put(rules: Ledger, request: int, i: int, step: int, last: int) -> None:
    """Write down that candidate i stands at place `step`, and which rules that breaks."""
    here = rules.at_place[step]
    rules.relaxed[request, BLOCKED] += _breaks(rules, BLOCKED, i, step)
    rules.relaxed[request, MOST] += _breaks(rules, MOST, i, step)
    if i != here:
        rules.relaxed[request, PINNED] += here >= 0
        rules.relaxed[request, PINNED] += _waits(rules, i)
    _release(rules, here)
    if _waits(rules, i):
        _release(rules, i)
        rules.free[0] += 1
    if step < last and rules.at_place[step + 1] < 0:
        rules.free[0] -= 1
    rules.history[step] = i
    _count(rules, rules.have, i, 1)
    _count(rules, rules.recent, i, 1)
    if 0 < rules.window <= step:
        _count(rules, rules.recent, rules.history[step - rules.window + 1], -1)


@inner(forceinline=False)
def close_list(rules: Ledger, request: int) -> None:
    """Write down what the finished list lacks."""
    for place in range(1, len(rules.at_place)):
        rules.relaxed[request, PINNED] += rules.at_place[place] >= 0
    for c in range(len(rules.least)):
        rules.relaxed[request, QUOTA] += max(0, rules.least[c] - rules.have[c])


@inner(forceinline=False)
def _breaks(rules, rule, i, step):
    if rule == BLOCKED:
        return rules.blocked[i]
    if rule == PINNED:
        here = rules.at_place[step]
        return i != here and (here >= 0 or _waits(rules, i))
    low = rules.category_ends[i - 1] if i else 0
    own = rules.category[low : rules.category_ends[i]]
    if rule == MOST:
        for c in own:
            if rules.recent[c] >= rules.most > 0:
                return True
        return False
    if i == rules.at_place[step]:
        return False
    missing = 0
    for c in range(len(rules.need)):
        missing += max(0, rules.need[c] - rules.have[c] - rules.later[c])
    served = 0
    if not _waits(rules, i):
        for c in own:
            served += rules.need[c] - rules.have[c] - rules.later[c] > 0
    # Where the places no longer suffice, what serves a quota is still better than what does not.
    return missing - served > max(rules.free[0], missing - 1)


@inner(forceinline=False)
def _waits(rules, i):
    """Whether i is pinned to a place that comes, or to this one."""
    place = rules.pinned[i]
    return 0 < place < len(rules.at_place) and rules.at_place[place] == i


@inner(forceinline=False)
def _release(rules, i):
    """Let go of a pin that is kept, or that can no longer be."""
    if i >= 0:
        rules.at_place[rules.pinned[i]] = -1
        _count(rules, rules.later, i, -1)


@inner(forceinline=False)
def _count(rules, of, i, change):
    for c in range(rules.category_ends[i - 1] if i else 0, rules.category_ends[i]):
        of[rules.category[c]] += change


@inner(forceinline=False)
def best_allowed(
    worth: np.ndarray,
    f: np.ndarray,
    row: np.ndarray,
    start: int,
    end: int,
    rules: Ledger,
    step: int,
) -> int:
    """Return the best candidate by worth that place `step` takes, or -1; -inf is never taken."""
    for level in range(rules.levels):
        best = -1
        for i in range(start, end):
            if worth[i] == -np.inf or (best >= 0 and worth[i] < worth[best]):
                continue
            better = best < 0 or worth[i] > worth[best] or goes_before(f, row, i, best)
            if better and allows(rules, i, step, level):
                best = i
        if best >= 0:
            return best
    return -1
