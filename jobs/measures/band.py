"""Between which values a number is usual, by what it was on the trailing days.

Many logs have weeks, so a day is like those of its own weekday as soon as three of them are known;
until then all days are alike. The centre is the median of the days that are alike, the spread the
median difference of two of them: a few strange days do not make strangeness usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from jobs.measures.catalogue import Kind

SAME_WEEKDAYS = 3
NORMAL = 1.0483
"""Standard deviations in the median difference of two values: 1 / (sqrt(2) * 0.6745)."""
EFFICIENCY = 0.6
"""Degrees of freedom of that spread to those of the standard deviation; by simulation."""


@dataclass(frozen=True, slots=True)
class Band:
    """What is usual on a day."""

    centre: float
    low: float
    high: float


def band(kind: Kind, day: date, past: Sequence[tuple[date, float]], false_alarms: float) -> Band:
    """Return what is usual on `day` by what `past` was, two days or more."""
    values = np.array([value for _, value in past])
    weekdays = np.array([then.weekday() for then, _ in past])
    alike = weekdays == day.weekday()
    if alike.sum() < SAME_WEEKDAYS:
        weekdays, alike = np.zeros(len(values)), np.ones(len(values), bool)
    centre = float(np.median(values[alike]))
    first, second = np.triu_indices(len(values), 1)
    pairs = weekdays[first] == weekdays[second]
    spread = NORMAL * float(np.median(np.abs(values[first] - values[second])[pairs]))
    free = EFFICIENCY * (len(values) - len(np.unique(weekdays)))
    width = spread * (1 + 1 / alike.sum()) ** 0.5 * _times(false_alarms, free)
    half = max(width, (kind.change or 0.0) * abs(centre), kind.slack)
    return Band(centre, centre - half, centre + half)


def _times(false_alarms: float, free: float) -> float:
    """Return how many standard deviations a normal value is away no oftener than this."""
    from scipy.stats import t  # Slow to import, and most reruns do without.

    return float(t.isf(false_alarms / 2, free))
