"""Hold published partitions to a suite, a bounded part at a time."""

from collections.abc import Collection, Iterable

import great_expectations as gx
import great_expectations.expectations as gxe

from jobs.gx_judge import Judge, Tally
from jobs.lake import Partition
from jobs.stored_rows import StoredRows
from jobs.table_views import ListView, View, sources
from jobs.validation_rows import STOP, WARN
from schemas.expectations import ROWS, TABLE, TYPES, parallel_lists
from schemas.table import Table


class Trial:
    """Partitions of one table before the judge, one after the other."""

    def __init__(
        self,
        table: Table,
        suite: gx.ExpectationSuite,
        judge: Judge,
        warn_only: Collection[str],
        kept: int,
    ) -> None:
        """Start with nothing heard.

        Broken values of the columns `warn_only` do not stop a day; a wrong type always does. Of the
        rows that break an expectation `kept` are kept.
        """
        self.table, self.suite, self._judge = table, suite, judge
        self._warn_only, self._kept = warn_only, kept
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
        types = [e for e in self.suite.expectations if e.meta["view"] == TYPES]
        broken = self._hold(stored.types(), types, part)
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
        self._hold(View(rows, key), at_once, part)
        lists = parallel_lists(self.table)
        columns = needs(e for expectations in by_view.values() for e in expectations) | {*key}
        for rows in stored.chunks(columns):
            for view, expectations in by_view.items():
                chunk = View(rows, key) if view == ROWS else ListView(rows, key, lists[view])
                self._hold(chunk, expectations, part)

    def _hold(self, view: View, expectations: list[gxe.Expectation], part: Partition) -> set[str]:
        """Judge one view of a part; return the columns of what failed."""
        if not expectations:
            return set()
        failed = set()
        reads = dict.fromkeys(read for e in expectations for read in e.meta["reads"])
        which = "".join(f", {key} {value}" for key, value in part.keys[1:])
        for result in self._judge(view.frame(reads), expectations):
            meta = result.expectation_config.meta
            tally = self._tallies.get(str(meta)) or self._tally(meta)
            if not result.success:
                failed.add(meta["column"])
            tally.enter(result, view, "/".join(v for _, v in part.keys[1:]), which, self._kept)
        return failed

    def _tally(self, meta: dict) -> Tally:
        warns = meta["view"] != TYPES and meta["column"] in self._warn_only
        tally = Tally(meta["column"], meta["expected"], WARN if warns else STOP)
        self._tallies[str(meta)] = tally
        return tally


def needs(expectations: Iterable[gxe.Expectation]) -> set[str]:
    """Return the columns of the files that some expectations need."""
    return {source for e in expectations for read in e.meta["reads"] for source in sources(read)}
