"""One day of any source, in Spark: staged rows checked, joined, given candidates, and counted."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.sources.checks import POSITION, with_reasons
from jobs.sources.config import SourceConfig
from jobs.sources.events import with_requests
from jobs.sources.joined import Facts, join
from jobs.sources.staging import ABOUT, CLICK, REJECT, ROW, Span, staged_schema
from jobs.sources.trailing_window import MICROSECONDS_A_MINUTE, Trailing
from schemas.table import Fields

LEAST_CANDIDATES = 2
"""Fewer cannot be ranked."""
LEFT_OUT, MISSED_SHOWN = "left_out", "missed_shown"
"""Logged candidates of a request that are none of the derived ones; and how many were shown, which
may have been cut too.
"""
DERIVED = ("derived", "missed_positives", LEFT_OUT, MISSED_SHOWN)
"""Columns that only derived candidates bring along."""
REJECT_COLUMNS = (*POSITION, "reason", "value", "row")
FEW = f"the request has fewer than {LEAST_CANDIDATES} candidates"


@dataclass(frozen=True)
class Day:
    """The staged rows of a source and the day that is wanted of them."""

    source: SourceConfig
    fields: Fields
    span: Span
    log_files: frozenset[str]
    staged: DataFrame
    facts: list[Facts]

    @cached_property
    def checked(self) -> DataFrame:
        """Every candidate of the day and of the window before, with what is wrong with it."""
        rows = self.staged.where(F.col("kind") == ROW)
        if self.source.logs.rows == "events":
            ts = F.col("ts")
            rows = with_requests(rows, self.source).withColumn(
                "is_today", (ts >= self.span.begin) & (ts < self.span.end)
            )
        rows = with_reasons(rows, self.fields, self.source.logs.rows)
        for facts in self.facts:
            rows = join(rows, facts)
        one_costs_all = self.source.logs.rows == "requests"
        if one_costs_all and any(facts.files.missing == "quarantine" for facts in self.facts):
            # One candidate that is not known costs its whole source row.
            whole = Window.partitionBy(*POSITION)
            rows = rows.withColumns({name: F.max(name).over(whole) for name in ("reason", "value")})
        return rows.persist(StorageLevel.DISK_ONLY)

    @cached_property
    def usable(self) -> DataFrame:
        """The checked rows with nothing against them."""
        return self.checked.where(F.col("reason").isNull())

    @property
    def offered(self) -> DataFrame:
        """The candidates of every request that has enough, derived ones among them, best first.

        With each one's place, and the number of candidates and of exposures of its request.
        """
        request = Window.partitionBy("request_id")
        best = F.row_number().over(request.orderBy(F.col("score").desc(), "item_id"))
        placed = self._candidates().withColumn("best", best)
        beyond = F.col("best") > self.source.most_candidates

        def cut(name: str) -> Column:
            cut_here = F.when(beyond, F.coalesce(name, F.lit(0))).otherwise(0)
            return F.sum(cut_here).over(request).cast("int")

        whole = placed.withColumns(
            {
                "n": F.count("*").over(request),
                "exposures": F.sum("exposed").over(request),
                "missed_positives": F.col("missed_positives") + cut("label"),
                MISSED_SHOWN: F.col(MISSED_SHOWN) + cut("exposed"),
            }
        )
        return whole.where(F.col("n") >= LEAST_CANDIDATES)

    def _candidates(self) -> DataFrame:
        score = self.source.logs.columns.get("score")
        is_popularity = score is None or score.derive == "popularity"
        if self.source.candidates == "logged" and not is_popularity:
            nothing = {name: F.lit(0) for name in DERIVED}
            return self.logged.withColumns(nothing).select(*self._columns, *DERIVED)
        width = self.source.window_minutes * MICROSECONDS_A_MINUTE
        own = F.floor(F.col("ts") / F.lit(width))
        here = F.struct(own.alias("chunk"), F.col("is_today").alias("is_request"))
        later = F.struct((own + 1).alias("chunk"), F.lit(False).alias("is_request"))
        # What was shown here may be in the window of requests here and of those one width later.
        both = F.when(F.col("exposed") == 1, F.array(here, later)).otherwise(F.array(here))
        chunks = self.usable.select("*", F.explode(both).alias("at")).select("*", "at.*").drop("at")
        first, last = self.span.begin // width, (self.span.end - 1) // width
        schema = pa.schema(
            [
                *(field for field in staged_schema(self.fields) if field.name in self._columns),
                *((name, pa.int32()) for name in DERIVED),
            ]
        )
        of_item = frozenset(("item_id", *self.fields.item, *self.fields.dense_columns))
        trailing = Trailing(self.source, of_item, schema)

        def candidates(rows: pa.Table) -> pa.Table:
            return trailing.candidates(rows)

        return (
            chunks.where(F.col("chunk").between(first, last))
            .groupBy("chunk")
            .applyInArrow(candidates, from_arrow_schema(schema))
        )

    @property
    def logged(self) -> DataFrame:
        """The usable rows of the day."""
        return self.usable.where("is_today")

    @property
    def _columns(self) -> list[str]:
        """The staged columns that candidates keep."""
        about = {name for name, _ in ABOUT} | {"is_today"}
        return [name for name in staged_schema(self.fields).names if name not in about]

    def rejects(self, published: DataFrame) -> DataFrame:
        """Return the source rows that cannot be used, each once, of logs and of joined files.

        Rows of requests that are not `published` had too few candidates.
        """
        staged = self.staged.where(F.col("kind") == REJECT).select(*REJECT_COLUMNS)
        checked = self.checked.where(F.col("reason").isNotNull() & F.col("is_today"))
        enough = published.select("request_id").distinct()
        few = self.logged.join(enough, "request_id", "left_anti").withColumns(
            {"reason": F.lit(FEW), "value": F.col("request_id").cast("string")}
        )
        rejects = staged.union(_once(checked)).union(_once(few))
        for facts in self.facts:
            rejects = rejects.union(facts.rejects)
        return rejects.repartition(1).sortWithinPartitions(*POSITION)

    def events_of_other_days(self) -> int:
        """Return how many there are: of events it is known only once requests are made of them."""
        if self.source.logs.rows != "events":
            return 0
        return self.checked.where(~F.col("is_today")).count()

    def release(self) -> None:
        """Give back the disk that the checked rows take."""
        self.checked.unpersist()

    @property
    def clicks(self) -> DataFrame:
        """Who clicked what on any day of the source."""
        clicked = F.col("kind").isin(ROW, CLICK) & (F.col("label") == 1)
        return self.staged.where(clicked).select("user_id", "item_id").distinct()


def _once(rows: DataFrame) -> DataFrame:
    """Return the source rows of candidates, each once with its first reason."""
    order = Window.partitionBy(*POSITION).orderBy("place", "item_id")
    numbered = rows.withColumns({"row": F.lit(""), "number": F.row_number().over(order)})
    return numbered.where(F.col("number") == 1).select(*REJECT_COLUMNS)
