"""Say of each measure of a day what it may be, by fixed limits and by the trailing days.

Great Expectations then holds the values to it (jobs.gx_judge). What cannot be judged is said with
the reason: a measure that nothing is known of would else look like one that is right.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from jobs.measures.band import band
from jobs.measures.catalogue import DRIFT, GONE, MIX, NEW, Kind
from jobs.measures.config import ValidationConfig
from jobs.measures.distribution import Compared, compare
from jobs.measures.measured import Measured
from jobs.measures.of_day import Past
from jobs.measures.units import written

OFF = "off"
TIMES_USUAL = 5
"""A distribution that moves every day, as what retrained models say does, may move so much more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One measure of a day and what it may be."""

    kind: Kind
    part: str
    value: float | None
    n: float
    low: float | None = None
    high: float | None = None
    days: int = 0
    """Trailing days that it is judged by."""
    why: str = ""
    """What the limits come from, or why there are none."""

    @property
    def name(self) -> str:
        """The measure with its part, such as cdm.f_mean."""
        return f"{self.part}.{self.kind.name}" if self.part else self.kind.name

    @property
    def is_judged(self) -> bool:
        """Whether there is anything that it may not be."""
        return self.value is not None and (self.low is not None or self.high is not None)

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        if not self.is_judged:
            return f"not judged: {self.why}"
        ends = [
            None if end is None else written(end, self.kind.unit) for end in (self.low, self.high)
        ]
        low, high = ends
        if low is None:
            span = f"at most {high}"
        else:
            span = f"at least {low}" if high is None else f"from {low} to {high}"
        return f"{span} ({self.why})" if self.why else span


def judge(
    kinds: dict[str, Kind],
    today: dict[tuple[str, str], Measured],
    past: Past,
    day: date,
    config: ValidationConfig,
) -> Iterator[Judgement]:
    """Yield a judgement of each measure that the day has and that is not off."""
    parts = sorted({part for part, _ in today})
    for part in parts:
        for kind in kinds.values():
            source = MIX if kind.name in (NEW, GONE) else kind.name
            one = today.get((part, source))
            if one is None or kind.severity == OFF:
                continue
            before = {
                then: found[part, source] for then, found in past.items() if (part, source) in found
            }
            by = _by_distribution if source.startswith(DRIFT) else _by_number
            yield by(kind, one, before, day, config)


def _enough(before: dict[date, Measured], config: ValidationConfig) -> str:
    """Return why the trailing days are too few; nothing where they are not."""
    if len(before) >= config.min_days:
        return ""
    return f"{len(before)} of {config.min_days} days are there to compare with"


def _by_number(
    kind: Kind, one: Measured, before: dict[date, Measured], day: date, config: ValidationConfig
) -> Judgement:
    low, high, why, days = kind.low, kind.high, [], 0
    if low is not None or high is not None:
        why.append("fixed limits")
    short = _enough(before, config) if kind.by_past else ""
    if kind.by_past and not short:
        days = len(before)
        values = [(then, found.value) for then, found in before.items()]
        usual = band(kind, day, values, config.false_alarms)
        # Where the two contradict each other the fixed limits hold.
        low, high = (_within(kind, end) for end in (usual.low, usual.high))
        why.append(f"usual {written(usual.centre, kind.unit)}, by {days} days")
    if short:
        why.append(short)
    return Judgement(kind, one.part, one.value, one.n, low, high, days, "; ".join(why))


def _within(kind: Kind, end: float) -> float:
    """Return an end of what is usual within what can be and what is allowed on any day."""
    least = -math.inf if kind.unit == "number" else 0.0
    most = 1.0 if kind.unit == "share" else math.inf
    low = least if kind.low is None else kind.low
    return min(max(end, low), most if kind.high is None else kind.high)


def _by_distribution(
    kind: Kind, one: Measured, before: dict[date, Measured], day: date, config: ValidationConfig
) -> Judgement:
    def unjudged(why: str) -> Judgement:
        return Judgement(kind, one.part, None, one.n, why=why)

    if short := _enough(before, config):
        return unjudged(short)
    found: Compared = compare(one, list(before.values()), config.false_alarms)
    if found.n < config.min_n:
        worth = f"its requests are worth {found.n:,.0f} independent values"
        return unjudged(f"{worth}, fewer than {config.min_n}")
    days = len(before)
    if kind.unit == "drift":
        high, why = kind.high + found.chance, f"{kind.high:g} + {found.chance:.3f} for chance"
        if high < TIMES_USUAL * found.usual:
            high, why = TIMES_USUAL * found.usual, f"{TIMES_USUAL} times the usual"
            why += f" {found.usual:.3f}"
        why += f", by {days} days"
        return Judgement(kind, one.part, found.psi, found.n, kind.low, high, days, why)
    value = found.new if kind.name == NEW else found.gone
    if value is None:
        return unjudged("there are more categories than are kept")
    why = f"fixed limits, by {days} days"
    return Judgement(kind, one.part, value, found.n, kind.low, kind.high, days, why)
