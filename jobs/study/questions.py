"""What the study was made to ask: one method against another, on every data set that has both."""

from typing import NamedTuple

from jobs.study.methods import METHODS, Method


class Question(NamedTuple):
    """Whether a method gives more than a rival."""

    group: str
    method: Method
    rival: Method

    @property
    def name(self) -> str:
        """How tables and pictures call it."""
        return f"{self.method.label} against {self.rival.label}"


def of(training: str, ranking: str) -> Method:
    """Return the method of that training and ranking."""
    return next(m for m in METHODS if (m.training, m.ranking) == (training, ranking))


DCN, ITEMS, ONE_PASS, DECAY = (
    of("dcn", name) for name in ("f", "mmr_item", "one_pass", "category_decay")
)
CDM, SELF, UNSEEN = of("cdm", "fused"), of("lambda_0", "fused"), of("unseen", "f")
HIDDEN = of("hidden", "f")
CDM_F, CDM_DECAY = of("cdm", "f"), of("cdm", "category_decay")
SELF_F, SELF_DECAY = of("lambda_0", "f"), of("lambda_0", "category_decay")
BETTER, BETTER_0 = of("better_context", "fused"), of("better_context_0", "fused")
LIKE_DECAY, WEAR = of("better_decay", "fused"), of("wear", "worn")
CDM_GAIN, SAME_F, STUDENTS_GAIN, FORMS, SECOND_F = (
    "What CDM gains, and from what",
    "CDM against closed forms on its own f",
    "Other students, on DCN's f",
    "Closed forms on DCN's f",
    "The f that distillation leaves",
)
_ASKED = {
    CDM_GAIN: (
        (CDM, DCN),
        (CDM, SELF),
        (of("lambda_25", "fused"), SELF),
        (CDM, CDM_F),
        (SELF, DCN),
        (UNSEEN, DCN),
        (HIDDEN, DCN),
        (CDM, DECAY),
    ),
    SAME_F: tuple(
        (CDM, rival) for rival in (of("cdm", "mmr_item"), of("cdm", "one_pass"), CDM_DECAY)
    ),
    STUDENTS_GAIN: (
        (BETTER, BETTER_0),
        *(
            (student, rival)
            for student in (BETTER, LIKE_DECAY, WEAR)
            for rival in (ONE_PASS, DECAY)
        ),
    ),
    FORMS: (
        (ONE_PASS, ITEMS),
        (DECAY, DCN),
        (DECAY, ITEMS),
        (of("dcn", "mean_wear"), DECAY),
        (of("dcn", "true_wear"), DECAY),
    ),
    SECOND_F: (
        (SELF_F, DCN),
        (SELF_F, UNSEEN),
        (CDM_F, SELF_F),
        (SELF_DECAY, DECAY),
        (SELF_DECAY, SELF_F),
        (SELF_DECAY, of("lambda_0", "mmr_item")),
        (CDM_DECAY, SELF_DECAY),
    ),
}
QUESTIONS = tuple(
    Question(group, method, rival) for group, pairs in _ASKED.items() for method, rival in pairs
)
