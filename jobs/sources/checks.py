"""Checks that need more than one source row; each gives rows a reason and takes none away."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.sources.config import MICROSECONDS_A_MINUTE
from jobs.sources.staging import SPREAD_MINUTES
from schemas.table import Fields

POSITION = ("_file", "_line")


def with_reasons(rows: DataFrame, fields: Fields, kind: str) -> DataFrame:
    """Return candidate rows with `_reason` and `_value`.

    A request's ts is that of its first row. `kind` is what one source row is: candidates, requests
    or events.
    """
    request = Window.partitionBy("request_id")
    head = F.struct("user_id", *fields.context)
    position = F.struct(*POSITION)
    first, last = F.min("ts").over(request), F.max("ts").over(request)
    same_item = Window.partitionBy("request_id", "item_id").orderBy(*POSITION, "_place")
    checks: list[tuple[Column, str, str]] = [
        (
            F.min(head).over(request) != F.max(head).over(request),
            "rows of one request_id have different users or contexts",
            "request_id",
        ),
        (
            last - first > SPREAD_MINUTES * MICROSECONDS_A_MINUTE,
            f"rows of one request_id lie more than {SPREAD_MINUTES} minutes apart",
            "request_id",
        ),
    ]
    if kind == "requests":
        again = position != F.min(position).over(request)
        checks.append((again, "the request_id is that of another row", "request_id"))
    again = F.row_number().over(same_item) > 1
    checks.append((again, "the candidate is in the request already", "item_id"))
    return first_reason(rows, checks).withColumn("ts", first)


def first_reason(rows: DataFrame, checks: list[tuple[Column, str, str]]) -> DataFrame:
    """Give each row the first reason that holds, and the value of the column that it names."""
    names = [f"_check_{number}" for number in range(len(checks))]
    rows = rows.withColumns({n: check for n, (check, _, _) in zip(names, checks, strict=True)})
    reason, value = F.lit(None).cast("string"), F.lit(None).cast("string")
    for name, (_, words, column) in reversed(list(zip(names, checks, strict=True))):
        reason = F.when(F.col(name), F.lit(words)).otherwise(reason)
        value = F.when(F.col(name), F.col(column).cast("string")).otherwise(value)
    return rows.withColumns({"_reason": reason, "_value": value}).drop(*names)


def rejects_of(rows: DataFrame, part: str) -> DataFrame:
    """Return staged rows as rows of quarantine."""
    return rows.select(
        F.lit(part).alias("part"),
        F.col("_file").alias("source_file"),
        F.col("_line").alias("source_row"),
        F.col("_reason").alias("reason"),
        F.coalesce("_value", F.lit("")).alias("value"),
        F.coalesce("_text", F.lit("")).alias("raw"),
    )
