"""The account of an import: what came in, what became of it, and that the two are the same."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.sources.config import SourceConfig
from jobs.sources.day import LEFT_OUT, LOGS, MISSED_SHOWN, Day
from jobs.sources.raw_values import UNKNOWN
from jobs.sources.staging import ELSEWHERE, READ

QUARANTINED = "quarantined: "
"""Before a reason, the name of the count of log rows that it took."""
NOT_IN = "_not_in_"
"""Between users or items and the section of files that have none of their ids."""


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


def account(day: Day, seen: dict[str, int], rejects: Path, logs: list[Path]) -> dict[str, int]:
    """Return the counts of a day; raise RuntimeError where source rows do not add up.

    `seen` are the measures, `rejects` and `logs` the files that were written.
    """
    staged = day.staged.where(F.col("_kind").isin(READ, ELSEWHERE))
    totals = staged.groupBy("_kind").agg(F.sum("_count").alias("total")).collect()
    counted = {row["_kind"]: row["total"] for row in totals}
    reasons = _reasons(rejects)
    of_logs = Counter({reason: n for (part, reason), n in reasons.items() if part == LOGS})
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
    elsewhere = counted.get(ELSEWHERE, 0) + day.source_rows_of_other_days()
    parts = used | {
        "source_rows_of_other_days": elsewhere,
        "source_rows_quarantined": of_logs.total(),
    }
    read = counted.get(READ, 0)
    if read != sum(parts.values()):
        raise RuntimeError(f"{read} source rows were read, and {parts} came of them")
    named = {f"{QUARANTINED}{reason}": count for reason, count in sorted(of_logs.items())}
    joined = {"joined_rows_quarantined": reasons.total() - of_logs.total()} if day.facts else {}
    about = _items(day, logs) | _missing(day, logs)
    return {"source_rows": read, **parts, **named, **joined, **seen, **about}


def _reasons(rejects: Path) -> Counter[tuple[str, str]]:
    """Return how many rows each part and reason has."""
    found: Counter[tuple[str, str]] = Counter()
    for batch in pq.ParquetFile(rejects).iter_batches(columns=["part", "reason"]):
        counts = (
            pa.Table.from_batches([batch])
            .group_by(["part", "reason"])
            .aggregate([([], "count_all")])
        )
        for row in counts.to_pylist():
            found[row["part"], row["reason"]] += row["count_all"]
    return found


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
    unknown = {f"items_of_unknown_{name}": pc.sum(known[name]).as_py() or 0 for name in names}
    return {"items": known.num_rows, **unknown}
