"""Put into the README what a study found from few candidates to many: a table and a picture over N.

Reads the sections of the study "candidates", whose data sets differ in the candidates of a request
alone; writes by_candidates.svg into --out and renews the block of the README.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.picture_file import standalone
from benchmarks.readme_block import renew
from jobs.errors import Refused
from jobs.report.svg import INK, MUTED, drawing, inline
from jobs.study.config import DataSet
from jobs.study.evidence import Figure
from jobs.study.forest import MARKS
from jobs.study.load import load_study
from jobs.study.questions import CDM, CDM_DECAY, DCN, DECAY, ITEMS, QUESTIONS, SELF, UNSEEN
from jobs.study.section import Section, load

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / "benchmarks" / "study_by_candidates"
STUDY, BLOCK = "candidates", "study_by_candidates"
PAIRS = ((CDM, DCN), (CDM, SELF), (UNSEEN, DCN), (DECAY, DCN), (DECAY, ITEMS), (CDM, CDM_DECAY))
ASKED = [next(q for q in QUESTIONS if (q.method, q.rival) == pair) for pair in PAIRS]
HEIGHT = 420


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study_by_candidates",
        description=__doc__,
        epilog="example, after python -m jobs.study --study candidates --out study-n:\n"
        "  python -m benchmarks.study_by_candidates --results study-n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--results", type=Path, default=SHOWN, help="a study's folder (default: what is committed)"
    )
    parser.add_argument("--out", type=Path, default=SHOWN, help="folder of the picture")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to renew")
    return parser


def read(folder: Path) -> list[tuple[int, Section]]:
    """Return the sections that are there with their numbers of candidates, fewest first."""
    data: tuple[DataSet, ...] = load_study(STUDY).data
    loaded = [(int(one.changes["world.candidates"]), load(folder, one.name)) for one in data]
    found = sorted((n, one) for n, one in loaded if one is not None)
    if not found:
        raise Refused(
            f"{folder} has no sections; run python -m jobs.study --study {STUDY} --out first"
        )
    return found


def table(found: list[tuple[int, Section]]) -> str:
    """Return what each question finds in V/V* at each number of candidates, as Markdown."""
    lines = [
        ["V/V*, one against another", *(f"N {n:,}" for n, _ in found)],
        ["---", *("---:" for _ in found)],
    ]
    for question in ASKED:
        lines.append([question.name, *(_told(value(one, question.name)) for _, one in found)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def value(one: Section, question: str) -> Figure | None:
    """Return the difference of V/V* that answers a question, if any."""
    told = one.verdicts.get(question)
    return told and told.value


def picture(found: list[tuple[int, Section]]) -> str:
    """Draw the differences against the number of candidates."""
    with drawing(HEIGHT) as figure:
        axes = figure.subplots()
        figure.subplots_adjust(0.08, 0.13, 0.62, 0.93)
        for place, (question, (colour, marker)) in enumerate(zip(ASKED, MARKS, strict=False)):
            told = [(n, value(one, question.name)) for n, one in found]
            counts = np.array([n for n, told_one in told if told_one is not None], dtype=float)
            figures = np.array([one for _, one in told if one is not None]).reshape(-1, 3)
            middle, low, high = figures.T
            axes.errorbar(
                # Beside each other, so that no interval hides another.
                counts * 1.04 ** (place - (len(ASKED) - 1) / 2),
                middle,
                yerr=[middle - low, high - middle],
                color=colour,
                marker=marker,
                markersize=5,
                linewidth=1.3,
                label=question.name,
            )
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.set_xscale("log")
        axes.set_xticks([n for n, _ in found], [f"{n:,}" for n, _ in found])
        axes.minorticks_off()
        axes.set_xlabel("candidates of a request")
        axes.set_title("Difference of V/V*, 95 % interval over requests", color=INK)
        figure.legend(loc="center left", bbox_to_anchor=(0.63, 0.55), frameon=False, fontsize=10)
        return standalone(inline(figure, "by-candidates", "Differences of V/V* by candidates"))


def _told(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        found = read(args.results)
    except Refused as refusal:
        print(f"study_by_candidates: refused: {refusal}", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "by_candidates.svg").write_text(picture(found), encoding="utf-8")
    shown = table(found)
    renew(args.readme, BLOCK, shown)
    print(shown)
    print(f"made {args.out}/by_candidates.svg; renewed {args.readme}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
