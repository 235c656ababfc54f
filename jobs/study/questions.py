"""What the study was made to ask: one method against another, on every data set that has both."""

from typing import NamedTuple

from jobs.study.methods import METHODS, Method
from jobs.study.trainings import DCN


class Question(NamedTuple):
    """Whether a method gives more than a rival."""

    group: str
    method: Method
    rival: Method

    @property
    def name(self) -> str:
        """How tables and pictures call it."""
        return f"{self.method.label} against {self.rival.label}"


def method_of(training: str, ranking: str) -> Method:
    """Return the method of that training and ranking."""
    return next(m for m in METHODS if (m.training, m.ranking) == (training, ranking))


CDM_GAIN, STUDENTS_GAIN, FORMS, SECOND_F = (
    "What CDM gains, and from what",
    "Other students",
    "Closed forms on DCN's f, which learn nothing",
    "On the f that distillation left",
)
_DCN, _CDM, _SELF = (DCN, "f"), ("cdm", "fused"), ("lambda_0", "fused")
_ITEMS, _ONE_PASS, _DECAY = ((DCN, name) for name in ("mmr_item", "one_pass", "category_decay"))
_ASKED = {
    CDM_GAIN: (
        (_CDM, _DCN),
        (_CDM, _SELF),
        (("lambda_25", "fused"), _SELF),
        (_SELF, _DCN),
        (("unseen", "f"), _DCN),
        (_CDM, _ITEMS),
        (_CDM, _ONE_PASS),
        (_CDM, _DECAY),
    ),
    STUDENTS_GAIN: tuple(
        (student, rival)
        for student, control in (
            (("better_context", "fused"), ("better_context_0", "fused")),
            (("better_decay", "fused"), ("better_context_0", "fused")),
            (("wear", "worn"), _DCN),
        )
        for rival in (control, _ONE_PASS, _DECAY)
    ),
    FORMS: (
        (_DECAY, _DCN),
        (_DECAY, _ITEMS),
        (_DECAY, _ONE_PASS),
        (_ONE_PASS, _ITEMS),
        ((DCN, "true_wear"), _DECAY),
    ),
    SECOND_F: (
        (("lambda_0", "f"), _DCN),
        (("cdm", "f"), ("lambda_0", "f")),
        (("lambda_0", "category_decay"), _DECAY),
        (("lambda_0", "category_decay"), _CDM),
        (("lambda_0", "category_decay"), ("lambda_0", "mmr_item")),
        (("cdm", "category_decay"), ("lambda_0", "category_decay")),
    ),
}
QUESTIONS = tuple(
    Question(group, method_of(*method), method_of(*rival))
    for group, pairs in _ASKED.items()
    for method, rival in pairs
)
