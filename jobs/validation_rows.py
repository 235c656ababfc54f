"""The rows of validations and bad_rows, and how one is told in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from jobs.measures.units import written

if TYPE_CHECKING:  # Both import Great Expectations, which a rerun does without.
    from jobs.gx_judge import Tally
    from jobs.measures.judgement import Judgement

Row = dict[str, Any]
DECLARED, MEASURE = "declared", "measure"
STOP, WARN = "stop", "warn"


def declared_row(table: str, tally: Tally) -> Row:
    """Return how an expectation on rows fared."""
    return {
        "table": table,
        "kind": DECLARED,
        "column": tally.column,
        "expectation": tally.expected,
        "severity": tally.severity,
        "success": int(tally.success),
        "observed": tally.found,
        "unexpected": tally.unexpected,
        "rows": tally.rows,
        "value": None,
        "low": None,
        "high": None,
        "days": 0,
        "examples": tally.examples,
    }


def measure_row(table: str, one: Judgement, tally: Tally | None) -> Row:
    """Return how a measure fared; without a tally it was not judged."""
    return {
        "table": table,
        "kind": MEASURE,
        "column": one.name,
        "expectation": one.expected,
        "severity": one.kind.severity,
        "success": None if tally is None else int(tally.success),
        "observed": "" if one.value is None else written(one.value, one.kind.unit),
        "unexpected": 0 if tally is None else tally.unexpected,
        "rows": 0 if tally is None else 1,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "days": one.days,
        "examples": [],
    }


def bad_rows(tallies: Iterable[Tally]) -> Iterator[Row]:
    """Yield the rows that broke an expectation and were kept."""
    for tally in tallies:
        for number, bad in enumerate(tally.bad, start=1):
            yield {
                "column": tally.column,
                "expectation": tally.expected,
                "number": number,
                "part": bad.part,
                "place": bad.place,
                "row": bad.row,
            }


def failed_rows(rows: Iterable[Row], severity: str) -> list[Row]:
    """Return the results that failed and do so much."""
    return [row for row in rows if row["success"] == 0 and row["severity"] == severity]


def about(row: Row) -> str:
    """Return what a result is about, such as request_logs.score."""
    return ".".join(name for name in (row["table"], row["column"]) if name)


def failure(row: Row) -> str:
    """Return what failed as one sentence."""
    return f"{about(row)}: expected {row['expectation']}, found {row['observed']}"
