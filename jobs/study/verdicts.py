"""What the study was made to ask: does a student give what its controls and closed forms do not?"""

from dataclasses import dataclass

from jobs.study.choice import by_value
from jobs.study.equal_recall import diversity_at_recall
from jobs.study.evidence import Evidence, Figure, Key, Sample
from jobs.study.methods import METHODS, Method
from jobs.study.points import DCN_POINT


@dataclass(frozen=True, slots=True)
class Verdict:
    """One method against another on one data set."""

    method: Method
    rival: Method
    diversity: Figure | None
    """Difference of ILAD at equal recall; None where either never has that recall."""
    value: Figure | None
    """Difference of V/V*, each at the weight of its most validation value; None without truth."""


def method_of(training: str, ranking: str) -> Method:
    """Return the method of that training and ranking."""
    return next(m for m in METHODS if (m.training, m.ranking) == (training, ranking))


def verdict(found: Evidence, method: Method, rival: Method, k: int, kept_recall: float) -> Verdict:
    """Compare two methods by paired resamples."""
    recall = found.sample(DCN_POINT.key(k, "recall"))
    least = Sample(kept_recall * recall.found, kept_recall * recall.draws)
    reached = [
        diversity_at_recall(found, one.training, one.ranking, k, found.diversity, least)
        for one in (method, rival)
    ]
    values = [_value(found, one, k) for one in (method, rival)]
    return Verdict(method, rival, _apart(*reached), _apart(*values))


def _value(found: Evidence, method: Method, k: int) -> Sample | None:
    front = found.validation(method.training, method.ranking, k)
    if not all("value_ratio" in means for means in front.values()):
        return None
    key = Key(method.training, method.ranking, by_value(front), k, "value_ratio")
    return found.sample(key) if key in found else None


def _apart(one: Sample | None, other: Sample | None) -> Figure | None:
    return None if one is None or other is None else (one - other).figure()
