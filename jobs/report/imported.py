"""What an import brought in, and which source rows it could not use: where they stand and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake import Lake, Partition
from jobs.printable import printable
from jobs.profile.config import Profile
from jobs.report.evidence import Live
from jobs.sources.counts import LOGS, became

EXAMPLES = 3
MISSED = ("shown_missed", "clicks_missed")
LONGEST = 60
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Count:
    """One count of the account in words; None where the day was not imported."""

    words: str
    is_part: bool
    by_day: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One row that could not be used: its file and line, and the value that is wrong."""

    where: str
    value: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of one part of the profile, with its rows by day, and the first of the newest."""

    part: str
    reason: str
    by_day: tuple[int | None, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The quarantined rows of the shown days."""

    day: date
    """The newest day that has any part in it: the one that the examples are of."""
    name: str
    """The partition of that day."""
    reasons: tuple[Reason, ...]


def quarantine(lake: Lake, days: list[date]) -> Quarantine | None:
    """Return the quarantined rows of these days; None where no day was imported from files."""
    found = {day: lake.partition("quarantine", day) for day in days}
    found = {day: partition for day, partition in found.items() if partition.manifest()}
    if not found:
        return None
    newest = max(found)
    counts = {day: _counts(partition) for day, partition in found.items()}
    first = _first(found[newest])
    every = sorted(
        set().union(*counts.values()),
        key=lambda key: (key[0] != LOGS, key[0], -sum(c[key] for c in counts.values()), key[1]),
    )
    return Quarantine(
        newest,
        found[newest].name,
        tuple(
            Reason(
                *key,
                tuple(counts[day][key] if day in counts else None for day in days),
                first.get(key, ()),
            )
            for key in every
        ),
    )


def _reasons(table: pa.Table) -> dict[tuple[str, str], int]:
    """Return how many rows each part and reason has."""
    groups = table.group_by(["part", "reason"]).aggregate([([], "count_all")]).to_pylist()
    return {(group["part"], group["reason"]): group["count_all"] for group in groups}


def _counts(partition: Partition) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for batch in partition.batches(["part", "reason"]):
        found.update(_reasons(pa.Table.from_batches([batch])))
    return found


def _first(partition: Partition) -> dict[tuple[str, str], tuple[Example, ...]]:
    """Return the first rows of each part and reason."""
    rows: dict[tuple[str, str], list[dict]] = {}
    for batch in partition.batches(["part", "reason", "source_file", "source_row", "value"]):
        table = pa.Table.from_batches([batch])
        for key in _reasons(table):
            mine = rows.setdefault(key, [])
            both = pc.and_(pc.equal(table["part"], key[0]), pc.equal(table["reason"], key[1]))
            mine += table.filter(both).slice(0, EXAMPLES - len(mine)).to_pylist()
    return {key: tuple(map(_example, mine)) for key, mine in rows.items()}


def _example(row: dict[str, Any]) -> Example:
    return Example(f"{row['source_file']}:{row['source_row']}", readable(row["value"]))


def readable(value: str) -> str:
    """Return a value in one line, its beginning if it is long, what cannot be printed escaped."""
    short = value if len(value) <= LONGEST else f"{value[:LONGEST]}..."
    return printable(short)


def account(profile: Profile, live: list[Live], days: list[date]) -> list[Count]:
    """Return what came in by day and what became of it, each whole before its parts."""
    counts = {one.day: one.manifest.counts for one in live if _is_import(one)}
    wholes = {"source rows": became(profile.source)}
    for name in ("shown", "clicks"):
        wholes[name] = {name: "among the candidates", f"{name}_missed": "not among them"}
    lines = []
    for whole, parts in wholes.items():
        found = [
            Count(
                words,
                True,
                tuple(counts[day].get(name, 0) if day in counts else None for day in days),
            )
            for name, words in parts.items()
        ]
        by_day = zip(*(part.by_day for part in found), strict=True)
        total = tuple(None if None in of_day else sum(of_day) for of_day in by_day)
        lines.append(Count(whole, False, total))
        lines += [part for part in found if any(part.by_day)]
    return lines if counts else []


def _is_import(one: Live) -> bool:
    return one.partition.table.name == "request_logs" and "source_rows" in one.manifest.counts


def is_told(count: str) -> bool:
    """Whether the account or the quarantine tells a count that a manifest has, by its name."""
    return "quarantined" in count or count.startswith("source_rows") or count in MISSED
