"""Label days of growing size in several ways, and show what one request more costs in each.

A lake with days of so many requests of 500 candidates out of a million items is made in --folder,
where it is not there yet. CPU time is that of the whole process tree: driver, JVM and workers. What
one request more costs is the slope between the smallest and the largest day that a way was run on:
the start of Spark, Java and torch costs no slope. Spark has one worker, as what runs alone has one
thread, but for "all cores". Writes table.md and cost.svg into --out, and renews the block of the
README that quotes the table.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks import labels_lake
from benchmarks.labels_day import Day, run_step
from benchmarks.labels_picture import picture
from benchmarks.lake_facts import markdown
from benchmarks.peak_memory import watched
from benchmarks.readme_block import renew
from jobs import build_candidates, promote

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / "benchmarks" / "labels"
BLOCK = "labels"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to label a day, and what it is called."""

    name: str
    flags: tuple[str, ...]
    most: int
    """Days of more requests are left out: they would take long, or more memory than there is."""


SETS, LOGS = ("--source", "candidate_sets"), ("--source", "request_logs")
GIVEN = ("--scores", "given")
ENDLESS = 10**9
WAYS = {
    "label": Way("label job", ("--way", "jobs", *SETS), ENDLESS),
    "cores": Way("label job, all cores", ("--way", "jobs", *SETS, "--master", "local[*]"), ENDLESS),
    "label alone": Way("one process, same model", ("--way", "alone", *SETS), ENDLESS),
    "given": Way("label job, f and u given", ("--way", "given", *SETS), ENDLESS),
    "given alone": Way("one process, f and u given", ("--way", "alone", *SETS, *GIVEN), ENDLESS),
    "build": Way("build and label jobs", ("--way", "jobs", *LOGS), 20_000),
    "build alone": Way("one process from logs", ("--way", "alone", *LOGS), 20_000),
    "both": Way("build and label jobs, f and u given", ("--way", "given", *LOGS), 20_000),
    "both alone": Way("one process from logs, f given", ("--way", "alone", *LOGS, *GIVEN), 20_000),
    "joined": Way("join, applyInPandas, pyversity", ("--way", "joined"), 10_000),
}
BARS = (
    ("label", "label alone", "at most", 1.5),
    ("given", "given alone", "at most", 1.5),
    ("build", "build alone", "at most", 2.5),
    ("both", "both alone", "at most", 2.5),
    ("joined", "both", "at least", 6.0),
)
"""Whose slope is how many times that of which other."""


LARGE_DAY, CORES = 8_000_000, 100


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took."""

    requests: int
    cpu: float
    mib: float


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.labels_at_size",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.labels_at_size --folder /tmp/labels",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the lake goes")
    parser.add_argument("--items", type=int, default=1_000_000, help="items of the lake")
    parser.add_argument(
        "--requests", type=int, nargs="+", default=[5_000, 10_000, 20_000, 40_000], help="days"
    )
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="which ways")
    parser.add_argument("--out", type=Path, default=SHOWN, help="folder of table and picture")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to renew")
    return parser


def prepare(folder: Path, sizes: list[int], items: int) -> None:
    """Make the lake, promote its model on every day, and group the logs."""
    if folder.exists():
        return
    labels_lake.make(folder, sizes, items)
    for number in range(len(sizes)):
        day = Day(folder, (labels_lake.FIRST_DAY + timedelta(days=number)).isoformat())
        for step in (promote, build_candidates):
            run_step(step, day)


def run(way: Way, folder: Path, number: int, requests: int) -> Run:
    """Run one way on one day."""
    day = labels_lake.FIRST_DAY + timedelta(days=number)
    command = [sys.executable, "-m", "benchmarks.labels_day", "--folder", str(folder)]
    use, code = watched([*command, "--date", day.isoformat(), *way.flags])
    if code:
        raise subprocess.CalledProcessError(code, command)
    return Run(requests, sum(use.cpu.values()), use.peak / 2**20)


def slope(runs: list[Run]) -> float:
    """Return milliseconds of CPU a further request."""
    first, last = runs[0], runs[-1]
    return 1000 * (last.cpu - first.cpu) / (last.requests - first.requests)


def off_a_line(runs: list[Run]) -> float:
    """Return by how much of itself the CPU time of a run differs from the best line, at most."""
    requests, cpu = np.array([(one.requests, one.cpu) for one in runs]).T
    line = np.polyval(np.polyfit(requests, cpu, 1), requests)
    return float(np.abs(cpu / line - 1).max())


def table(found: dict[str, list[Run]]) -> str:
    """Return what was measured, and how it stands to the bars."""
    head = ["way", "requests", "CPU s", "ms a further request", "off a line", "MiB at most"]
    lines = [
        [
            WAYS[name].name,
            " / ".join(f"{one.requests:,}" for one in runs),
            " / ".join(f"{one.cpu:.0f}" for one in runs),
            f"{slope(runs):.2f}",
            f"{off_a_line(runs):.0%}",
            " / ".join(f"{one.mib:,.0f}" for one in runs),
        ]
        for name, runs in found.items()
    ]
    ratios = []
    for one, other, word, bar in BARS:
        if one in found and other in found:
            ratio = slope(found[one]) / slope(found[other])
            ways = f"{WAYS[one].name} / {WAYS[other].name}"
            ratios.append([ways, f"{ratio:.2f}", f"{word} {bar:g}"])
    shown = markdown(head, lines)
    if ratios:
        shown += "\n\n" + markdown(["slope of", "ratio", "wanted"], ratios)
    if "build" in found:
        hours = slope(found["build"]) / 1000 * LARGE_DAY / 3600
        shown += (
            f"\n\nOn paper a day of {LARGE_DAY:,} such requests (KuaiShou's) takes {hours:,.1f} "
            "hours of one core to build and label, "
            f"{hours * 60 / CORES:,.0f} minutes of {CORES} cores."
        )
    return shown + "\n"


def main(argv: list[str] | None = None) -> int:
    """Make the lake, run every way on every day, show it."""
    args = build_parser().parse_args(argv)
    prepare(args.folder, args.requests, args.items)
    found: dict[str, list[Run]] = {name: [] for name in args.ways}
    for number, requests in enumerate(args.requests):
        for name in args.ways:
            if requests <= WAYS[name].most:
                found[name].append(run(WAYS[name], args.folder, number, requests))
                sys.stdout.write(f"{requests:,} requests, {name}: {found[name][-1]}\n")
                sys.stdout.flush()
    shown = table(found)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "table.md").write_text(shown, encoding="utf-8")
    names = {name: way.name for name, way in WAYS.items()}
    (args.out / "cost.svg").write_text(picture(found, names), encoding="utf-8")
    renew(args.readme, BLOCK, shown)
    sys.stdout.write(f"\n{shown}\nmade {args.out}/table.md and cost.svg; renewed {args.readme}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
