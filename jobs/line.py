"""Run the whole line for one or more days, in order, without Airflow and in one process.

Every step of the daily DAG in its order. A step with nothing to do on a day is skipped, one whose
output is there already changes nothing, and the first refusal stops the line.
"""

import argparse
import sys
import time
from datetime import date, timedelta
from importlib import import_module
from types import ModuleType

from jobs.cli import DONE, NOTHING_TO_DO, add_master, refuse, step_parser
from jobs.commands import COMMANDS
from jobs.errors import Refused
from jobs.spark_session import spark_session

STEP = "line"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--days 3")
    parser.add_argument("--days", type=int, default=1, help="how many days from --date on")
    parser.add_argument(
        "--from",
        dest="first",
        metavar="STEP",
        choices=list(dict.fromkeys(command.split()[0] for command in COMMANDS)),
        default=COMMANDS[0],
        help="the step that each day begins with, where those before it are done",
    )
    add_master(parser)
    return parser


def step_module(name: str) -> ModuleType:
    """Import a step; only then are the engines that it works with imported."""
    return import_module("jobs.report.__main__" if name == "report" else f"jobs.{name}")


def run_day(day: date, flags: list[str], first: str = COMMANDS[0]) -> int:
    """Run a day's commands from a step on, saying how long each took.

    Returns the exit code of the last one.
    """
    names = [command.split()[0] for command in COMMANDS]
    for command in COMMANDS[names.index(first) :]:
        name, *own = command.split()
        started = time.monotonic()
        code = step_module(name).main([*flags, "--date", day.isoformat(), *own])
        outcome = {DONE: "ok", NOTHING_TO_DO: "skipped"}.get(code, f"stopped with exit code {code}")
        seconds = time.monotonic() - started
        sys.stdout.write(f"line {day}: {command:<31} {outcome}, {seconds:.1f} s\n")
        sys.stdout.flush()
        if code not in (DONE, NOTHING_TO_DO):
            return code
    return DONE


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.days < 1:
        parser.error(f"argument --days: {args.days} is not 1 or more")
    # Each step reads the profile itself, so it is handed on as it was written.
    raw = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    raw.add_argument("--profile")
    flags = ["--lake", str(args.lake), "--profile", raw.parse_known_args(argv)[0].profile]
    flags += ["--force"] if args.force else []
    try:
        with spark_session(STEP, args.master):
            for number in range(args.days):
                code = run_day(args.date + timedelta(days=number), flags, args.first)
                if code != DONE:
                    return code
    except Refused as refusal:
        return refuse(STEP, refusal)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
