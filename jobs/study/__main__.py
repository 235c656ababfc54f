"""Compare every method on every data set of a study, over seeds, and write one page of it.

A study is a TOML file: seeds, and data sets as consecutive days of a profile. Its results lie as
small text files, one for each training under each seed, so that a study that was stopped goes on
where it was. Tuning sees validation days alone.
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from jobs.cli import DONE, Parser, refuse
from jobs.errors import Refused
from jobs.study.config import StudyConfig
from jobs.study.evidence import gather
from jobs.study.findings import findings
from jobs.study.load import load_study
from jobs.study.page import page
from jobs.study.prepare import is_simulated
from jobs.study.schedule import cells, run_study
from jobs.study.section import load, save, section

QUICK = {"world.requests": 200, "training.epochs": 6}
"""What differs with --quick, beside that there are one seed, two training days and no real logs."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m jobs.study",
        description=__doc__,
        epilog="example:\n  python -m jobs.study --out study --quick\n"
        "  python -m jobs.study --out study --only jingdong",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of results, days and page")
    parser.add_argument(
        "--study",
        default="full",
        help="a shipped study (full, candidates, candidates_again, unknown) or a TOML file "
        "(default: full)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="simulated, few requests, one seed, in OUT/quick"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="DATA", help="these data sets")
    parser.add_argument("--processes", type=int, default=2, help="cells side by side (default: 2)")
    parser.add_argument("--page", action="store_true", help="write the page of what is there")
    return parser


def narrowed(config: StudyConfig, args: argparse.Namespace) -> StudyConfig:
    """Return the part of a study that is asked for."""
    known = [one.name for one in config.data]
    if unknown := [name for name in args.only if name not in known]:
        raise Refused(f"--only {unknown[0]!r} is no data set of the study: {', '.join(known)}")
    wanted = args.only or known
    # A data set whose unworn clicks another learns from comes along.
    wanted = {*wanted, *(one.unworn for one in config.data if one.name in wanted)}
    data = [one for one in config.data if one.name in wanted]
    if not args.quick:
        return dataclasses.replace(config, data=tuple(data))
    small = [
        dataclasses.replace(one, changes=one.changes | QUICK, train_days=2)
        for one in data
        if is_simulated(one)
    ]
    if not small:
        raise Refused(f"--quick simulates, and {', '.join(args.only)} are logs; leave it out")
    return dataclasses.replace(config, data=tuple(small), seeds=config.seeds[:1])


def main(argv: list[str] | None = None) -> int:
    """Run the study."""
    args = build_parser().parse_args(argv)
    started = time.monotonic()
    # What few requests show must never pass for a part of the study.
    out = args.out.absolute() / "quick" if args.quick else args.out.absolute()

    def say(text: str) -> None:
        print(f"study: {text}", flush=True)

    try:
        config = narrowed(load_study(args.study), args)
        if not args.page:
            run_study(config, out, args.processes, say)
        everything = cells(config, out)
        for data in config.data:
            found = gather(data.name, everything)
            if found.texts:
                save(section(data, found, config), out)
        read = [load(out, data.name) for data in load_study(args.study).data]
        sections = [one for one in read if one is not None]
        if not sections:
            raise Refused(f"{out} holds no results of this study yet; run it without --page")
        out.mkdir(parents=True, exist_ok=True)
        told = findings(sections)
        (out / "index.html").write_text(page(sections, told, config), encoding="utf-8")
        (out / "findings.md").write_text("\n\n".join(told) + "\n", encoding="utf-8")
    except Refused as refusal:
        return refuse("study", refusal)
    for line in told:
        say(line)
    say(f"{out / 'index.html'} after {(time.monotonic() - started) / 60:.0f} min; open it next")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
