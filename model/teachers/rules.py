"""Rules that a list keeps whatever a teacher prefers, and what gives way where they cannot hold.

    blocked           an item is never picked
    pinned            an item stands at a place, counted from 1, where the list is that long
    max_per_category  at most m picks of a category among any w in a row, or in all of the list
    quotas            at least q picks of a category in the list

Each place takes the best candidate that breaks no rule. Where there is none, the rules give way one
after the other in the order of `Rules.relax`, for this place alone; a rule that is not named there
never does, and the list ends early. Every breach is counted. A place is filled without looking
ahead, but for two things: pinned items wait for their place, and places are kept for quotas.

What a request cannot keep is not known before its list ends, so a teacher fills the lists of all
requests, and `unmet` says which of them break a rule that must not give way.

The columns of Picks.relaxed, in the order of RULES: blocked picks; items that are not at their
place; picks above the maximum; picks that are missing to the quotas.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from model.config import RULES
from model.teachers.requests import Picks, Requests


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
    """Return the rules for a kernel; raise ValueError for arrays of another batch."""
    if rules is None:
        return _NONE
    size = len(requests.f)
    pinned, blocked = _marks(rules, size)
    categories = max(requests.category.max(initial=-1), *rules.quotas, -1) + 1
    least = np.zeros(categories, np.int64)
    for category, quota in rules.quotas.items():
        least[category] = quota
    rank = np.full(len(RULES), len(RULES), np.int64)
    for position, name in enumerate(rules.relax):
        rank[RULES.index(name)] = position
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


def _marks(rules: Rules, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places and the blocks of all candidates."""
    pinned = np.zeros(size, np.int64) if rules.pinned is None else rules.pinned
    blocked = np.zeros(size, np.bool_) if rules.blocked is None else rules.blocked
    if pinned.shape != (size,) or blocked.shape != (size,):
        raise ValueError(f"pinned and blocked must have one value for each of {size} candidates")
    if pinned.min(initial=0) < 0:
        raise ValueError("pinned places count from 1; 0 is not pinned")
    return pinned, blocked


def unmet(
    rules: Rules, requests: Requests, picks: Picks, k: int, names: Sequence[str] | None = None
) -> dict[int, str]:
    """Return by request, counted from 0, why it cannot keep the rules that must not give way.

    Its picks are then no list to learn from. `names` are the categories' in messages.
    """
    size = len(requests.f)
    pinned, blocked = _marks(rules, size)
    counts = np.diff(requests.ends, prepend=0)
    request = np.repeat(np.arange(len(counts)), counts)
    length = np.minimum(counts, k)
    found = np.bincount(request, picks.order > 0, len(counts)).astype(np.int64)
    reasons = {
        r: f"{found[r]} of {length[r]} places could be filled, and {_LACKS[rule]} ({short[r]})"
        for rule, short in zip(RULES, picks.relaxed.T, strict=True)
        if rule not in rules.relax
        for r in np.flatnonzero(short).tolist()
    }
    reasons |= {r: "no candidate may be picked" for r in np.flatnonzero(found == 0).tolist()}
    if "quotas" not in rules.relax:
        missing = picks.relaxed[:, RULES.index("quotas")] > 0
        owner = np.repeat(np.arange(size), np.diff(requests.category_ends, prepend=0))
        for category, quota in rules.quotas.items():
            name = category if names is None else repr(names[category])
            own = owner[(requests.category == category) & ~blocked[owner]]
            there = np.bincount(request[own], minlength=len(counts))
            for r in np.flatnonzero(missing & (quota > np.minimum(there, length))).tolist():
                reasons[r] = (
                    f"a quota of {quota} of category {name} cannot be kept with {there[r]} such "
                    f"items and {length[r]} places"
                )
    both = request[blocked & (pinned > 0)]
    reasons |= dict.fromkeys(both.tolist(), "an item is both pinned and blocked")
    place, often = np.unique(np.stack([request, pinned])[:, pinned > 0], axis=1, return_counts=True)
    twice = place[0, often > 1]
    return reasons | dict.fromkeys(twice.tolist(), "two items are pinned to one place")


_LACKS = {
    "blocked": "a blocked item was picked",
    "pinned": "items are not at their places",
    "max_per_category": "picks are above the maximum of a category",
    "quotas": "picks are missing to the quotas",
}
