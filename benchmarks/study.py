"""Put what the study found into the README: its sentences as text, its pictures as files.

Reads a study's sections; writes answers.svg and a front of each data set where repetition wears
into --out, and renews the block of the README that quotes the findings.
"""

import argparse
import re
import sys
from pathlib import Path

from benchmarks.picture_file import standalone
from benchmarks.readme_block import renew
from jobs.errors import Refused
from jobs.study import forest
from jobs.study.findings import findings
from jobs.study.load import load_study
from jobs.study.section import Section, load

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / "benchmarks" / "study"
BLOCK = "study"
FRONT = re.compile(r'<svg [^>]*aria-label="Recall[^"]* diversity.*?</svg>', re.DOTALL)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study",
        description=__doc__,
        epilog="example, after a study:\n  python -m benchmarks.study --results study",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--results", type=Path, default=SHOWN, help="a study's folder (default: what is committed)"
    )
    parser.add_argument("--out", type=Path, default=SHOWN, help="folder of the pictures")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to renew")
    return parser


def fronts(one: Section) -> list[str]:
    """Return the fronts of a section, one for each K."""
    return FRONT.findall(one.html)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        read = [load(args.results, data.name) for data in load_study("full").data]
        sections = [one for one in read if one is not None]
        if not sections:
            raise Refused(f"{args.results} has no sections; run python -m jobs.study --out first")
    except Refused as refusal:
        print(f"study: refused: {refusal}", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "answers.svg").write_text(standalone(forest.picture(sections)), encoding="utf-8")
    for one in sections:
        if not one.is_control:
            path = args.out / f"front-{one.name}.svg"
            path.write_text(standalone(fronts(one)[-1]), encoding="utf-8")
    told = findings(sections)
    seeds = ", ".join(f"{one.title} {one.seeds}" for one in sections)
    renew(args.readme, BLOCK, "\n".join([*(f"* {line}" for line in told), f"\nSeeds: {seeds}."]))
    print(f"made {args.out}/answers.svg and fronts; renewed {args.readme}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
