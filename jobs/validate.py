"""Hold a day's partitions of some tables to their declarations and rules, with Great Expectations.

Reads any tables (every live part of the day, such as the labels of each teacher) and the measures
of the days before; writes measures, one row of validations for each expectation, and rows that
broke one. Exits with 2 where one that stops a day does not hold, and again on a rerun.
"""

import argparse
import sys

from jobs.cli import Task, run, step_parser
from jobs.errors import NothingToDo, Refused
from jobs.lake import Lake, Partition
from jobs.table_results import TableResults
from jobs.validation_rows import MEASURE, STOP, WARN, Row, failed_rows, failure
from schemas.table import Fields, Table
from schemas.tables import declare

STEP = "validate"
WRITES = ("measures", "validations", "bad_rows")
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


def refusal(rows: list[Row], parts: list[Partition], lake: Lake) -> Refused:
    """Return the one message about everything that does not hold and stops the day."""
    failed, judged = failed_rows(rows, STOP), [row for row in rows if row["success"] is not None]
    first, day = failed[0], dict(parts[0].keys)["dt"]
    maker = parts[0].manifest().step
    allowed = ""
    if first["kind"] == MEASURE:
        key = f"{first['table']}.{first['column'].rpartition('.')[2]}"
        allowed = (
            "; where the change is meant, let the profile only warn: "
            f'{key} = {{ severity = "warn" }} below [validation.limits]'
        )
    return Refused(
        f"{first['table']}/dt={day}: {len(failed)} of {len(judged)} expectations do not hold. "
        f"{failure(first)}"
        f"{f' (and {len(failed) - 1} more, printed above)' if len(failed) > 1 else ''}. "
        f"Let no step read this table: mend what {maker} was given, make it again with "
        f"python -m jobs.{maker} --lake {lake.root} --date {day} --profile ... --force, "
        f"and validate it again{allowed}"
    )


def hold(task: Task, table: Table, parts: list[Partition]) -> Refused | None:
    """Judge a table and publish the results whatever they are; return what is to be refused."""
    results = TableResults(task, table, parts)
    is_done = results.are_there()
    rows = results.read() if is_done else results.make()
    for severity, word in ((STOP, "FAILED"), (WARN, "WARNING")):
        for row in failed_rows(rows, severity):
            task.say(f"{word} {failure(row)}")
    if failed_rows(rows, STOP):
        return refusal(rows, parts, task.lake)
    if not is_done:
        counts = results.validations.partition.manifest().counts
        warned, unjudged = counts["warned"], counts["not_judged"]
        note = f"{counts['expectations'] - warned} expectations hold on "
        note += f"{results.judged_rows:,} rows of {table.name}"
        note += f", {warned} warn" if warned else ""
        note += f", {unjudged} cannot be judged yet" if unjudged else ""
        task.made(results.validations, note)
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
