"""Hold a day's partitions of some tables to their declarations and rules, with Great Expectations.

Reads any tables (every live part of the day, such as the labels of each teacher), writes one row of
validations for each expectation. Exits with 2 where one does not hold, and again on a rerun.
"""

import argparse
import dataclasses
import sys
from typing import Any

import pyarrow as pa

from jobs.cli import Task, run, step_parser
from jobs.errors import NothingToDo, Refused
from jobs.lake import Lake, Partition
from jobs.publish import Publication
from schemas.table import Fields, Table
from schemas.tables import declare

STEP = "validate"
WRITES = ("validations",)
READS = tuple(name for name in declare(Fields(), 1) if name not in WRITES)
NEXT = {"candidate_sets": "score", "metrics": "promote", "examples": "train"}
"""The step that waits for a table's validation; the others are waited for by nothing."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--table request_logs candidate_sets")
    parser.add_argument(
        "--table", required=True, nargs="+", choices=READS, help="the tables to validate"
    )
    return parser


def live_parts(day: Partition) -> list[Partition]:
    """Return the live partitions of a table on a day; there are several where it has more keys."""
    found = [day]
    for key in day.table.partition[1:]:
        found = [
            Partition(part.root, part.table, (*part.keys, (key, folder.name.partition("=")[2])))
            for part in found
            for folder in sorted(part.path.glob(f"{key}=*"))
        ]
    return [part for part in found if part.manifest() is not None]


def judge(parts: list[Partition], task: Task, table: Table) -> list[dict[str, Any]]:
    """Return the rows of validations."""
    # Great Expectations takes seconds to import; a rerun that changes nothing does without.
    from jobs.gx_judge import Trial
    from jobs.table_rules import suite_of

    trial = Trial(table, suite_of(table, task.profile, task.day))
    for part in parts:
        trial.hear(part)
    return [
        {
            "table": table.name,
            "column": tally.column,
            "expectation": tally.expected,
            "success": int(tally.success),
            "observed": tally.found,
            "unexpected": tally.unexpected,
            "rows": tally.rows,
        }
        for tally in trial.tallies()
    ]


def refusal(rows: list[dict[str, Any]], parts: list[Partition], lake: Lake) -> Refused:
    """Return the one message about everything that does not hold."""
    failed = [row for row in rows if not row["success"]]
    first, day = failed[0], dict(parts[0].keys)["dt"]
    about = ".".join(name for name in (first["table"], first["column"]) if name)
    maker = parts[0].manifest().step
    return Refused(
        f"{first['table']}/dt={day}: {len(failed)} of {len(rows)} expectations do not hold. "
        f"{about}: expected {first['expectation']}, found {first['observed']}"
        f"{f' (and {len(failed) - 1} more, printed above)' if len(failed) > 1 else ''}. "
        f"Let no step read this table: mend what {maker} was given, make it again with "
        f"python -m jobs.{maker} --lake {lake.root} --date {day} --profile ... --force, "
        "and validate it again"
    )


def hold(task: Task, table: Table, parts: list[Partition]) -> Refused | None:
    """Judge a table and publish the results whatever they are; return what is to be refused."""
    inputs = {part.name: part.manifest() for part in parts}
    output = Publication(
        task.lake.partition("validations", task.day, of=table.name),
        step=STEP,
        inputs={name: manifest.digest for name, manifest in inputs.items()},
        parameters={
            "fields": dataclasses.asdict(task.profile.fields),
            "max_candidates": task.profile.training.max_candidates,
            "day_start": task.profile.day_clock,
        },
    )
    is_done = task.is_done(output)
    rows = output.partition.read().to_pylist() if is_done else judge(parts, task, table)
    failed = [row for row in rows if not row["success"]]
    total = sum(manifest.rows for manifest in inputs.values())
    if not is_done:
        counts = {"expectations": len(rows), "failed": len(failed), "judged_rows": total}
        output.publish_rows([pa.Table.from_pylist(rows)], counts)
    for row in failed:
        about = ".".join(name for name in (row["table"], row["column"]) if name)
        task.say(f"FAILED {about}: expected {row['expectation']}, found {row['observed']}")
    if failed:
        return refusal(rows, parts, task.lake)
    if not is_done:
        task.made(output, f"{len(rows)} expectations hold on {total:,} rows of {table.name}")
    return None


def validate(task: Task, args: argparse.Namespace) -> None:
    """Judge each table that the day has; refuse, after the last, where one is bad."""
    days = {name: live_parts(task.lake.partition(name, task.day)) for name in args.table}
    present = {name: parts for name, parts in days.items() if parts}
    if not present:
        raise NothingToDo(f"there is no {' and no '.join(days)} on {task.day}")
    held = [hold(task, task.lake.tables[name], parts) for name, parts in present.items()]
    refused = [str(refusal) for refusal in held if refusal is not None]
    if refused:
        raise Refused("\n".join(refused))
    task.next(NEXT.get(args.table[-1], "report"))


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, validate)


if __name__ == "__main__":
    sys.exit(main())
