"""Every measure of every table: its name, what it says, and what is usually allowed.

A measure is one number of a whole day, such as the share of shown candidates that were clicked. It
is judged by fixed limits, by the trailing days, or, where it is a distribution, by how far it is
from theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.table import Fields

Unit = Literal["count", "share", "hours", "number", "drift"]
DRIFT = "drift_"
"""Before the name of what is compared with its distribution on the trailing days."""
MIX = f"{DRIFT}category"
NEW, GONE = "new_categories", "gone_categories"
"""Judged by MIX: nothing of their own is stored."""
UNKNOWN = "unknown_"
"""Before the name of a field, the share of rows that do not know it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One measure of a table, and how it is judged unless the profile says otherwise."""

    name: str
    says: str
    unit: Unit = "number"
    severity: str = "warn"
    low: float | None = None
    """The least that it may be on any day, the first one included."""
    high: float | None = None
    """The most; of a drift, the most that remains when chance is taken off."""
    change: float | None = 0.2
    """By what share of the trailing days' median it may always differ; None: not judged so."""
    slack: float = 0.0
    """By how much it may always differ, in its own unit, so that 1 row after 0 is no news."""

    @property
    def by_past(self) -> bool:
        """Whether it is compared with the same number of the trailing days."""
        return self.change is not None


def _count(name: str, says: str, change: float = 0.3, **rest: object) -> Kind:
    return Kind(name, says, "count", change=change, **rest)


def _share(name: str, says: str, slack: float = 0.02, change: float = 0.2) -> Kind:
    return Kind(name, says, "share", slack=slack, change=change)


def _drift(name: str, says: str, high: float = 0.1) -> Kind:
    return Kind(f"{DRIFT}{name}", says, "drift", high=high, change=None)


def _rows(severity: str = "warn") -> Kind:
    return _count("rows", "rows of the table", 0.5, severity=severity, slack=5.0)


def _logs(fields: Fields) -> Iterator[Kind]:
    yield _rows("stop")
    yield _count("requests", "different requests", 0.2)
    yield _count("users", "different users")
    yield _count("items", "different items")
    yield Kind("hours_to_end", "from the last request to the day's end", "hours", slack=0.5)
    yield Kind("longest_gap", "longest time without a request", "hours", slack=0.5)
    yield _share("exposed_rate", "candidates that were shown", 0.0)
    yield _share("click_rate", "shown candidates that were clicked", 0.0)
    yield _share("unranked_share", "shown candidates whose rank is unknown")
    yield _share("derived_share", "candidates that were reconstructed")
    yield _share("quarantined_share", "source rows that could not be used", 0.005)
    for name in (*fields.context, *fields.item):
        yield _share(f"{UNKNOWN}{name}", f"candidates whose {name} is unknown")


def _sets(fields: Fields) -> Iterator[Kind]:
    yield _rows("stop")
    yield Kind("candidates_mean", "candidates a request", change=0.2)
    yield Kind("candidates_p99", "candidates of the request at the 99th percent", change=0.3)
    yield Kind("candidates_max", "candidates of the largest request", change=1.0)
    yield _share("below_k", "requests with fewer candidates than teacher.k")
    yield _share("above_max", "requests above training.max_candidates, which are cut")
    yield _share("without_click", "requests without a click", 0.05)
    yield _share("all_clicked", "requests with shown candidates of which all were clicked", 0.05)
    yield _share("missed_share", "clicks on what is no candidate")
    yield _share("tied_share", "candidates with the score of the one before", 0.05)
    yield _share("with_vector", "candidates with a reference vector, which ILAD needs", change=0.05)
    yield _share("known_items", "candidates that the newest earlier model knows", change=0.05)
    yield _drift("score", "pre-ranking score, PSI")
    for name in fields.dense_columns:
        yield _drift(name, f"dense feature {name}, PSI")
    if fields.category:
        yield _count("categories", "different categories", 0.2)
        yield _share("top_category", "candidates of the largest category", 0.05)
        yield _drift("category", "mix of categories among candidates, PSI")
        yield Kind(NEW, "candidates of categories that no trailing day had", "share",
                   high=0.05, change=None)  # fmt: skip
        yield Kind(GONE, "share that categories had which are gone", "share",
                   high=0.05, change=None)  # fmt: skip


def _labels(fields: Fields) -> Iterator[Kind]:
    yield _rows()
    yield Kind("picks_mean", "picks a request, K", change=0.1)
    yield _share("win_rate", "candidates that win, K/N", 0.0)
    yield _share("short_lists", "requests with fewer picks than K")
    yield Kind("overlap", "picks among the K of highest f, where there are more than K", "share",
               severity="stop", low=0.001, high=0.999)  # fmt: skip
    yield _share("unchanged", "requests whose picks are the K of highest f", 0.05)
    yield _share("relaxed_share", "requests in which a rule of the policy gave way")
    yield Kind("f_mean", "click probability f, mean", change=0.5)
    yield _drift("f", "click probability f, PSI", 0.25)


def _examples(fields: Fields) -> Iterator[Kind]:
    yield _rows()
    yield _share("exposed_rate", "candidates that may be learned from", 0.0)
    yield _share("click_rate", "of these, clicked", 0.0)
    yield _share("win_rate", "candidates that win", 0.0)
    yield _share("unknown_items", "candidates that the vocabulary has not met")


def _rankings(fields: Fields) -> Iterator[Kind]:
    yield _rows()
    yield Kind("length_mean", "places a list", change=0.1)
    yield _count("items", "different items in the lists", 0.3)
    yield _share("changed", "lists that hold other items than DCN's", 0.05)
    yield Kind("f_mean", "click probability f, mean", change=0.5)
    yield Kind("win_mean", "the student's y_stu, mean", change=0.5)
    yield _drift("f", "click probability f, PSI", 0.25)
    yield _drift("final_score", "what was sorted by, PSI", 0.25)


_OF_TABLE = {
    "request_logs": _logs,
    "candidate_sets": _sets,
    "teacher_labels": _labels,
    "examples": _examples,
    "rankings": _rankings,
}
_ROWS_ALONE = (
    "truth_requests", "reference_items", "quarantine", "metrics", "promotions", "unlabelled",
)  # fmt: skip
MEASURED = (*_OF_TABLE, *_ROWS_ALONE)


def kinds_of(table: str, fields: Fields) -> dict[str, Kind]:
    """Return the measures of a table by name, in the order in which they are told."""
    found = _OF_TABLE[table](fields) if table in _OF_TABLE else (_rows(),)
    return {kind.name: kind for kind in found}
