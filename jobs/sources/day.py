"""One day of any source, in Spark: staged rows checked, joined and given candidates."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.sources.checks import POSITION, rejects_of, with_reasons
from jobs.sources.config import MICROSECONDS_A_MINUTE, SourceConfig
from jobs.sources.counts import LOGS
from jobs.sources.events import with_requests
from jobs.sources.joined import Facts, join
from jobs.sources.staging import CLICK, REJECT, ROW, Span, staged_schema
from jobs.sources.trailing_window import Trailing
from schemas.table import Fields

LEAST_CANDIDATES = 2
"""Fewer cannot be ranked."""
LEFT_OUT, MISSED_SHOWN = "_left_out", "_missed_shown"
"""Logged candidates of a request that are none of the derived ones; and how many were shown, which
may have been cut too.
"""
DERIVED = ("derived", "missed_positives", LEFT_OUT, MISSED_SHOWN)
"""Columns that only derived candidates bring along."""
FEW = f"the request has fewer than {LEAST_CANDIDATES} candidates"
MOST_CLICKS = 5_000_000
"""Clicks that reference vectors are made of: they are worked out in one process."""


@dataclass(frozen=True)
class Day:
    """The staged rows of a source and the day that is wanted of them."""

    source: SourceConfig
    fields: Fields
    span: Span
    staged: DataFrame
    facts: list[Facts]

    @cached_property
    def checked(self) -> DataFrame:
        """Every candidate of the day and of the times around it, with what is wrong with it."""
        rows = self.staged.where(F.col("_kind") == ROW)
        if self.source.logs.rows == "events":
            rows = with_requests(rows, self.source)
        else:
            rows = rows.withColumn("_at", F.col("ts"))
        rows = with_reasons(rows, self.fields, self.source.logs.rows)
        for facts in self.facts:
            rows = join(rows, facts)
        one_costs_all = self.source.logs.rows == "requests"
        if one_costs_all and any(facts.files.missing == "quarantine" for facts in self.facts):
            # One candidate that is not known costs its whole source row.
            wrong = F.when(F.col("_reason").isNotNull(), F.struct("_reason", "_value"))
            worst = F.max(wrong).over(Window.partitionBy(*POSITION))
            rows = rows.withColumn("_worst", worst).withColumns(
                {"_reason": F.col("_worst._reason"), "_value": F.col("_worst._value")}
            )
            rows = rows.drop("_worst")
        ts = F.col("ts")
        is_today = (ts >= self.span.begin) & (ts < self.span.end)
        return rows.withColumn("_is_today", is_today).persist(StorageLevel.DISK_ONLY)

    @property
    def usable(self) -> DataFrame:
        """The checked rows with nothing against them."""
        return self.checked.where(F.col("_reason").isNull())

    @property
    def logged(self) -> DataFrame:
        """The usable rows of the day."""
        return self.usable.where("_is_today")

    @property
    def offered(self) -> DataFrame:
        """The candidates of every request that has enough, derived ones among them, best first.

        With each one's place, and the number of candidates and of exposures of its request.
        """
        request = Window.partitionBy("request_id")
        best = F.row_number().over(request.orderBy(F.col("score").desc(), "item_id"))
        placed = self._candidates().withColumn("_best", best)
        beyond = F.col("_best") > self.source.most_candidates

        def cut(name: str) -> Column:
            cut_here = F.when(beyond, F.coalesce(name, F.lit(0))).otherwise(0)
            return F.sum(cut_here).over(request).cast("int")

        whole = placed.withColumns(
            {
                "_n": F.count("*").over(request),
                "_exposures": F.sum("exposed").over(request),
                "missed_positives": F.col("missed_positives") + cut("label"),
                MISSED_SHOWN: F.col(MISSED_SHOWN) + cut("exposed"),
            }
        )
        return whole.where(F.col("_n") >= LEAST_CANDIDATES)

    def _candidates(self) -> DataFrame:
        if self.source.candidates != "logged":
            return self._derived()
        logged, score = self.logged, self.source.logs.columns["score"]
        if score.derive == "popularity":
            logged = self._with_popularity().where("_is_today")
        return logged.withColumns({name: F.lit(0) for name in DERIVED})

    @property
    def _width(self) -> int:
        return self.source.window_minutes * MICROSECONDS_A_MINUTE

    def _with_popularity(self) -> DataFrame:
        """Score by the clicks of others in the window [ts - width, ts)."""

        def clicks(*by: str) -> Column:
            window = Window.partitionBy(*by).orderBy("ts").rangeBetween(-self._width, -1)
            return F.coalesce(F.sum(F.coalesce("label", F.lit(0))).over(window), F.lit(0))

        others = clicks("item_id") - clicks("item_id", "user_id")
        return self.usable.withColumn("score", others.cast("double"))

    def _derived(self) -> DataFrame:
        """Give the day's requests what the trailing window says, one window's requests a task."""
        width = F.lit(self._width)
        requests = self.logged.withColumns(
            {"_is_request": F.lit(True), "_chunk": F.floor(F.col("ts") / width)}
        )
        # What was shown may be in the window of requests as late as one width after it.
        here = F.floor(F.col("_at") / width)
        chunks = F.explode(F.array(here, here + 1))
        events = self.usable.where(F.col("exposed") == 1).withColumns(
            {"_is_request": F.lit(False), "_chunk": chunks}
        )
        first, last = self.span.begin // self._width, (self.span.end - 1) // self._width
        rows = requests.unionByName(events).where(F.col("_chunk").between(first, last))
        staged = [f for f in staged_schema(self.fields) if not f.name.startswith("_")]
        schema = pa.schema([*staged, *((name, pa.int32()) for name in DERIVED)])
        of_item = frozenset(("item_id", *self.fields.item))
        trailing = Trailing(self.source, of_item, schema)

        def candidates(rows: pa.Table) -> pa.Table:
            return trailing.candidates(rows)

        return rows.groupBy("_chunk").applyInArrow(candidates, from_arrow_schema(schema))

    def rejects(self, published: DataFrame) -> DataFrame:
        """Return the source rows that cannot be used, each once, of logs and of joined files.

        Rows of requests that are not `published` had too few candidates.
        """
        staged = rejects_of(self.staged.where(F.col("_kind") == REJECT), LOGS)
        checked = self.checked.where(F.col("_reason").isNotNull() & F.col("_is_today"))
        enough = published.select("request_id").distinct()
        few = self.logged.join(enough, "request_id", "left_anti").withColumns(
            {"_reason": F.lit(FEW), "_value": F.col("request_id").cast("string")}
        )
        rejects = staged.union(_once(checked)).union(_once(few))
        for facts in self.facts:
            rejects = rejects.union(facts.rejects)
        key = ("part", "source_file", "source_row")
        return rejects.repartition(1).sortWithinPartitions(*key)

    def source_rows_of_other_days(self) -> int:
        """Return how many of the checked source rows are not of the day."""
        others = self.checked.where(~F.col("_is_today"))
        if self.source.logs.rows == "requests":
            others = others.select(*POSITION).distinct()
        return others.count()

    @property
    def clicks(self) -> DataFrame:
        """Who clicked what on any day of the source; of very many a part, always the same one."""
        clicked = F.col("_kind").isin(ROW, CLICK) & (F.col("label") == 1)
        pairs = self.staged.where(clicked).select("user_id", "item_id").distinct()
        return pairs.orderBy(F.xxhash64("user_id", "item_id")).limit(MOST_CLICKS)

    def release(self) -> None:
        """Give back the disk that the checked rows take."""
        self.checked.unpersist()


def _once(rows: DataFrame) -> DataFrame:
    """Return the source rows of candidates, each once with its first reason."""
    order = Window.partitionBy(*POSITION).orderBy("_place", "item_id")
    numbered = rows.withColumn("_number", F.row_number().over(order))
    return rejects_of(numbered.where(F.col("_number") == 1), LOGS)
