"""List what of a lake nothing reads any more, by kind, and with --delete remove it.

Old versions of tables, what killed steps have left behind, quarantine, and models that no live
pointer, promotion, ranking or label names: each only where it has been left alone for a while. A
live file is never touched but for quarantine, whose days go whole: bad rows are kept for people,
and for so long. Nothing outside the lake is, and no link is followed.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from jobs.cli import DONE, FAILED, Parser, as_argument, parse_lake, parse_moment, refuse
from jobs.errors import Refused
from jobs.gc_find import KINDS, Finder, Garbage, is_left_alone
from jobs.gc_references import References
from jobs.gc_remove import remove
from jobs.lake import Lake
from jobs.printable import printable
from jobs.profile.load import load_profile

STEP = "gc"
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
LEAST_AGE = timedelta(days=1)
"""A step may be at work for hours, and a reader too."""


def parse_age(text: str) -> timedelta:
    """Return the age of '14d', '36h' or '2w'; refuse one in which a step may still be at work."""
    found = re.fullmatch(r"([0-9]{1,4})([hdw])", text)
    age = int(found[1]) * UNITS[found[2]] if found else timedelta()
    if age < LEAST_AGE:
        raise Refused(f"age {text!r} must be 1d or more, written as 14d, 36h or 2w")
    return age


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = Parser(
        prog=f"python -m jobs.{STEP}",
        description=__doc__,
        epilog=f"example:\n  python -m jobs.{STEP} --lake lake --profile jingdong --older-than 14d",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--lake", type=as_argument(parse_lake), required=True, help="folder of the tables"
    )
    parser.add_argument(
        "--profile",
        type=as_argument(load_profile),
        required=True,
        help="name of a shipped profile, or a TOML file",
    )
    parser.add_argument(
        "--older-than",
        type=as_argument(parse_age),
        required=True,
        metavar="AGE",
        help="how long it must have been left alone, such as 14d or 2w; 1d at least",
    )
    parser.add_argument("--delete", action="store_true", help="remove it; without this only list")
    parser.add_argument(
        "--now",
        type=as_argument(parse_moment),
        default=datetime.now(UTC),
        help="the moment that the age is counted to, such as 2026-01-31T09:30Z (default: now)",
    )
    return parser


def size_told(count: int) -> str:
    """Return a number of bytes as people read it."""
    size, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


def described(kind: str, found: list[Garbage]) -> str:
    """Return one kind in a line: how many, in how many files, how large."""
    files, size = sum(one.files for one in found), sum(one.bytes for one in found)
    return f"{kind:<12}  {len(found):>7,} in {files:>9,} files  {size_told(size):>9}"


def listing(found: list[Garbage], lake: Lake) -> Iterable[str]:
    """Yield everything that was found, by kind."""
    for kind in KINDS:
        those = [one for one in found if one.kind == kind]
        yield described(kind, those)
        for one in those:
            when = datetime.fromtimestamp(one.touched, UTC)
            name = one.path.relative_to(lake.root)
            yield f"  {size_told(one.bytes):>9}  left alone since {when:%Y-%m-%d %H:%M}  {name}"


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{printable(text)}\n")
    sys.stdout.flush()


def collect(args: argparse.Namespace) -> int:
    """List, and remove where that was asked for; return the exit code."""
    lake = Lake(args.lake, args.profile.tables)
    references = References(lake)
    finder = Finder(lake, references)
    before = (args.now - args.older_than).timestamp()
    found = [one for one in finder.find() if is_left_alone(one, before)]
    for text in (*listing(found, lake), *finder.skipped):
        say(text)
    total = f"{len(found):,} things, {size_told(sum(one.bytes for one in found))}"
    if not args.delete:
        say(f"gc: would remove {total}; to do so, add --delete" if found else "gc: nothing to do")
        return DONE
    gone, failed = 0, 0
    for one in found:
        try:
            if remove(one, references, before):
                gone += 1
            else:
                say(f"kept {one.path}: it has been taken into use since")
        except OSError as error:
            failed += 1
            say(f"failed {one.path}: {error}")
    say(f"gc: removed {gone:,} of {total}" + (f"; {failed:,} could not be" if failed else ""))
    return FAILED if failed else DONE


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        return collect(args)
    except Refused as refusal:
        return refuse(STEP, refusal)


if __name__ == "__main__":
    sys.exit(main())
