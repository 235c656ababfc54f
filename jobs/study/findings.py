"""What the study found, in sentences that are made of its figures."""

from jobs.study.evidence import Figure
from jobs.study.questions import QUESTIONS, STUDENTS_GAIN, Question, method_of
from jobs.study.section import Section
from jobs.study.trainings import DCN

DECAY = method_of(DCN, "category_decay")


def findings(sections: list[Section]) -> list[str]:
    """Return the headline, then a sentence for each question that has an answer."""
    told = [_sentence(question, sections) for question in QUESTIONS]
    return [_headline(sections), *(one for one in told if one)]


def _headline(sections: list[Section]) -> str:
    """Say whether any student, CDM among them, gives more than category decay on the same f."""
    won = [
        f"{question.method.label} on {one.title}"
        for question in QUESTIONS
        if question.rival == DECAY
        and (question.group == STUDENTS_GAIN or question.method.training == "cdm")
        for one in sections
        if question.name in one.verdicts and _better(one, question)
    ]
    if won:
        return f"More than category decay of DCN's f: {', '.join(won)}; nothing else learned."
    return "No student that was tried gives more than category decay, which learns nothing."


def _better(one: Section, question: Question) -> bool:
    """Whether a method is ahead: in value where it is known, else in diversity at equal recall."""
    told = one.verdicts[question.name]
    figure = told.diversity if told.value is None else told.value
    return figure is not None and figure.sign > 0


def _sentence(question: Question, sections: list[Section]) -> str:
    """Say of one question on which data sets the first gives more, less, or neither."""
    sides: dict[str, list[str]] = {"more": [], "less": [], "no clear difference in": []}
    for one in sections:
        told = one.verdicts.get(question.name)
        if told is None:
            continue
        for what, figure in (("ILAD at equal recall", told.diversity), ("value", told.value)):
            if figure is not None:
                side = list(sides)[{1: 0, -1: 1, 0: 2}[figure.sign]]
                sides[side].append(f"{what} on {one.title} ({_told(figure)})")
    parts = [f"{side} {', '.join(found)}" for side, found in sides.items() if found]
    return f"{question.name}: {'; '.join(parts)}." if parts else ""


def _told(figure: Figure) -> str:
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
