"""What every command shares: its flags, its messages and its exit codes."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

from jobs import disk_full
from jobs.errors import Died, Held, NothingToDo, Refused
from jobs.lake import Lake, parse_day
from jobs.printable import printable
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.progress import Progress
from jobs.publish import Publication

SPECIAL_IN_PATHS = "#?%*[]{}\\"
"""Spark reads some of these as patterns, Petastorm others as parts of an address."""
DONE, FAILED, REFUSED, HELD, NOTHING_TO_DO = 0, 1, 2, 75, 99
"""75 is what sysexits.h calls a temporary failure: the same command may do it later."""


def refuse(step: str, why: Refused | str) -> int:
    """Print why a command does nothing; return its exit code."""
    # Several problems of a profile, or of several tables, are a line each.
    print(f"{step}: refused: {printable(str(why), keep=chr(10))}", file=sys.stderr, flush=True)
    return REFUSED


class Parser(argparse.ArgumentParser):
    """A command's parser, which refuses a flag as the command refuses all else: in one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with a flag and what to do, and exit."""
        step = self.prog.split()[-1].removeprefix("jobs.")
        # Our own types tell the next move behind a semicolon, which argparse's words do not have.
        move = "" if ";" in message else f"; see {self.prog} --help"
        self.exit(refuse(step, f"{message}{move}"))


def as_argument(parse: Callable[[str], object]) -> Callable[[str], object]:
    """Return a type for argparse that shows a refusal's own words."""

    def parse_argument(text: str) -> object:
        try:
            return parse(text)
        except Refused as refusal:
            raise argparse.ArgumentTypeError(str(refusal)) from refusal

    return parse_argument


def parse_lake(text: str) -> Path:
    """Return the lake's folder as an absolute path."""
    scheme, is_address, rest = text.partition("://")
    if is_address:
        # Whoever writes an address may have written a password into it.
        raise Refused(
            f"lake {scheme + is_address + rest.rpartition('@')[2]!r} is an address and no folder; "
            "mount what is there, and name the folder, such as ./lake"
        )
    if not text.strip() or not text.isprintable() or set(text) & set(SPECIAL_IN_PATHS):
        raise Refused(
            f"lake {text!r} is no folder that every engine can read; "
            f"name one without any of {SPECIAL_IN_PATHS}, such as ./lake"
        )
    return Path(text).resolve()


def parse_moment(text: str) -> datetime:
    """Return the moment of '2026-01-31T09:30Z'; refuse one without a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused(f"moment {text!r} is no time with its zone; write it as 2026-01-31T09:30Z")
    return moment.astimezone(UTC)


def step_parser(
    step: str,
    doc: str | None,
    *,
    example: str = "",
    profile: str = "jingdong",
    publishes: bool = True,
) -> argparse.ArgumentParser:
    """Return the parser that every step starts from."""
    parser = Parser(
        prog=f"python -m jobs.{step}",
        description=doc,
        epilog=f"example:\n  python -m jobs.{step} --lake lake --date 2026-01-01 "
        f"--profile {profile}{' ' + example if example else ''}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--lake", type=as_argument(parse_lake), required=True, help="folder of the tables"
    )
    parser.add_argument(
        "--date", type=as_argument(parse_day), required=True, help="the day, YYYY-MM-DD"
    )
    parser.add_argument(
        "--profile",
        type=as_argument(load_profile),
        required=True,
        help="name of a shipped profile, or a TOML file",
    )
    if publishes:
        parser.add_argument(
            "--force", action="store_true", help="make it again even where nothing changed"
        )
    return parser


def add_master(parser: argparse.ArgumentParser) -> None:
    """Add the flag that says where Spark runs."""
    parser.add_argument(
        "--master", help="Spark master (default: what spark-submit was told, else local[*])"
    )


class Task:
    """One run of one step: its arguments as objects, and its voice."""

    def __init__(self, step: str, args: argparse.Namespace) -> None:
        """Open the lake that the profile declares."""
        self.step = step
        self.day: date = args.date
        self.profile: Profile = args.profile
        self.force: bool = getattr(args, "force", False)
        self.lake = Lake(args.lake, self.profile.tables)
        self._started = time.monotonic()
        self._progress = Progress(f"{step} {self.day}:", self.say)

    def say(self, text: str) -> None:
        """Print one line about this step."""
        self.clear_progress()
        print(f"{self.step} {self.day}: {printable(text)}", flush=True)

    def is_done(self, publication: Publication) -> bool:
        """Whether a rerun would change nothing; says so."""
        if self.force or not publication.is_current():
            return False
        live = publication.partition.manifest()
        self.say(f"unchanged: {publication.partition.name} holds {live.rows:,} rows already")
        return True

    def made(self, publication: Publication, note: str, next_step: str = "") -> None:
        """Say what was made, how long it took and, where the step ends with it, what comes next."""
        live = publication.partition.manifest()
        seconds = time.monotonic() - self._started
        self.say(f"{live.rows:,} rows in {publication.partition.name} ({note}; {seconds:.1f} s)")
        if next_step:
            self.next(next_step)

    def next(self, step: str) -> None:
        """Print which step comes next."""
        self.clear_progress()
        print(f"next: python -m jobs.{step}", flush=True)

    def progress(self, done: int, total: int, unit: str) -> None:
        """Show how far a long step is and how long it will still take."""
        self._progress.show(done, total, unit)

    def clear_progress(self) -> None:
        """Take the progress bar away, if there is one."""
        self._progress.clear()


def run(
    step: str,
    parser: argparse.ArgumentParser,
    argv: list[str] | None,
    work: Callable[[Task, argparse.Namespace], None],
) -> int:
    """Parse, work, and turn refusals into one message and an exit code."""
    args = parser.parse_args(argv)
    try:
        task = Task(step, args)
        try:
            work(task, args)
        finally:
            task.clear_progress()
    except Refused as refusal:
        return refuse(step, refusal)
    except Held as held:
        print(f"{step}: held: {printable(str(held))}", file=sys.stderr, flush=True)
        return HELD
    except NothingToDo as nothing:
        print(f"{step}: nothing to do: {nothing}", flush=True)
        return NOTHING_TO_DO
    except Exception as error:
        full = disk_full.told(error, args.lake)
        if full is None and not isinstance(error, (Died, OSError)):
            raise
        told = f"{step}: failed: {full or error}; nothing is half published"
        print(printable(told), file=sys.stderr, flush=True)
        return FAILED
    return DONE
