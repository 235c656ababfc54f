"""Show, day by day, what a lake holds: live folder, rows, digest, what it was made from.

The last column says what has changed since: an input that was made again or taken away, another
promoted model, other code; or, of a table that was made from a stale one, what has changed there.
What validation made of a day's tables is one line where nothing has changed. Below the days stand
what is stale, because of what, and the commands that bring it up to date; and last, which steps are
at work. Reads only.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

from jobs.catch_up import catch_up
from jobs.cli import DONE, Parser, as_argument, parse_lake, refuse
from jobs.errors import Refused
from jobs.lake import Lake, parse_day
from jobs.lease import seats
from jobs.lineage import RAW, Lineage, told
from jobs.manifest import Manifest
from jobs.printable import printable
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.published import MODELS, Published, pointer_folders, read_published
from jobs.sources.redelivered import redelivered

STEP = "status"
SHORT = 8
HEADER = ("live folder", "rows", "digest", "made from", "changed since")
BAD_ROWS = "bad_rows"
OF_TABLES = ("measures", "validations", BAD_ROWS)
"""What validation makes of each table; a line for all of a day that nothing has changed under."""
NEVER_MADE = {"simulated": "quarantine", "files": "truth_requests"}
"""By a profile's source, the table that only the other source writes."""
MOST_COMMANDS = 10
"""Commands that are printed; more are those of days far apart."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = Parser(
        prog=f"python -m jobs.{STEP}",
        description=__doc__,
        epilog=f"example:\n  python -m jobs.{STEP} --lake lake --profile jingdong",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--lake", required=True, help="folder of the tables")
    parser.add_argument(
        "--profile", required=True, help="name of a shipped profile, or a TOML file"
    )
    parser.add_argument("--date", type=as_argument(parse_day), help="show from this day on only")
    parser.add_argument("--days", type=int, help="how many days to show from --date on")
    parser.add_argument(
        "--source",
        type=Path,
        nargs="?",
        const=None,
        default=False,
        metavar="DIR",
        help="read the raw files of these days too (in DIR, or where the profile says), "
        "and tell which were delivered again",
    )
    parser.add_argument(
        "--all", action="store_true", help="a line for all that validation made of a table, too"
    )
    return parser


def made_from(live: Manifest) -> str:
    """Return the inputs' versions, those of one table or part together."""
    found: dict[str, list[str]] = {}
    for name, digest in live.inputs.items():
        mark = RAW if RAW in name else "/"
        found.setdefault(name.partition(mark)[0], []).append(digest[:SHORT] or "none")
    return ", ".join(f"{name} {' '.join(digests)}" for name, digests in found.items()) or "-"


def line_of(one: Published, lineage: Lineage) -> tuple[str, ...]:
    """Return the cells of a table's line."""
    live, name = one.manifest, one.live_folder.replace("/", os.sep)
    if live is None:
        return (name, "?", "?", "?", str(lineage.states[one.name]))
    rows = "-" if one.table == MODELS else f"{live.rows:,}"
    return (name, rows, live.digest[:SHORT], made_from(live), str(lineage.states[one.name]))


def is_brief(one: Published, lineage: Lineage) -> bool:
    """Whether a table is one of those that validation makes, and nothing is to be told of it."""
    state, live = lineage.states[one.name], one.manifest
    if one.table not in OF_TABLES or live is None or state.causes or state.superseded:
        return False
    return one.table != BAD_ROWS or not live.rows


def days_page(
    lineage: Lineage, shown: list[Published], brief: set[str], expected: list[str]
) -> Iterator[str]:
    """Yield the lines about each day; those that `brief` names are one line together."""
    lines = {one.name: line_of(one, lineage) for one in shown if one.name not in brief}
    every = [HEADER, *lines.values()]
    widths = [max(len(line[i]) for line in every) for i in range(len(HEADER) - 1)]
    for day in sorted({one.day for one in shown}):
        those = [one for one in shown if one.day == day]
        there = {one.table for one in those}
        missing = ", ".join(name for name in expected if name not in there)
        yield f"{day}{f'   not there: {missing}' if missing else ''}"
        for line in (HEADER, *(lines[one.name] for one in those if one.name in lines)):
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
            cells[1] = line[1].rjust(widths[1])
            yield "  ".join(["", *cells, line[-1]])
        if told_of := dict.fromkeys(one.keys["of"] for one in those if one.name in brief):
            yield f"  measures, validations, bad_rows of {', '.join(told_of)}: nothing to tell"
        yield ""


def stale_page(
    lineage: Lineage, shown: list[Published], profile: Profile, written: str
) -> Iterator[str]:
    """Yield what is stale on which days, why, and the commands that bring it up to date."""
    names = {one.name for one in shown}
    stale = [one for one in lineage.stale if one.name in names]
    if not stale:
        yield "Nothing is stale."
    else:
        by_day: dict[date, list[Published]] = {}
        for one in stale:
            by_day.setdefault(one.day, []).append(one)
        yield f"Stale: {len(stale):,} of {len(shown):,} tables, on {len(by_day):,} days."
        about = [(day, *_about(those, lineage)) for day, those in sorted(by_day.items())]
        for (tables, causes), same in groupby(about, key=lambda line: line[1:]):
            these = [day for day, *_ in same]
            until = f" to {these[-1]}" if len(these) > 1 else ""
            yield f"  {these[0]}{until}: {tables}"
            yield f"    because {causes}"
        last = max(one.day for one in stale)
        # What an earlier day lacks, these would be made without again.
        every = [one for one in lineage.stale if one.day <= last]
        before = len({one.day for one in every if one.day < min(by_day)})
        days = "day" if before == 1 else "days"
        also = f", with {before:,} stale {days} before them" if before else ""
        yield f"To bring them up to date, in this order{also}:"
        commands = catch_up(every, lineage, profile, written)
        yield from (f"  {command}" for command in commands[:MOST_COMMANDS])
        if len(commands) > MOST_COMMANDS:
            yield f"  and {len(commands) - MOST_COMMANDS:,} more; ask again after these"
    other = sum(lineage.states[one.name].other_code for one in shown)
    if other:
        yield f"{other:,} of {len(shown):,} tables were made by other code than this."


def _about(stale: list[Published], lineage: Lineage) -> tuple[str, str]:
    """Return a day's stale tables, and what made them stale first."""
    tables = ", ".join(dict.fromkeys(one.table for one in stale))
    causes = dict.fromkeys(c for one in stale for c in _first_causes(one, lineage))
    return tables, told(tuple(causes))


def _first_causes(one: Published, lineage: Lineage) -> tuple[str, ...]:
    """Return the causes of a table that are not said of another one already."""
    state = lineage.states[one.name]
    return state.inherited or tuple(c if "/" in c else f"{one.name}: {c}" for c in state.own)


def at_work(lake: Lake) -> Iterator[str]:
    """Yield the steps that hold something, and those that are gone and hold it still."""
    for folder in (*pointer_folders(lake), lake.reports, lake.data_docs):
        for seat in seats(folder):
            name = folder.relative_to(lake.root).as_posix()
            gone = seat.is_lapsed(time.time())
            yield (
                f"{'Gone' if gone else 'At work'}: {seat.holder or 'a step that cannot be read'}, "
                f"which holds {name}{'; whatever runs next takes it over' if gone else ''}"
            )


def status(args: argparse.Namespace) -> str:
    """Read the lake; return the page."""
    profile = load_profile(args.profile)
    lake = Lake(parse_lake(args.lake), profile.tables)
    if args.days is not None and (args.days < 1 or args.date is None):
        raise Refused(f"--days {args.days} must be 1 or more, and goes with --date")

    def is_shown(one: Published) -> bool:
        end = args.date and args.days and args.date + timedelta(days=args.days)
        return (not args.date or one.day >= args.date) and (not end or one.day < end)

    raw = {}
    if args.source is not False:
        raw = redelivered(profile, args.source, filter(is_shown, read_published(lake)))
    lineage = Lineage(lake, profile.training.train_days, raw)
    shown = [one for one in lineage.published.values() if is_shown(one)]
    if not lineage.published:
        page = [f"{lake.root} holds no tables yet; the first step is python -m jobs.ingest"]
    elif not shown:
        page = [f"{lake.root} holds no table of these days"]
    else:
        brief = {one.name for one in shown if is_brief(one, lineage) and not args.all}
        expected = [*lake.tables, MODELS]
        expected.remove(NEVER_MADE[profile.source.kind])
        days = days_page(lineage, shown, brief, expected)
        page = [*days, *stale_page(lineage, shown, profile, args.profile)]
    return "\n".join([*page, *at_work(lake)]) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        sys.stdout.write(printable(status(args), keep="\n"))
    except Refused as refusal:
        return refuse(STEP, refusal)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
