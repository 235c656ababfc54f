"""What the study found, in sentences that are made of its figures."""

from jobs.study.page import Section


def findings(sections: list[Section]) -> list[str]:
    """Return a sentence for each question that the study was made to ask."""
    asked = list(
        dict.fromkeys(
            (v.method.label, v.rival.label)
            for one in sections
            for v in one.verdicts
            if v.method.group == "Students"
        )
    )
    return [_sentence(method, rival, sections) for method, rival in asked]


def _sentence(method: str, rival: str, sections: list[Section]) -> str:
    """Say of one pair on which data sets the first gives more, less, or neither."""
    sides: dict[str, list[str]] = {"more": [], "less": [], "no other": []}
    for one in sections:
        for v in one.verdicts:
            if (v.method.label, v.rival.label) == (method, rival):
                for what, figure in (("ILAD at equal recall", v.diversity), ("value", v.value)):
                    if figure is not None:
                        side = {1: "more", -1: "less", 0: "no other"}[figure.sign]
                        told = f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
                        sides[side].append(f"{what} on {one.title} ({told})")
    parts = [f"{side} {', '.join(found)}" for side, found in sides.items() if found]
    if not parts:
        return f"{method} never has the recall at which it could be compared with {rival}."
    return f"{method} against {rival}: {'; '.join(parts)}."
