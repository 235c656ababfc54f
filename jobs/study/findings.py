"""What the study found, in a few sentences that are made of its figures."""

from collections.abc import Callable

from jobs.study.evidence import Figure
from jobs.study.methods import Method
from jobs.study.questions import (
    CDM,
    CDM_DECAY,
    DCN,
    DECAY,
    HIDDEN,
    ITEMS,
    QUESTIONS,
    SELF,
    SELF_DECAY,
    SELF_F,
    STUDENTS_GAIN,
    UNSEEN,
    Question,
)
from jobs.study.section import Section
from jobs.study.verdicts import DIVERSITY, Verdict


def findings(sections: list[Section]) -> list[str]:
    """Return what holds and what does not."""
    worn = [one for one in sections if not one.is_control]
    unworn = [one for one in sections if one.is_control]
    asked = {
        "CDM against DCN": (CDM, DCN, worn),
        "CDM against its control, the same from a teacher of lambda 0, which knows nothing of "
        "diversity": (CDM, SELF, worn),
        "DCN that takes candidates that nobody saw for not clicked, against DCN": (
            UNSEEN,
            DCN,
            worn,
        ),
        "DCN that learns with three in ten tokens hidden, against DCN": (HIDDEN, DCN, worn),
        "Category decay, which learns nothing, against MMR by items, both on DCN's f": (
            DECAY,
            ITEMS,
            worn,
        ),
        "CDM against category decay on CDM's own f": (CDM, CDM_DECAY, worn),
        "Where nothing wears, CDM against DCN": (CDM, DCN, unworn),
        "Where nothing wears, category decay on the control's f against that f alone": (
            SELF_DECAY,
            SELF_F,
            unworn,
        ),
    }
    told = [f"{about}: {_answer(_asked(*both), data)}" for about, (*both, data) in asked.items()]
    front = _answer(_asked(DECAY, ITEMS), worn, lambda one: (DIVERSITY, one.diversity))
    told.append(f"Category decay's lists against those of MMR by items, by their fronts: {front}")
    return [*(one for one in told if not one.endswith(": ")), _students(worn)]


def _asked(method: Method, rival: Method) -> Question:
    return next(q for q in QUESTIONS if (q.method, q.rival) == (method, rival))


def _answer(
    question: Question,
    sections: list[Section],
    decides: Callable[[Verdict], tuple[str, Figure | None]] = lambda verdict: verdict.first,
) -> str:
    """Say on which data sets the first gives more, less, or neither, by the figure that decides."""
    sides: dict[int | None, list[str]] = {1: [], 0: [], -1: [], None: []}
    for one in sections:
        verdict = one.verdicts.get(question.name)
        if verdict is not None:
            what, figure = decides(verdict)
            told = "their fronts do not both reach the recall"
            if figure is not None:
                told = f"{what} {figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
            sides[None if figure is None else figure.sign].append(f"{one.title} ({told})")
    words = {1: "more on", 0: "no clear difference on", -1: "less on", None: "nothing to tell on"}
    parts = [f"{words[side]} {', '.join(found)}" for side, found in sides.items() if found]
    return f"{'; '.join(parts)}." if parts else ""


def _students(sections: list[Section]) -> str:
    """Say which students give more than category decay on the same f."""
    against = [q for q in QUESTIONS if q.group == STUDENTS_GAIN and q.rival == DECAY]
    won = [
        f"{question.method.label} on {one.title}"
        for question in against
        for one in sections
        if question.name in one.verdicts and one.verdicts[question.name].is_more
    ]
    labels = ", ".join(question.method.label for question in against)
    return (
        f"Of the other students ({labels}), on the same f more than category decay gives: "
        f"{', '.join(won) or 'none, on no data set'}."
    )
