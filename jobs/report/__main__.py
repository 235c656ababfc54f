"""Write the report of everything up to a day: one HTML file that needs nothing else.

Reads every table, writes reports/index.html, the same page as reports/<date>.html, and
reports/summary.txt, which is printed too. It is a function of the lake alone.
"""

import argparse
import sys
from datetime import date

import pyarrow.compute as pc

from jobs.cli import Task, run, step_parser
from jobs.features import flat
from jobs.lake import Lake
from jobs.lease import Lease, held
from jobs.report import wording
from jobs.report.evidence import Evidence
from jobs.report.names import derived_from
from jobs.report.one_request import one_request
from jobs.report.page import page
from jobs.report.summary import summary
from jobs.report.teacher_picks import teacher_picks
from jobs.validation_rows import STOP, failed_rows

STEP = "report"
READS = (
    "quarantine", "candidate_sets", "rankings", "metrics", "promotions", "teacher_labels",
    "validations",
)  # fmt: skip
WRITES = ("reports",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return step_parser(STEP, __doc__)


def derived_share(lake: Lake, day: date | None) -> tuple[date, int, int] | None:
    """Return the day, its derived candidates and all of its candidates."""
    if day is None:
        return None
    derived = total = 0
    for batch in lake.partition("candidate_sets", day).batches(["derived"]):
        flags = flat(batch["derived"])
        derived, total = derived + pc.sum(flags).as_py(), total + len(flags)
    return day, derived, total


def report(task: Task, args: argparse.Namespace) -> None:
    """Hold the reports, so that an older one never takes the place of a newer; write them."""
    folder = task.lake.reports
    with held(folder, folder.name, STEP) as lease:
        text = write_report(task, lease)
    sys.stdout.write(f"{text}\n{folder / 'index.html'}\n")


def write_report(task: Task, lease: Lease) -> str:
    """Gather, draw and write; return the short table."""
    lake, day, profile = task.lake, task.day, task.profile
    evidence = Evidence(lake, day, profile)
    judged = evidence.judged()
    newest = judged[-1] if judged else None
    weights = evidence.weights(newest) if newest else {}
    if newest is None:
        result = wording.without_metrics(day, evidence.registry.trained_before(day))
    else:
        result = wording.headline(newest.day, newest.numbers)
    request = None
    if newest is not None and lake.partition("rankings", newest.day).manifest():
        request = one_request(lake, profile.fields, newest.day, newest.version, profile.k)
    labelled = evidence.newest("promotions")
    checks = evidence.rows("validations")
    derived = derived_share(lake, evidence.newest("candidate_sets"))
    html = page(
        profile,
        evidence,
        weights,
        judged,
        result,
        checks,
        labelled and teacher_picks(lake, labelled, profile.teacher, profile.policy),
        request,
        derived,
    )
    of_today = [row for row in checks if row["dt"] == day and row["success"] is not None]
    failed = (len(failed_rows(of_today, STOP)), len(of_today))
    reconstructed = wording.derived(derived, derived_from(profile))
    text = summary(profile.name, day, result, reconstructed, newest, failed)
    for name, content in ((f"{day}.html", html), ("summary.txt", text), ("index.html", html)):
        lease.publish(name, content)
    return text


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, report)


if __name__ == "__main__":
    sys.exit(main())
