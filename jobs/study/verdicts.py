"""Answers to the study's questions on one data set."""

from typing import NamedTuple

from jobs.study.choice import by_value
from jobs.study.equal_recall import diversity_at_recall
from jobs.study.evidence import Evidence, Figure, Key, Sample
from jobs.study.methods import Method
from jobs.study.points import DCN_POINT
from jobs.study.questions import QUESTIONS, Question

DIVERSITY = "ILAD at equal recall"


class Verdict(NamedTuple):
    """How far apart two methods are."""

    question: str
    """By its name."""
    diversity: Figure | None
    """Difference of ILAD at equal recall; None where either never has that recall."""
    value: Figure | None
    """Difference of V/V*, each at the weight of its most validation value; None without truth."""

    @property
    def first(self) -> tuple[str, Figure | None]:
        """The figure that decides, with its name: value where it is known, else diversity."""
        if self.value is not None:
            return "V/V*", self.value
        return DIVERSITY, self.diversity

    @property
    def is_more(self) -> bool:
        """Whether the method gives more than its rival."""
        _, figure = self.first
        return figure is not None and figure.sign > 0


def verdicts(found: Evidence, k: int, kept_recall: float) -> list[Verdict]:
    """Answer every question whose two methods have results, by paired resamples."""
    return [
        _verdict(found, question, k, kept_recall)
        for question in QUESTIONS
        if all(found.weights(m.training, m.ranking) for m in (question.method, question.rival))
    ]


def _verdict(found: Evidence, question: Question, k: int, kept_recall: float) -> Verdict:
    recall = found.sample(DCN_POINT.key(k, "recall"))
    least = Sample(kept_recall * recall.found, kept_recall * recall.draws)
    both = question.method, question.rival
    reached = [
        diversity_at_recall(found, one.training, one.ranking, k, found.diversity, least)
        for one in both
    ]
    values = [_value(found, one, k) for one in both]
    return Verdict(question.name, _apart(*reached), _apart(*values))


def _value(found: Evidence, method: Method, k: int) -> Sample | None:
    front = found.validation(method.training, method.ranking, k)
    if not all("value_ratio" in means for means in front.values()):
        return None
    key = Key(method.training, method.ranking, by_value(front), k, "value_ratio")
    return found.sample(key) if key in found else None


def _apart(one: Sample | None, other: Sample | None) -> Figure | None:
    return None if one is None or other is None else (one - other).figure()
