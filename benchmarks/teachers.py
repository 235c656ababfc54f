"""Time the teachers against the libraries that others use, and show it in the README.

CPU time of one thread on clustered requests, d = 64. Contestants take turns in one process, so that
what the machine does meanwhile hits all of them; medians over the rounds, ratios within each round.
Writes bars.md (what is to be beaten, and whether it is: bold is not reached), table.md and cost.svg
(cost against N and K) into --out, and renews the block of the README that quotes both tables.
"""

import os

# Before numpy is imported: the CPU time of several threads is not the cost of one.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import bars, peers
from benchmarks.bars import BARS, LARGE, WEIGHTS, Bar, Result, race
from benchmarks.clustered import batch
from benchmarks.readme_block import show
from benchmarks.teachers_picture import picture
from benchmarks.turns import Contestant, peer, take_turns
from model.config import TeacherConfig
from model.teachers import dpp, mmr, ssd
from model.teachers.requests import Requests

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / "benchmarks" / "teachers"
BLOCK = "teachers"
SIZES = [
    *((n, 50, 64) for n in (200, 500, 2000, 5000, 20000)),
    *((5000, k, 64) for k in (5, 500)),
    (5000, 500, 512),
]
"""(N, K, d)."""
MOST = 25_000_000
"""Elements of a Gram matrix, or products of vectors: what a peer may need to take part."""
WEIGHT = 0.25
"""lambda, the end of the paper's grid that is hardest for lazy evaluation."""
DIVERSITY = WEIGHT / (1 + WEIGHT)
"""The same for pyversity."""


def teacher(pick: Callable, name: str, **own: object) -> Callable[[Requests, int], None]:
    """Return a run of one of our teachers over a batch."""

    def run(requests: Requests, k: int) -> None:
        pick(requests, TeacherConfig(name=name, diversity_weight=WEIGHT, k=k, **own))

    return run


def contestants() -> list[Contestant]:
    """Return all of them; of each method ours comes first."""
    return [
        Contestant("MMR", "MMR", teacher(mmr.pick, "mmr_item")),
        Contestant("pyversity MMR", "MMR", peer(peers.pyversity("mmr", DIVERSITY))),
        Contestant(
            "langchain-core MMR", "MMR", peer(peers.langchain_mmr()), lambda n, k: n * k * k
        ),
        Contestant("DPP", "DPP", teacher(dpp.pick, "dpp")),
        Contestant("pyversity DPP", "DPP", peer(peers.pyversity("dpp", DIVERSITY))),
        Contestant("fast-map-dpp, its Gram", "DPP", peer(peers.with_gram), lambda n, k: n * n),
        Contestant("SSD, window 10", "SSD", teacher(ssd.pick, "ssd", window=10)),
        Contestant(
            "pyversity SSD, window 10", "SSD", peer(peers.pyversity("ssd", DIVERSITY, window=10))
        ),
    ]


def measure(
    field: list[Contestant], size: tuple[int, int, int], rounds: int
) -> dict[str, list[float]]:
    """Return microseconds of CPU per request, by contestant, one of each round."""
    n, k, d = size
    field = [one for one in field if one.work(n, k) <= MOST]
    return dict(take_turns(field, batch(n, d, in_a_batch(n)), k, rounds))


def in_a_batch(n: int) -> int:
    """Return how many requests of n candidates are timed together."""
    return max(1, min(64, 10000 // n))


def run_bars(chosen: tuple[Bar, ...], rounds: int) -> list[Result]:
    """Run the races; MMR at large lambda too, where laziness has least to skip."""
    results = []
    for bar in chosen:
        requests = batch(bar.n, 64, in_a_batch(bar.n))
        for weight in WEIGHTS + (LARGE if bar.method == "MMR" else ()):
            results.append(race(bar, weight, requests, rounds))
        print(f"raced {bar.method}, N {bar.n}, K {bar.k}", flush=True)
    return results


Results = dict[tuple[int, int, int], dict[str, list[float]]]


def table(field: list[Contestant], results: Results) -> str:
    """Return the medians as Markdown, with the median ratio to ours of the same method."""
    ours = {}
    for one in field:
        ours.setdefault(one.method, one.name)
    head = ["µs per request", *(f"N {n}, K {k}, d {d}" for n, k, d in results)]
    lines = [head, ["---", *["---:"] * len(results)]]
    for one in field:
        cells = []
        for found in results.values():
            if one.name not in found:
                cells.append("-")
                continue
            mine, base = np.array(found[one.name]), np.array(found[ours[one.method]])
            ratio = f" ({np.median(mine / base):.3g}x)" if one.name != ours[one.method] else ""
            cells.append(f"{np.median(mine):,.0f}{ratio}")
        name = f"**{one.name}**" if one.name == ours[one.method] else one.name
        lines.append([name, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.teachers",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.teachers --rounds 9",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bars", type=int, default=len(BARS), help="only the first so many bars")
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="only the first so many")
    parser.add_argument("--rounds", type=int, default=9, help="turns that each contestant takes")
    parser.add_argument("--out", type=Path, default=SHOWN, help="folder of table and picture")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to renew")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        peers.require_peers()
    except peers.Missing as missing:
        print(f"teachers: refused: {missing}", file=sys.stderr)
        return 2
    raced = bars.table(run_bars(BARS[: args.bars], args.rounds))
    field, results = contestants(), {}
    for size in SIZES[: args.sizes]:
        results[size] = measure(field, size, args.rounds)
        print(f"measured N {size[0]}, K {size[1]}, d {size[2]}", flush=True)
    shown = table(field, results)
    args.out.mkdir(parents=True, exist_ok=True)
    medians = {
        size: {name: float(np.median(times)) for name, times in found.items()}
        for size, found in results.items()
    }
    show(args.out, args.readme, BLOCK, bars=raced, table=shown, cost=picture(medians))
    return 0


if __name__ == "__main__":
    sys.exit(main())
