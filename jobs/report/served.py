"""What the lists stored as cdm are called: by which ranker the day served, beside which student.

The name in the tables stays: it says whose lists are judged and promoted, not how they are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GAMMA = "\N{GREEK SMALL LETTER GAMMA}"
LAMBDA = "\N{GREEK SMALL LETTER LAMDA}"
DELTA = "\N{GREEK SMALL LETTER DELTA}"


@dataclass(frozen=True, slots=True)
class StudentWords:
    """What a student is called, and what it says."""

    label: str
    fuses: str
    """How its y joins f."""
    y: str
    """What its y is."""


_WINS = "the student's probability that the teacher would pick the item"
STUDENTS = {
    "cdm": StudentWords("CDM", f"f + {GAMMA} · win probability", _WINS),
    "better_context": StudentWords("Better context", f"f + {GAMMA} · win probability", _WINS),
    "wear": StudentWords(
        "Wear", f"f · y^{GAMMA}", "the share y of f that repetition leaves, as the student has it"
    ),
}
"""The students by the name that a profile gives them."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a day's lists stored as cdm are; the label is a name in sentences too."""

    label: str
    reads: str
    """How they are ranked."""
    weight: str
    """What is weighed, with its letter, such as gamma = 0.1; nothing where there is nothing."""
    gamma: float | None
    """The student's weight, which further ones are swept around; None where no student serves."""
    student: StudentWords

    @property
    def title(self) -> str:
        """The label with its weight."""
        return f"{self.label} ({self.weight})" if self.weight else self.label

    @property
    def rule(self) -> str:
        """How they are ranked, with the weight."""
        return f"{self.reads}, {self.weight}" if self.weight else self.reads


def served(ranking: Mapping[str, Any], student: str) -> Served:
    """Return what serves under the fields of a RankingConfig, beside the student of this name."""
    words = STUDENTS[student]
    match ranking["ranker"]:
        case "student":
            gamma = ranking["gamma"]
            return Served(words.label, words.fuses, f"{GAMMA} = {gamma:g}", gamma, words)
        case "one_pass":
            weight = f"{LAMBDA} = {ranking['mmr_weight']:g}"
            reads = f"f + {LAMBDA} · what sets an item apart from the better ones, in one pass"
            return Served("One-pass MMR", reads, weight, None, words)
        case "category_decay":
            weight = f"{DELTA} = {ranking['decay']:g}"
            reads = f"f · {DELTA}^n, n better candidates of the item's category"
            return Served("Category decay", reads, weight, None, words)
        case "dcn":
            return Served("Served DCN", "f alone, which is DCN once more", "", None, words)
    raise ValueError(f"no ranker is called {ranking['ranker']!r}")


PLAIN_CDM = served({"ranker": "student", "gamma": 0.1}, "cdm")
