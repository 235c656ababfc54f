"""Contestants that take turns in one process, so that what the machine does meanwhile hits all."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import peers
from model.teachers.requests import Requests

SECONDS = 0.02
"""CPU time that a sample takes at least, for the clock's sake."""
Run = Callable[[Requests, int], object]
"""Of a batch at K."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A line of a table; its cost is compared with that of the first of its method."""

    name: str
    method: str
    run: Run
    work: Callable[[int, int], int] = lambda n, k: 0
    """What it needs at N and K; where that is too much it is not run."""


def peer(call: peers.Peer) -> Run:
    """Return a run of a peer over a batch, request by request."""

    def run(requests: Requests, k: int) -> None:
        for r, end in enumerate(requests.ends):
            part = slice(requests.ends[r - 1] if r else 0, end)
            call(requests.f[part], requests.table[part], requests.u[r], k)

    return run


def take_turns(
    field: list[Contestant], requests: Requests, k: int, rounds: int
) -> Iterator[tuple[str, list[float]]]:
    """Yield each contestant's microseconds of CPU per request, one of each round."""
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
    yield from found.items()
