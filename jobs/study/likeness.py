"""Fig. 2: how alike a target is to its request's candidates, and to the nearest and farthest."""

import numpy as np

from jobs.study.arena import Arena, Requests
from jobs.study.outputs import Outputs

TARGETS, NEAREST, BINS, SEED = 200, 100, 40, 2


def likeness(arena: Arena, requests: Requests, said: Outputs) -> dict[str, list[float]]:
    """Return densities of the cosine between item vectors, in bins from -1 to 1.

    Over random targets, one of a request: to all its candidates, to the 100 (or, in small requests,
    the third) most alike, which the paper calls the positive context, and to the least alike.
    """
    rng = np.random.default_rng(SEED)
    rows = arena.item_rows(requests)
    unit = said.e / np.maximum(np.linalg.norm(said.e, axis=1, keepdims=True), 1e-12)
    edges = np.linspace(-1, 1, BINS + 1)
    sums = {name: np.zeros(BINS) for name in ("all", "positive", "negative")}
    start = requests.ends - requests.encoded.lengths
    for request in rng.choice(len(requests), size=min(TARGETS, len(requests)), replace=False):
        mine = unit[rows[start[request] : requests.ends[request]]]
        target = rng.integers(len(mine))
        cosine = np.sort(np.delete(mine @ mine[target], target))
        few = min(NEAREST, len(cosine) // 3)
        parts = {"all": cosine, "positive": cosine[-few:], "negative": cosine[:few]}
        for name, values in parts.items():
            if len(values):
                sums[name] += np.histogram(np.clip(values, -1, 1), edges, density=True)[0]
    return {
        name: [float(f"{x:.3g}") for x in total / max(total.sum() * 2 / BINS, 1e-12)]
        for name, total in sums.items()
    }
