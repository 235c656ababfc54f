"""What the manifests and the validations say: rows and counts of every table by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from jobs.report.evidence import Live, TrainedModel
from jobs.teacher import WITHOUT_TEACHER
from jobs.validation_rows import STOP, WARN, failed_rows

FATES = ("held", STOP, WARN)

ABOUT_TABLES = ("measures", "validations", "bad_rows")
"""Tables of which the report of validation tells."""
BOOTSTRAP = " (bootstrap)"
LOST = (
    "cut",
    "drop",
    "missed",
    "not_in",
    "other_days",
    "outside",
    "quarantin",
    "unknown",
    "unlabelled",
    "with_one",
    "without",
)
"""Words in a count's name that say that something did not get through whole."""


@dataclass(frozen=True, slots=True)
class Line:
    """One count of one table, by day; None where the day has no such count."""

    table: str
    name: str
    by_day: tuple[str | None, ...]

    @property
    def is_lost(self) -> bool:
        """Whether the count is of what did not get through."""
        return any(word in self.name for word in LOST)

    @property
    def is_zero(self) -> bool:
        """Whether nothing was counted on any day."""
        return all(text in (None, "0") for text in self.by_day)


def _write(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def lines(
    tables: Iterable[str], live: Iterable[Live], models: Iterable[TrainedModel], days: list[date]
) -> list[Line]:
    """Return rows and counts of every table, in the given order, the models last."""
    cells: dict[tuple[str, str], dict[date, list[str]]] = {}

    def add(table: str, day: date, counts: dict[str, Any]) -> None:
        for name, value in counts.items():
            cells.setdefault((table, name), {}).setdefault(day, []).append(_write(value))

    for one in live:
        table = one.partition.table.name
        if table in ABOUT_TABLES:
            continue
        if one.keys.get("teacher_id") == WITHOUT_TEACHER:
            table += BOOTSTRAP
        add(table, one.day, {"rows": one.manifest.rows} | one.manifest.counts)
    for model in models:
        add(f"models ({model.kind})", model.day, model.manifest.counts)
    order = [name for table in tables for name in (table, table + BOOTSTRAP)]
    place = {name: number for number, name in enumerate(order)}
    return [
        Line(table, name, tuple(" + ".join(by_day[day]) if day in by_day else None for day in days))
        for (table, name), by_day in sorted(
            cells.items(), key=lambda cell: place.get(cell[0][0], len(place))
        )
    ]


@dataclass(frozen=True, slots=True)
class Checked:
    """How one table fared in validation, by day; None where it was not validated."""

    table: str
    by_day: tuple[tuple[int, int, int] | None, ...]
    """(held, failed, warned)."""


def checked(rows: list[dict[str, Any]], tables: Iterable[str], days: list[date]) -> list[Checked]:
    """Count what held and what failed."""
    counts: dict[tuple[str, date], list[int]] = {}
    for row in rows:
        if row["success"] is not None:
            held = counts.setdefault((row["table"], row["dt"]), [0, 0, 0])
            held[0 if row["success"] else FATES.index(row["severity"])] += 1
    seen = {table for table, _ in counts}
    order = [name for name in tables if name in seen] + sorted(seen - set(tables))
    return [
        Checked(
            name,
            tuple(tuple(counts[name, day]) if (name, day) in counts else None for day in days),
        )
        for name in order
    ]


def failures(rows: list[dict[str, Any]], severity: str) -> list[dict[str, Any]]:
    """Return the expectations that failed and do so much, the newest day first."""
    failed = failed_rows(rows, severity)
    failed.sort(key=lambda row: (row["table"], row["column"], row["expectation"]))
    return sorted(failed, key=lambda row: row["dt"], reverse=True)
