"""Say which days of a range are labelled under a teacher and a model, and which are not, and why.

Reads manifests alone. The last line is the days of the range as JSON, for whatever labels them one
by one. With --require a day without labels is refused.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta

from jobs.cli import Task, as_argument, run, step_parser
from jobs.errors import Refused
from jobs.label_choice import add_choice, chosen_profile, chosen_version, exported
from jobs.label_outputs import outputs_of
from jobs.lake import parse_day
from jobs.registry import Registry

STEP = "labelled_days"
READS = ("candidate_sets", "promotions", "teacher_labels")
MOST_DAYS = 366


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    example = "--last 2026-01-14 --teacher mmr --weight 0.5"
    parser = step_parser(STEP, __doc__, example=example, publishes=False)
    parser.add_argument(
        "--last", type=as_argument(parse_day), help="the last day (default: --date alone)"
    )
    add_choice(parser)
    parser.add_argument(
        "--require", action="store_true", help="refuse a range that is not labelled whole"
    )
    return parser


def days_of(first: date, last: date | None) -> list[date]:
    """Return the days from the first to the last; refuse a range of none or of too many."""
    count = ((last or first) - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise Refused(
            f"--date {first} --last {last} are {count} days; "
            f"give a range of 1 to {MOST_DAYS}, the first day first"
        )
    return [first + timedelta(days=n) for n in range(count)]


def states(task: Task, day: date, model: str | None) -> Iterator[tuple[bool, str]]:
    """Yield for each teacher whether its labels of a day are there, and what is there of them."""
    task.day = day
    version = chosen_version(task, model)
    source = task.lake.partition("candidate_sets", day)
    for output in outputs_of(task, source, version):
        live = output.labels.partition.manifest()
        if live is None:
            yield False, f"{output.name} not labelled yet"
        elif live.inputs != output.labels.inputs:
            yield False, f"{output.name} labelled, from other candidates than there are now"
        else:
            yield True, f"{output.name} labelled, {live.rows:,} requests, digest {live.digest}"


def show(task: Task, args: argparse.Namespace) -> None:
    """Print a line for each day and teacher, then the days."""
    days, lost = days_of(args.date, args.last), []
    task.profile = chosen_profile(task.profile, args)
    if args.model is not None:
        exported(Registry(task.lake), args.model)
    for day in days:
        try:
            found = list(states(task, day, args.model))
        except Refused as refusal:
            found = [(False, str(refusal))]
        for _, text in found:
            task.say(text)
        if not all(is_there for is_there, _ in found):
            lost.append(day)
    task.day = days[0]
    task.say(f"{len(days)} days = {len(days) - len(lost)} labelled + {len(lost)} not labelled")
    if args.require and lost:
        raise Refused(
            f"{len(lost)} of {len(days)} days have no labels: {', '.join(map(str, lost))}; "
            "do what is said of each above, then label them: python -m jobs.label_candidates"
        )
    sys.stdout.write(f"{json.dumps([str(day) for day in days])}\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, show)


if __name__ == "__main__":
    sys.exit(main())
