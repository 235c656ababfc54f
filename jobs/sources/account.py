"""The account of an import: what came in, what became of it, and that the two are the same."""

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.sources.config import SourceConfig
from jobs.sources.counts import LOGS, NOT_IN, ROWS_OF, USED_OF, quarantined, unknown
from jobs.sources.day import LEFT_OUT, MISSED_SHOWN, Day
from jobs.sources.raw_values import UNKNOWN
from jobs.sources.staging import DAYLESS, ELSEWHERE, READ, UNREAD

LONGEST_SHOWN = 60
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Account:
    """The counts of a day, and of what could not be used where the first of it stands."""

    counts: dict[str, int]
    examples: dict[str, str]
    """By the name of a count."""


def measures(source: SourceConfig) -> list[Column]:
    """Return what to observe of the offered rows: those of requests that are large enough."""
    fits = F.col("_best") <= source.most_candidates
    once = F.col("_best") == 1
    own = F.col("derived") == 0

    def rows(mask: Column, name: str) -> Column:
        return F.count_if(mask).alias(name)

    def total(of: str, mask: Column, name: str) -> Column:
        return F.sum(F.when(mask, F.coalesce(of, F.lit(0))).otherwise(0)).alias(name)

    return [
        rows(once, "requests"),
        rows(fits, "candidates"),
        F.max(F.least("_n", F.lit(source.most_candidates))).alias("candidates_max"),
        rows(~fits, "candidates_cut"),
        total("derived", fits, "candidates_derived"),
        rows(once & (F.col("_exposures") == 0), "requests_without_exposure"),
        total("exposed", fits, "shown"),
        total(MISSED_SHOWN, once, "shown_missed"),
        total("label", fits, "clicks"),
        total("missed_positives", once, "clicks_missed"),
        rows(own & fits, "own"),
        rows(own & ~fits, "own_cut"),
        total(LEFT_OUT, once, "own_outside_window"),
    ]


def account(day: Day, seen: dict[str, int], rejects: Path, logs: list[Path]) -> Account:
    """Return the account of a day; raise RuntimeError where source rows do not add up.

    `seen` are the measures, `rejects` and `logs` the files that were written.
    """
    staged = {LOGS: day.staged} | {facts.part: facts.staged for facts in day.facts}
    totals = {part: _totals(rows) for part, rows in staged.items()}
    reasons, examples = _reasons(rejects)
    lost = {part: sum(n for (of, _), n in reasons.items() if of == part) for part in staged}
    seen = {name: int(value or 0) for name, value in seen.items()}
    own = {name: seen.pop(name) for name in ("own", "own_cut", "own_outside_window")}
    if day.source.logs.rows == "requests":
        used = {"source_rows_used": seen["requests"]}
    else:
        used = {
            "source_rows_used": own["own"],
            "source_rows_cut": own["own_cut"],
            "source_rows_outside_window": own["own_outside_window"],
        }
    elsewhere = totals[LOGS].get(ELSEWHERE, 0) + day.source_rows_of_other_days()
    became = used | {
        "source_rows_of_other_days": elsewhere,
        "source_rows_quarantined": lost[LOGS],
    }
    read = totals[LOGS].get(READ, 0)
    if read != sum(became.values()):
        raise RuntimeError(f"{read} source rows were read, and {became} came of them")
    named = {quarantined(part, reason): count for (part, reason), count in sorted(reasons.items())}
    joined = {}
    for part in [facts.part for facts in day.facts]:
        rows = totals[part].get(READ, 0)
        joined |= {f"{ROWS_OF}{part}": rows, f"{USED_OF}{part}": rows - lost[part]}
    unread, first_unread = _unread(staged)
    counts = {
        "source_rows": read,
        **became,
        "source_rows_quarantined_of_any_day": totals[LOGS].get(DAYLESS, 0),
        **joined,
        **named,
        **unread,
        **seen,
        **_items(day, logs),
        **_missing(day, logs),
    }
    return Account(counts, examples | first_unread)


def _totals(staged: DataFrame) -> dict[str, int]:
    """Return the sums of the staged counts by kind."""
    counts = staged.where(F.col("_kind").isin(READ, ELSEWHERE, DAYLESS))
    totals = counts.groupBy("_kind").agg(F.sum("_count").alias("total")).collect()
    return {row["_kind"]: row["total"] for row in totals}


def _reasons(rejects: Path) -> tuple[Counter[tuple[str, str]], dict[str, str]]:
    """Return how many rows each part and reason has, and where its first one stands."""
    found: Counter[tuple[str, str]] = Counter()
    first: dict[str, str] = {}
    columns = ["part", "reason", "source_file", "source_row", "value"]
    for batch in pq.ParquetFile(rejects).iter_batches(columns=columns):
        by_reason = pa.Table.from_batches([batch]).group_by(["part", "reason"])
        for row in by_reason.aggregate([([], "count_all")]).to_pylist():
            part, reason = row["part"], row["reason"]
            found[part, reason] += row["count_all"]
            its = pc.and_(pc.equal(batch["part"], part), pc.equal(batch["reason"], reason))
            one = batch.filter(its).slice(0, 1).to_pylist()[0]
            place = _place(one["source_file"], one["source_row"], one["value"])
            first.setdefault(quarantined(part, reason), place)
    return found, first


def _unread(staged: dict[str, DataFrame]) -> tuple[dict[str, int], dict[str, str]]:
    """Return by part and reason how many values of fields could not be read, and a first one."""
    parts = [
        rows.where(F.col("_kind") == UNREAD).select(
            F.lit(part).alias("part"), "_reason", "_count", "_file", "_line", "_value"
        )
        for part, rows in staged.items()
    ]
    first = F.min(F.struct("_file", "_line", "_value")).alias("first")
    by_reason = reduce(DataFrame.union, parts).groupBy("part", "_reason")
    rows = by_reason.agg(F.sum("_count").alias("count"), first).sort("part", "_reason").collect()
    names = [unknown(row["part"], row["_reason"]) for row in rows]
    counts = {name: row["count"] for name, row in zip(names, rows, strict=True)}
    return counts, {name: _place(*row["first"]) for name, row in zip(names, rows, strict=True)}


def _place(file: str, row: int, value: str) -> str:
    short = value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}..."
    return f"first {file}:{row} {short!r}" if value else f"first {file}:{row}"


def _missing(day: Day, logs: list[Path]) -> dict[str, int]:
    """Return how many users there are, and how many users and items have no row in the files."""
    rows = day.staged.sparkSession.read.parquet(*map(str, logs))
    found = {}
    for facts in day.facts:
        kind = f"{facts.key.removesuffix('_id')}s"
        found[kind], found[f"{kind}{NOT_IN}{facts.part}"] = facts.missing(rows)
    return found


def _items(day: Day, logs: list[Path]) -> dict[str, int]:
    """Return the day's items, and by field those of which it is unknown."""
    names = list(day.fields.item)
    known: pa.Table | None = None
    for path in logs:
        for batch in pq.ParquetFile(path).iter_batches(columns=["item_id", *names]):
            flags = {name: pc.equal(batch[name], UNKNOWN) for name in names}
            more = pa.table({"item_id": batch["item_id"], **flags})
            both = more if known is None else pa.concat_tables([known, more])
            merged = both.group_by("item_id").aggregate([(name, "max") for name in names])
            known = merged.rename_columns([n.removesuffix("_max") for n in merged.column_names])
    if known is None:
        return {"items": 0}
    return {"items": known.num_rows} | {
        f"items_of_unknown_{name}": pc.sum(known[name]).as_py() or 0 for name in names
    }
