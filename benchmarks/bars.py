"""What a teacher has to beat, and by how much: the table "bars".

Ours and theirs solve the same problem. MMR: classic, on cosines, pyversity's diversity being
lambda / (1 + lambda). DPP and SSD twice: on f as it stands, which is how a profile uses them, and
on z-scores of f, which is pyversity's own way, both at the same diversity.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks import eager, peers
from benchmarks.turns import Contestant, peer, take_turns
from model.config import TeacherConfig
from model.teachers import mmr
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import LENGTH, LOG, Novelty
from model.teachers.requests import Requests

WEIGHTS = (0.05, 0.1, 0.25)
"""lambda, the paper's grid."""
LARGE = (0.5, 1.0)
"""Further ones, at which laziness has less to skip."""
WINDOW = 10
EAGER = 1.1
"""How many times the eager kernel the lazy one may cost."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A race: at least so many times faster at every lambda, and in the geometric mean."""

    method: str
    n: int
    k: int
    each: float
    mean: float


BARS = (
    Bar("MMR", 213, 5, 4, 10),
    Bar("MMR", 500, 50, 4, 10),
    Bar("MMR", 5000, 500, 4, 10),
    Bar("MMR", 20000, 200, 15, 15),
    Bar("DPP on f", 500, 50, 3, 3),
    Bar("DPP on z", 500, 50, 3, 3),
    Bar("DPP on f", 5000, 50, 4, 4),
    Bar("DPP on z", 5000, 50, 4, 4),
    Bar("SSD on f", 500, 50, 10, 10),
    Bar("SSD on z", 500, 50, 10, 10),
)


def z_scores(requests: Requests) -> Requests:
    """Return the requests with each one's f at mean 0 and deviation 1."""
    parts = np.split(requests.f, requests.ends[:-1])
    return replace(requests, f=np.concatenate([(f - f.mean()) / f.std() for f in parts]))


def our_mmr(weight: float, requests: Requests, k: int) -> np.ndarray:
    """Run classic MMR."""
    return mmr.pick(requests, TeacherConfig(name="mmr_item", diversity_weight=weight, k=k)).order


def our_novelty(novelty: Novelty, scored: bool, requests: Requests, k: int) -> np.ndarray:
    """Run DPP or SSD, the making of z-scores included."""
    requests = z_scores(requests) if scored else requests
    return pick_by(novelty, requests, k, interest=False).order


def pair(method: str, weight: float) -> tuple[Callable, peers.Peer]:
    """Return ours of a batch and theirs of one request."""
    diversity = weight / (1.0 + weight)
    if method == "MMR":
        return partial(our_mmr, weight), peers.pyversity("mmr", diversity)
    scored = method.endswith("z")
    if method.startswith("SSD"):
        # Theirs leaves [x; 1] at length root 2.
        novelty = Novelty(LENGTH, weight * np.sqrt(2.0), constant=1.0, window=WINDOW, add_back=True)
        own = {"window": WINDOW, "normalize_scores": scored}
        return partial(our_novelty, novelty, scored), peers.pyversity("ssd", diversity, **own)
    if scored:
        # Its determinant takes exp(2 (1 - diversity) z).
        novelty = Novelty(LOG, 0.5 / (1.0 - diversity))
        return partial(our_novelty, novelty, True), peers.pyversity("dpp", diversity)
    return partial(our_novelty, Novelty(LOG, weight), False), peers.pyversity_dpp_on_f(weight)


def alike(found: np.ndarray, theirs: object, k: int) -> float:
    """Return the share of places at which both picked the same."""
    ours = np.argsort(np.where(found > 0, found, len(found) + 1), kind="stable")[:k]
    return float((ours[: len(theirs.indices)] == theirs.indices).mean())


@dataclass(frozen=True, slots=True)
class Result:
    """One race at one lambda: medians in microseconds, ratios within the rounds."""

    bar: Bar
    weight: float
    ours: float
    theirs: float
    ratio: float
    alike: float
    of_eager: float | None


def race(bar: Bar, weight: float, requests: Requests, rounds: int) -> Result:
    """Let ours, theirs and, for MMR, the eager kernel take turns."""
    mine, other = pair(bar.method, weight)
    field = [
        Contestant("ours", bar.method, mine),
        Contestant("theirs", bar.method, peer(other)),
    ]
    if bar.method == "MMR":
        run = partial(_eagerly, weight)
        field.append(Contestant("eager", bar.method, run))
    first = int(requests.ends[0])
    theirs = other(requests.f[:first], requests.table[:first], requests.u[0], bar.k)
    same = alike(mine(requests, bar.k)[:first], theirs, min(bar.k, first))
    found = {name: np.array(times) for name, times in take_turns(field, requests, bar.k, rounds)}
    return Result(
        bar,
        weight,
        float(np.median(found["ours"])),
        float(np.median(found["theirs"])),
        float(np.median(found["theirs"] / found["ours"])),
        same,
        float(np.median(found["ours"] / found["eager"])) if "eager" in found else None,
    )


def _eagerly(weight: float, requests: Requests, k: int) -> np.ndarray:
    return eager.pick(requests, weight, k)


def table(results: list[Result]) -> str:
    """Return the races as Markdown, each with its bar and whether it is reached."""
    lines = [
        "| race | lambda | ours µs | pyversity µs | ratio | bar | same picks | of eager |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for bar in dict.fromkeys(one.bar for one in results):
        own = [one for one in results if one.bar == bar]
        name = f"{bar.method}, N {bar.n}, K {bar.k}"
        for one in own:
            judged = one.weight in WEIGHTS
            cells = [
                name,
                f"{one.weight:g}",
                f"{one.ours:,.0f}",
                f"{one.theirs:,.0f}",
                _against(one.ratio, bar.each) if judged else f"{one.ratio:.1f}x",
                f"{bar.each:g}x" if judged else "",
                f"{one.alike:.0%}",
                "" if one.of_eager is None else _within(one.of_eager),
            ]
            lines.append(f"| {' | '.join(cells)} |")
        ratios = [one.ratio for one in own if one.weight in WEIGHTS]
        mean = float(np.exp(np.mean(np.log(ratios))))
        lines.append(f"| {name} | mean | | | {_against(mean, bar.mean)} | {bar.mean:g}x | | |")
    return "\n".join(lines) + "\n"


def _against(ratio: float, least: float) -> str:
    return f"{ratio:.1f}x" if ratio >= least else f"**{ratio:.1f}x**"


def _within(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio <= EAGER else f"**{ratio:.2f}**"
