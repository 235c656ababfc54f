"""Time the student beside DCN, closed forms and teachers, and show it in the README.

CPU time of one thread. Contestants take turns in one process, so that what the machine does
meanwhile hits all of them; medians over the rounds, differences and ratios within each round. What
a student costs is what a model with it takes more than DCN alone. Writes bars.md (what is wanted,
and whether it is so: bold is not), table.md (scoring by N, and a training step) and cost.svg into
--out, and renews the block of the README that quotes both tables.

--learn trains students with and without landmarks on simulated worlds first, which takes minutes a
seed, and keeps their swap-AUC in learned.json; without it the bars quote what that file says.
"""

import argparse
import sys
from pathlib import Path

# First of all for what it asks of the libraries: one thread.
from benchmarks.teachers import ROOT  # isort: skip

import numpy as np
import torch

from benchmarks import student_bars, student_learned
from benchmarks.readme_block import show
from benchmarks.student_bars import Found, Times, beside
from benchmarks.student_field import DCN, STUDENTS, K, one_by_one, scoring, stepping
from benchmarks.student_memory import rise
from benchmarks.student_picture import picture
from benchmarks.turns import take_turns

SHOWN = ROOT / "benchmarks" / "student"
BLOCK = "student_cost"
SIZES = (200, 500, 2000, 5000, 20000)
MEMORY = (200, 500, 2000, 5000)
JUDGED, BATCH = 500, 64
"""N at which bars are set, and the requests of a training step."""


def table(times: dict[int, Times], alone: Times, step: Times) -> str:
    """Return medians as Markdown, in brackets the median ratio to DCN's own."""
    shown = _rows("µs per request", {f"N {n:,}": found for n, found in times.items()})
    shown += "\n" + _rows(
        f"µs per request, N {JUDGED}",
        {"scoring, a request a call": alone, "a training step, 64 targets": step},
    )
    return shown


def _rows(title: str, columns: dict[str, Times]) -> str:
    lines = [[title, *columns], ["---", *["---:"] * len(columns)]]
    for name in dict.fromkeys(name for found in columns.values() for name in found):
        cells = [_cell(found, name) if name in found else "-" for found in columns.values()]
        lines.append([f"**{name}**" if name in STUDENTS else name, *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(found: Times, name: str) -> str:
    own = beside(found, name)
    if name == DCN:
        return f"{np.median(own):,.0f}"
    return f"{np.median(own):,.0f} ({np.median(own / np.array(found[DCN])):.2g}x)"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.student",
        description=__doc__,
        epilog="examples:\n  python -m benchmarks.student --rounds 9\n"
        "  python -m benchmarks.student --learn worlds --seeds 3",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="only the first so many N")
    parser.add_argument("--rounds", type=int, default=9, help="turns that each contestant takes")
    parser.add_argument("--learn", type=Path, help="train first; the folder of the worlds")
    parser.add_argument("--seeds", type=int, default=1, help="worlds to learn in")
    parser.add_argument("--out", type=Path, default=SHOWN, help="folder of table and picture")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to renew")
    return parser


def measure(sizes: tuple[int, ...], rounds: int) -> tuple[dict[int, Times], Times, Times]:
    """Return the times of scoring by N, of a request a call, and of a training step."""
    times = {}
    for n in sizes:
        requests, field = scoring(n)
        times[n] = dict(take_turns(field, requests, K, rounds))
        print(f"scored N {n:,}", flush=True)
    others = []
    for requests, field in (one_by_one(JUDGED), stepping(JUDGED, BATCH)):
        others.append(dict(take_turns(field, requests, K, rounds)))
    print("scored request by request, and took training steps", flush=True)
    return times, *others


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    kept = args.out / "learned.json"
    if args.learn:
        student_learned.write(student_learned.run(args.learn, args.seeds), kept)
    times, alone, step = measure(SIZES[: args.sizes], args.rounds)
    mib = {n: rise(n, BATCH) for n in MEMORY}
    bars = student_bars.table(Found(times, alone, step, mib, student_learned.read(kept)))
    shown = table(times, alone, step)
    medians = {
        n: {name: float(np.median(beside(found, name))) for name in found}
        for n, found in times.items()
    }
    show(args.out, args.readme, BLOCK, bars=bars, table=shown, cost=picture(medians))
    return 0


if __name__ == "__main__":
    sys.exit(main())
