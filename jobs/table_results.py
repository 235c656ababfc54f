"""What validation makes of one table of a day: measures, results, and the rows that are bad."""

import dataclasses

import pyarrow as pa

from jobs.cli import Task
from jobs.lake import Partition
from jobs.measures.of_day import Measuring, before, past, stored
from jobs.parquet_file import write_parquet
from jobs.publish import Publication, hold_all
from jobs.validation_rows import STOP, WARN, Row, bad_rows, declared_row, failed_rows, measure_row
from schemas.arrow import arrow_schema
from schemas.table import Table


class TableResults:
    """The results of one table, found or made."""

    def __init__(self, task: Task, table: Table, parts: list[Partition]) -> None:
        """Find what they are a function of; measure the table where that is not done."""
        self.task, self.table, self.parts = task, table, parts
        measuring = Measuring(task, table, parts)
        self._measures = measuring.publication
        if task.force or not self._measures.is_current():
            measuring.publish()
        profile, measured = task.profile, self._measures.partition
        self._before = before(task.lake, table.name, task.day, profile.validation.days)
        self._inputs = {part.name: part.manifest().digest for part in (*parts, measured)}
        self._parameters = {
            "fields": dataclasses.asdict(profile.fields),
            "max_candidates": profile.training.max_candidates,
            "day_start": profile.day_clock,
            "validation": dataclasses.asdict(profile.validation),
            # Not inputs: a day that is made again would make the four weeks after it stale.
            "past": {one.name: one.manifest().digest for one in self._before},
        }
        self.validations = self._publication("validations")
        self._bad_rows = self._publication("bad_rows")

    def _publication(self, name: str) -> Publication:
        return Publication(
            self.task.lake.partition(name, self.task.day, of=self.table.name),
            step=self.task.step,
            inputs=self._inputs,
            parameters=self._parameters,
        )

    @property
    def judged_rows(self) -> int:
        """How many rows the table has in all parts."""
        return sum(part.manifest().rows for part in self.parts)

    def are_there(self) -> bool:
        """Whether a rerun would change nothing; says so."""
        return self._bad_rows.is_current() and self.task.is_done(self.validations)

    def read(self) -> list[Row]:
        """Return the rows of validations as they were published."""
        return self.validations.partition.read().to_pylist()

    def make(self) -> list[Row]:
        """Judge, publish whatever is found, and return the rows of validations."""
        # Great Expectations takes seconds to import; a rerun that changes nothing does without.
        from jobs.gx_judge import Judge
        from jobs.gx_results import FILE, suite_results
        from jobs.measures.held import hold_measures
        from jobs.measures.judgement import judge
        from jobs.table_rules import suite_of
        from jobs.trial import Trial

        task, profile, name = self.task, self.task.profile, self.table.name
        config, gx = profile.validation, Judge(profile.validation.bad_rows)
        suite = suite_of(self.table, profile, task.day)
        trial = Trial(self.table, suite, gx, config.warning_columns(name), config.bad_rows)
        for part in self.parts:
            trial.hear(part)
        tallies, measures = trial.tallies(), stored(self._measures.partition)
        kinds, earlier = config.kinds(name, profile.fields), past(self._before)
        judgements = list(judge(kinds, measures, earlier, task.day, config))
        held = hold_measures(gx, judgements)
        rows = [declared_row(name, tally) for tally in tallies]
        rows += [measure_row(name, one, held.get(one.name)) for one in judgements]
        bad, results = self._bad_rows, self.validations
        with hold_all((bad, results)), results.attempt() as folder:
            bad.publish_rows([_as_table(list(bad_rows(tallies)), bad.partition.table)], {})
            table = results.partition.table
            write_parquet(folder / "part-0.parquet", table, [_as_table(rows, table)])
            text = suite_results(name, task.day, [*tallies, *held.values()])
            (folder / FILE).write_text(text, encoding="utf-8")
            results.publish(folder, self._counts(rows))
        return rows

    def _counts(self, rows: list[Row]) -> dict[str, int]:
        unjudged = sum(row["success"] is None for row in rows)
        return {
            "expectations": len(rows) - unjudged,
            "failed": len(failed_rows(rows, STOP)),
            "warned": len(failed_rows(rows, WARN)),
            "not_judged": unjudged,
            "judged_rows": self.judged_rows,
        }


def _as_table(rows: list[Row], table: Table) -> pa.Table:
    return pa.Table.from_pylist(rows, arrow_schema(table))
