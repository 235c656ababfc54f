"""Check a profile of your own against its files, draft one from some of them, or tell its keys.

--check reads the profile and the columns of each file that it names, and tells all that is wrong
with its line and its fix; then the first rows of some, as an import reads them. --sample reads the
first rows of raw files, the log first, then those about items or users, and writes a profile with a
reason for every guess. --keys tells every key that a profile can have. None touches a lake.
"""

import argparse
import sys
from pathlib import Path

from jobs.cli import DONE, FAILED, Parser, refuse
from jobs.errors import Refused
from jobs.printable import printable
from jobs.profile.check import file_problems, parts_of_any_day
from jobs.profile.draft import draft
from jobs.profile.heads import heads
from jobs.profile.keys import keys
from jobs.profile.load import load_profile, profile_text
from jobs.profile.problems import refusal
from jobs.profile.sample import read_sample

STEP = "profile"
FIX = "correct the columns; or delimiter, quote, header or names, if these look wrong"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = Parser(
        prog=f"python -m jobs.{STEP}",
        description=__doc__,
        epilog=f"examples:\n  python -m jobs.{STEP} --keys source.logs\n  python -m jobs.{STEP} "
        f"--check my.toml\n  python -m jobs.{STEP} "
        "--sample raw/clicks.csv --sample raw/items.csv --out my.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", metavar="PROFILE", help="TOML file, or name of a shipped profile")
    mode.add_argument(
        "--sample",
        metavar="FILE",
        type=Path,
        action="append",
        help="raw file: parquet, feather, csv or tsv, packed or not; again for each further one",
    )
    mode.add_argument(
        "--keys",
        metavar="SECTION",
        nargs="?",
        const="",
        help="all keys, or those of a section such as source.logs",
    )
    parser.add_argument("--out", type=Path, help="where the draft goes; else it is printed")
    return parser


def check(name: str) -> str:
    """Return that the profile is good and what comes next; refuse it with all that is wrong."""
    profile = load_profile(name)
    if profile.source.kind == "simulated":
        return _good(name, "its world is simulated, from no files", "simulate_logs")
    where, text = profile_text(name)
    parts = parts_of_any_day(profile)
    if problems := list(file_problems(profile, parts)):
        raise refusal(where, problems, text)
    read = list(heads(profile, parts))
    if hopeless := [f"{head.where}.columns: {head}; {FIX}" for head in read if head.is_hopeless]:
        raise refusal(where, hopeless, text)
    files = len({path for part in parts for path in part.paths})
    columns = sum(len(part.files.columns) for part in parts)
    about = f"{files:,} files, {columns} columns mapped, log rows are {profile.source.logs.rows}"
    told = "".join(f"  {head}\n" for head in read if head.rejected)
    return told + _good(name, about, "import_logs")


def _good(name: str, about: str, step: str) -> str:
    return (
        f"{name} is good: {about}; next: python -m jobs.{step} --lake lake "
        f"--date YYYY-MM-DD --profile {name}\n"
    )


def write_draft(samples: list[Path], out: Path | None) -> str:
    """Return the draft; or write it, and return that and what comes next."""
    if out and out.suffix != ".toml":
        raise Refused(f"{out} would be no profile; give an --out that ends in .toml")
    if out and out.exists():
        raise Refused(f"{out} is there already; give another --out, or move it away")
    text = draft([read_sample(path) for path in samples], out.stem if out else "")
    if out is None:
        return text
    out.write_text(text, encoding="utf-8")
    left = text.count("# TODO")
    return (
        f"{out}: a draft, {left or 'no'} TODO{'' if left == 1 else 's'} left; read its comments, "
        f"then: python -m jobs.{STEP} --check {out}\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.out and not args.sample:
        parser.error("argument --out: only allowed with argument --sample")
    try:
        if args.check:
            text = check(args.check)
        else:
            text = write_draft(args.sample, args.out) if args.sample else keys(args.keys)
    except Refused as refused:
        return refuse(STEP, refused)
    except OSError as error:
        sys.stderr.write(f"{STEP}: failed: {error}\n")
        return FAILED
    sys.stdout.write(printable(text, keep="\n\t"))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
