"""Rules that a list keeps whatever a teacher prefers, and what gives way where they cannot hold.

    blocked           an item is never picked
    pinned            an item stands at a place, counted from 1, where the list is that long
    max_per_category  at most m picks of a category among any w in a row, or in all of the list
    quota             at least q picks of a category in the list

Each place takes the best candidate that breaks no rule. Where there is none, the rules give way one
after the other in the order of `Rules.relax`, for this place alone; a rule that is not named there
never does, and the list ends early. Every breach is counted. A place is filled without looking
ahead, but for two things: pinned items wait for their place, and places are kept for quotas.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from model.teachers.requests import Requests

RULES = ("blocked", "pinned", "max_per_category", "quota")
"""The columns of Picks.relaxed: blocked picks; items that are not at their place; picks above the
maximum; picks that are missing to the quotas."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Rules for a batch of C candidates; left out, a rule asks nothing."""

    max_per_category: int = 0
    """m; 0 is no limit."""
    window: int = 0
    """w, the picks in a row that m counts in; 0 is the whole list."""
    quotas: dict[int, int] = field(default_factory=dict)
    """q by category."""
    pinned: np.ndarray | None = None
    """[C] int64, the place of a pinned candidate, 0 for the others."""
    blocked: np.ndarray | None = None
    """[C] bool."""
    relax: tuple[str, ...] = ()
    """Which rules may give way, the first one first."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        unknown = [name for name in self.relax if name not in RULES]
        if unknown or len(set(self.relax)) < len(self.relax):
            raise ValueError(f"relax = {self.relax} is not some of {RULES}, each once")
        if min(self.max_per_category, self.window, *self.quotas.values(), 0) < 0:
            raise ValueError("max_per_category, window and quotas must be at least 0")
        if self.window and not self.max_per_category:
            raise ValueError(f"window = {self.window} without max_per_category asks nothing")


class Ledger(NamedTuple):
    """The rules as a kernel reads them, and what it has to remember of the list so far."""

    active: bool  # whether there are rules; without any all below is empty
    most: int
    window: int
    least: np.ndarray  # [categories]
    pinned: np.ndarray  # [C]
    blocked: np.ndarray  # [C]
    rank: np.ndarray  # [4], how many rules give way before each one
    levels: int
    category_ends: np.ndarray  # [C]
    category: np.ndarray
    need: np.ndarray  # [categories], quotas, at most what the request has
    have: np.ndarray  # [categories], picks
    recent: np.ndarray  # [categories], picks that the window still sees
    later: np.ndarray  # [categories], pinned items whose places come
    at_place: np.ndarray  # [K + 1], the pinned candidate whose place it is, or -1
    history: np.ndarray  # [K + 1], the pick at a place
    free: np.ndarray  # [1], places behind the present one that nothing is pinned to
    relaxed: np.ndarray  # [R, 4]


def _none() -> Ledger:
    none, nobody = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    relaxed = np.zeros((0, len(RULES)), np.int32)
    return Ledger(False, 0, 0, none, none, nobody, none, 1, *[none] * 9, relaxed)


_NONE = _none()


def ledger(rules: Rules | None, requests: Requests, k: int) -> Ledger:
    """Return the rules for a kernel; raise ValueError for a request that they contradict.

    They do where two items want one place, where an item is pinned and blocked, and where a quota
    that must not give way asks for more than there are candidates or places.
    """
    if rules is None:
        return _NONE
    size = len(requests.f)
    pinned = np.zeros(size, np.int64) if rules.pinned is None else rules.pinned
    blocked = np.zeros(size, np.bool_) if rules.blocked is None else rules.blocked
    if pinned.shape != (size,) or blocked.shape != (size,):
        raise ValueError(f"pinned and blocked must have one value for each of {size} candidates")
    if pinned.min(initial=0) < 0:
        raise ValueError("pinned places count from 1; 0 is not pinned")
    categories = max(requests.category.max(initial=-1), *rules.quotas, -1) + 1
    least = np.zeros(categories, np.int64)
    for category, quota in rules.quotas.items():
        least[category] = quota
    rank = np.full(len(RULES), len(RULES), np.int64)
    for position, name in enumerate(rules.relax):
        rank[RULES.index(name)] = position
    _check_feasible(rules, requests, k, pinned, blocked)
    k = min(k, size)
    return Ledger(
        True,
        rules.max_per_category,
        rules.window,
        least,
        pinned.astype(np.int64),
        blocked.astype(np.bool_),
        rank,
        len(rules.relax) + 1,
        requests.category_ends,
        requests.category,
        *np.zeros((4, categories), np.int64),
        *np.zeros((2, k + 1), np.int64),
        np.zeros(1, np.int64),
        np.zeros((len(requests.ends), len(RULES)), np.int32),
    )


def _check_feasible(
    rules: Rules, requests: Requests, k: int, pinned: np.ndarray, blocked: np.ndarray
) -> None:
    start = 0
    owner = np.repeat(
        np.arange(len(requests.f)), np.diff(requests.category_ends, prepend=0)
    )  # of each category
    for number, end in enumerate(requests.ends):
        places = pinned[start:end][pinned[start:end] > 0]
        if len(np.unique(places)) < len(places):
            raise ValueError(f"request {number}: two items are pinned to one place")
        if (blocked[start:end] & (pinned[start:end] > 0)).any():
            raise ValueError(f"request {number}: an item is both pinned and blocked")
        if rules.quotas and "quota" not in rules.relax:
            length = min(k, int(end - start))
            # An item of several categories may serve several quotas, so only each alone must fit.
            own = requests.category[(owner >= start) & (owner < end) & ~blocked[owner]]
            for category, quota in rules.quotas.items():
                there = int((own == category).sum())
                if quota > min(there, length):
                    raise ValueError(
                        f"request {number}: a quota of {quota} of category {category} cannot be "
                        f"kept with {there} such items and {length} places"
                    )
        start = end
