"""Hold published partitions to a suite with Great Expectations, a bounded part at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from jobs.lake import Partition
from jobs.stored_rows import StoredRows
from jobs.table_views import ListView, View, sources
from schemas.expectations import ROWS, TABLE, TYPES, parallel_lists
from schemas.table import Table

EXAMPLES = 3
RESULT_FORMAT = {
    "result_format": "BASIC",
    "partial_unexpected_count": EXAMPLES,
    "include_unexpected_rows": True,
}


class Judge:
    """Great Expectations without its project folder, its web pages and its progress bars."""

    def __init__(self) -> None:
        """Start a context that lives in memory alone."""
        context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                # Without a config of its own it names a site of web pages in the temporary folder.
                store_backend_defaults=InMemoryStoreBackendDefaults(),
                progress_bars=ProgressBarsConfig(globally=False),
                analytics_enabled=False,
            ),
        )
        asset = context.data_sources.add_pandas("lake").add_dataframe_asset("view")
        self._view = asset.add_batch_definition_whole_dataframe("all")

    def __call__(
        self, frame: pd.DataFrame, expectations: list[gxe.Expectation]
    ) -> list[ExpectationValidationResult]:
        """Return a result for each expectation; raise where one could not be judged at all."""
        suite = gx.ExpectationSuite(name="view", expectations=expectations)
        batch = self._view.get_batch({"dataframe": frame})
        results = batch.validate(suite, result_format=RESULT_FORMAT).results
        for result in results:
            told = result.exception_info or {}
            for info in [told] if "raised_exception" in told else told.values():
                if info["raised_exception"]:
                    meta = result.expectation_config.meta
                    raise RuntimeError(f"{meta} was not judged: {info['exception_message']}")
        return results


@dataclass(slots=True)
class Tally:
    """How one expectation fared on everything that was judged."""

    column: str
    expected: str
    success: bool = True
    unexpected: int = 0
    rows: int = 0
    observed: str = ""
    examples: list[str] = field(default_factory=list)

    def enter(self, result: ExpectationValidationResult, view: View, examples: list[str]) -> None:
        """Add the result on one view."""
        found = result.result
        self.success &= bool(result.success)
        self.rows += found.get("element_count", len(view))
        self.unexpected += found.get("unexpected_count", int(not result.success))
        if "observed_value" in found and (self.success or not result.success):
            self.observed = f"{found['observed_value']:,}"
        self.examples += examples[: EXAMPLES - len(self.examples)]

    @property
    def found(self) -> str:
        """What was found, in words."""
        count = f"{self.unexpected:,} of {self.rows:,} not so"
        if self.examples:
            return f"{count}: {'; '.join(self.examples)}"
        return self.observed or count


class Trial:
    """Partitions of one table before the judge, one after the other."""

    def __init__(self, table: Table, suite: gx.ExpectationSuite) -> None:
        """Start with nothing heard."""
        self.table, self.suite, self._judge = table, suite, Judge()
        self._tallies: dict[str, Tally] = {}

    def tallies(self) -> list[Tally]:
        """Return how everything that was judged fared, in the suite's order."""
        keys = [str(expectation.meta) for expectation in self.suite.expectations]
        return [self._tallies[key] for key in keys if key in self._tallies]

    def hear(self, part: Partition) -> None:
        """Judge a partition.

        Not judged is what would need a column that is missing or of a wrong type, and on an empty
        partition everything but that it has rows.
        """
        stored = StoredRows(part)
        which = "".join(f", {key} {value}" for key, value in part.keys[1:])
        types = [e for e in self.suite.expectations if e.meta["view"] == TYPES]
        broken = self._hold(stored.types(), types, which)
        readable = [name for name in self.table.names if name not in broken]
        if not readable:
            return
        key = tuple(name for name in self.table.key if name in readable) or (readable[0],)
        by_view: dict[str, list[gxe.Expectation]] = {ROWS: [], TABLE: []}
        for expectation in self.suite.expectations:
            if expectation.meta["view"] != TYPES and not broken & needs([expectation]):
                by_view.setdefault(expectation.meta["view"], []).append(expectation)
        at_once = by_view.pop(TABLE)
        if stored.rows == 0:
            at_once = [e for e in at_once if isinstance(e, gxe.ExpectTableRowCountToBeBetween)]
        rows = stored.whole(needs(at_once) | {*key})
        self._hold(View(rows, key), at_once, which)
        lists = parallel_lists(self.table)
        columns = needs(e for expectations in by_view.values() for e in expectations) | {*key}
        for rows in stored.chunks(columns):
            for view, expectations in by_view.items():
                chunk = View(rows, key) if view == ROWS else ListView(rows, key, lists[view])
                self._hold(chunk, expectations, which)

    def _hold(self, view: View, expectations: list[gxe.Expectation], which: str) -> set[str]:
        """Judge one view of the part `which`; return the columns of what failed."""
        if not expectations:
            return set()
        failed = set()
        reads = dict.fromkeys(read for e in expectations for read in e.meta["reads"])
        for result in self._judge(view.frame(reads), expectations):
            meta = result.expectation_config.meta
            tally = self._tallies.setdefault(str(meta), Tally(meta["column"], meta["expected"]))
            if not result.success:
                failed.add(meta["column"])
            rows = result.result.get("unexpected_rows")
            bad = () if rows is None else rows.index
            tally.enter(result, view, [view.example(meta["reads"], row) + which for row in bad])
        return failed


def needs(expectations: Iterable[gxe.Expectation]) -> set[str]:
    """Return the columns of the files that some expectations need."""
    return {source for e in expectations for read in e.meta["reads"] for source in sources(read)}
