"""Great Expectations on frames: what it says, added up over the parts of a table."""

import json
from dataclasses import dataclass, field
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from jobs.table_views import View
from jobs.validation_rows import STOP, WARN

TOLD = 3
"""Examples in the one line of a message."""
EXAMPLES = 10
"""Examples in the table of results."""
GX_SEVERITY = {STOP: "critical", WARN: "warning"}


class Judge:
    """Great Expectations without its project folder, its web pages and its progress bars."""

    def __init__(self, kept: int = EXAMPLES) -> None:
        """Start a context that lives in memory alone; `kept` rows that are broken are wanted."""
        self._format = {
            "result_format": "BASIC",
            "partial_unexpected_count": max(kept, EXAMPLES),
            "include_unexpected_rows": True,
        }
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
        results = batch.validate(suite, result_format=self._format).results
        for result in results:
            told = result.exception_info or {}
            for info in [told] if "raised_exception" in told else told.values():
                if info["raised_exception"]:
                    meta = result.expectation_config.meta
                    raise RuntimeError(f"{meta} was not judged: {info['exception_message']}")
        return results


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that broke an expectation: its partition's further key, its key, what was read."""

    part: str
    place: str
    row: str


@dataclass(slots=True)
class Tally:
    """How one expectation fared on everything that was judged."""

    column: str
    expected: str
    severity: str
    success: bool = True
    unexpected: int = 0
    rows: int = 0
    observed: str = ""
    examples: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    """The expectation as Great Expectations writes it."""

    def enter(
        self, result: ExpectationValidationResult, view: View, part: str, which: str, kept: int
    ) -> None:
        """Add the result on one view of a part, and rows that broke it until `kept` are there."""
        found, reads = result.result, result.expectation_config.meta["reads"]
        self.config = self.config or result.expectation_config.to_json_dict()
        self.success &= bool(result.success)
        self.rows += found.get("element_count", len(view))
        self.unexpected += found.get("unexpected_count", int(not result.success))
        if "observed_value" in found and (self.success or not result.success):
            self.observed = f"{found['observed_value']:,}"
        rows = found.get("unexpected_rows")
        if rows is None:
            return
        for row in rows.index[: EXAMPLES - len(self.examples)]:
            self.examples.append(view.example(reads, row) + which)
        for row in rows.index[: kept - len(self.bad)]:
            cells = json.dumps(view.cells(row), default=str, ensure_ascii=False)
            self.bad.append(BadRow(part, view.where(row), cells))

    @property
    def found(self) -> str:
        """What was found, in words."""
        count = f"{self.unexpected:,} of {self.rows:,} not so"
        if self.examples:
            return f"{count}: {'; '.join(self.examples[:TOLD])}"
        return self.observed or count
