"""The account of an import: what came in, what became of it, and that the two are the same."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.sources.config import SourceConfig
from jobs.sources.day import LEFT_OUT, MISSED_SHOWN, Day
from jobs.sources.raw_values import UNKNOWN
from jobs.sources.staging import ELSEWHERE, READ, REJECT

QUARANTINED = "quarantined: "
"""Before a reason, the name of the count of log rows that it took."""


def measures(source: SourceConfig) -> list[Column]:
    """Return what to observe of the offered rows: those of requests that are large enough."""
    fits = F.col("best") <= source.most_candidates
    once = F.col("best") == 1
    own = F.col("derived") == 0

    def rows(mask: Column, name: str) -> Column:
        return F.count_if(mask).alias(name)

    def total(of: str, mask: Column, name: str) -> Column:
        return F.sum(F.when(mask, F.coalesce(of, F.lit(0))).otherwise(0)).alias(name)

    return [
        rows(once, "requests"),
        rows(fits, "candidates"),
        F.max(F.least("n", F.lit(source.most_candidates))).alias("candidates_max"),
        rows(~fits, "candidates_cut"),
        total("derived", fits, "candidates_derived"),
        rows(once & (F.col("exposures") == 0), "requests_without_exposure"),
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
    staged = _staged(day.staged)
    found = pq.read_table(rejects, columns=["reason", "source_file"])
    is_log = pc.is_in(found["source_file"], pa.array(sorted(day.log_files)))
    reasons = Counter(found.filter(is_log)["reason"].to_pylist())
    elsewhere = staged.get(ELSEWHERE, 0) + day.events_of_other_days()
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
    parts = used | {
        "source_rows_of_other_days": elsewhere,
        "source_rows_quarantined": reasons.total(),
    }
    read = staged.get(READ, 0)
    if read != sum(parts.values()):
        raise RuntimeError(f"{read} source rows were read, and {parts} came of them")
    named = {f"{QUARANTINED}{reason}": count for reason, count in sorted(reasons.items())}
    beside = {"joined_rows_quarantined": found.num_rows - reasons.total()} if day.facts else {}
    return {"source_rows": read, **parts, **named, **beside, **seen, **_items(day, logs)}


def _staged(staged: DataFrame) -> dict[str, int]:
    rows = staged.where(F.col("kind") != REJECT).groupBy("kind").agg(F.sum("count").alias("total"))
    return {row["kind"]: row["total"] or 0 for row in rows.collect()}


def _items(day: Day, logs: list[Path]) -> dict[str, int]:
    """Return the day's items, and by field those of which it is unknown."""
    names = list(day.fields.item)
    known = []
    for path in logs:
        for batch in pq.ParquetFile(path).iter_batches(columns=["item_id", *names]):
            flags = {name: pc.equal(batch[name], UNKNOWN) for name in names}
            table = pa.table({"item_id": batch["item_id"], **flags})
            known.append(table.group_by("item_id").aggregate([(name, "max") for name in names]))
    if not known:
        return {"items": 0}
    merged = pa.concat_tables(known).group_by("item_id")
    items = merged.aggregate([(f"{name}_max", "max") for name in names])
    unknown = {
        f"items_of_unknown_{name}": pc.sum(items[f"{name}_max_max"]).as_py() or 0 for name in names
    }
    return {"items": items.num_rows, **unknown}
