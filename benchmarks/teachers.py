"""Time the teachers against the libraries that others use, and show it in the README.

CPU time of one thread on clustered requests. Contestants take turns in one process, so that what
the machine does meanwhile hits all of them; medians over the rounds, ratios within each round.
Writes cost.svg and table.md into --out, and renews the block of the README that quotes the table.
"""

import os

# Before numpy is imported: the CPU time of several threads is not the cost of one.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.clustered import batch
from benchmarks.teachers_picture import picture
from model.config import TeacherConfig
from model.teachers import dpp, mmr, ssd
from model.teachers.requests import Requests

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / "benchmarks" / "teachers"
BLOCK = re.compile(r"(<!-- teachers -->\n).*?(<!-- /teachers -->\n)", re.DOTALL)
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
SECONDS = 0.02
"""CPU time that a sample takes at least, for the clock's sake."""


def teacher(pick: Callable, name: str, **own: object) -> Callable[[Requests, int], None]:
    """Return a run of one of our teachers over a batch."""

    def run(requests: Requests, k: int) -> None:
        pick(requests, TeacherConfig(name=name, diversity_weight=WEIGHT, k=k, **own))

    return run


def peer(call: peers.Peer) -> Callable[[Requests, int], None]:
    """Return a run of a peer over a batch, request by request."""

    def run(requests: Requests, k: int) -> None:
        for r, end in enumerate(requests.ends):
            part = slice(requests.ends[r - 1] if r else 0, end)
            call(requests.f[part], requests.table[part], requests.u[r], k)

    return run


@dataclass(frozen=True, slots=True)
class Contestant:
    """A line of the table; its cost is compared with that of the first of its method."""

    name: str
    method: str
    run: Callable[[Requests, int], None]
    work: Callable[[int, int], int] = lambda n, k: 0
    """What it needs at N and K; above MOST it is not run."""


def contestants() -> list[Contestant]:
    """Return all of them; of each method ours comes first."""
    return [
        Contestant("MMR", "MMR", teacher(mmr.pick, "mmr_item")),
        Contestant("pyversity MMR", "MMR", peer(peers.pyversity("mmr"))),
        Contestant(
            "langchain-core MMR", "MMR", peer(peers.langchain_mmr()), lambda n, k: n * k * k
        ),
        Contestant("DPP", "DPP", teacher(dpp.pick, "dpp")),
        Contestant("pyversity DPP", "DPP", peer(peers.pyversity("dpp"))),
        Contestant("fast-map-dpp, its Gram", "DPP", peer(peers.with_gram), lambda n, k: n * n),
        Contestant("SSD, window 10", "SSD", teacher(ssd.pick, "ssd", window=10)),
        Contestant("pyversity SSD, window 10", "SSD", peer(peers.pyversity("ssd", window=10))),
    ]


def measure(
    field: list[Contestant], size: tuple[int, int, int], rounds: int
) -> dict[str, list[float]]:
    """Return microseconds of CPU per request, by contestant, one of each round."""
    n, k, d = size
    requests = batch(n, d, max(1, min(16, 10000 // n)))
    field = [one for one in field if one.work(n, k) <= MOST]
    repeats = {}
    for one in field:
        one.run(requests, k)  # compiles
        start = time.process_time()
        one.run(requests, k)
        repeats[one.name] = 1 + int(SECONDS / max(time.process_time() - start, 1e-5))
    found: dict[str, list[float]] = {one.name: [] for one in field}
    for _ in range(rounds):
        for one in field:
            start = time.process_time()
            for _ in range(repeats[one.name]):
                one.run(requests, k)
            seconds = (time.process_time() - start) / repeats[one.name] / len(requests.ends)
            found[one.name].append(seconds * 1e6)
    return found


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
    field, results = contestants(), {}
    for size in SIZES[: args.sizes]:
        results[size] = measure(field, size, args.rounds)
        print(f"measured N {size[0]}, K {size[1]}, d {size[2]}", flush=True)
    shown = table(field, results)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "table.md").write_text(shown, encoding="utf-8")
    medians = {
        size: {name: float(np.median(times)) for name, times in found.items()}
        for size, found in results.items()
    }
    (args.out / "cost.svg").write_text(picture(medians), encoding="utf-8")
    readme = args.readme.read_text(encoding="utf-8")
    renewed = BLOCK.sub(lambda block: f"{block[1]}\n{shown}\n{block[2]}", readme)
    args.readme.write_text(renewed, encoding="utf-8")
    print(shown)
    print(f"made {args.out}/cost.svg and table.md; renewed {args.readme}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
