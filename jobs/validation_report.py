"""Show a day's validation: what failed, since when, examples, and every measure over four weeks.

Reads what validate published, writes reports/validation.html, the same page by its day, and beside
them Great Expectations' Data Docs. The page needs nothing else; it is a function of the lake alone.
"""

import argparse
import sys

from jobs.cli import Task, run, step_parser
from jobs.errors import NothingToDo
from jobs.lease import held
from jobs.report.validated_days import validated
from jobs.report.validation_page import page, summary

STEP = "validation_report"
READS = ("validations", "bad_rows")
WRITES = ("reports",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return step_parser(STEP, __doc__, publishes=False)


def report(task: Task, args: argparse.Namespace) -> None:
    """Gather, draw, write, and print what failed."""
    tables = validated(task.lake, task.day, task.profile)
    if not any(table.today for table in tables):
        raise NothingToDo(
            f"no table of {task.day} was validated; do so first: python -m jobs.validate "
            f"--lake {task.lake.root} --date {task.day} --profile ... --table request_logs ..."
        )
    # Great Expectations takes seconds to import.
    from jobs.data_docs import build

    folder, docs = task.lake.reports, task.lake.data_docs
    days = {day for table in tables for day in table.rows}
    with held(docs, "the validation report", STEP) as lease:
        pages = build(task.lake, task.day, days, docs)
        html = page(task.profile, task.day, tables, pages)
        for name in (f"validation-{task.day}.html", "validation.html"):
            lease.publish(name, html, into=folder)
    sys.stdout.write(f"{summary(tables, task.day)}{folder / 'validation.html'}\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, report)


if __name__ == "__main__":
    sys.exit(main())
