"""The libraries that the teachers are timed against, each as a function of one request.

All are called as their readers would call them: one request a call, cosine similarity, float32.
"""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

LOCK = Path(__file__).resolve().parents[1] / "requirements-benchmarks.lock"
INSTALL = "pip install -r requirements.lock -r requirements-benchmarks.lock"
NEEDED = ("pyversity", "langchain-core")

Peer = Callable[[np.ndarray, np.ndarray, np.ndarray, int], object]
"""From f [N], e [N, d], u [d] and K."""


class Missing(Exception):
    """A peer is not installed, or not in the version that requirements-benchmarks.lock pins."""


def require_peers() -> None:
    """Raise Missing, with the command that installs them, unless all peers are as pinned."""
    pins = dict(line.split("==") for line in LOCK.read_text().split() if "==" in line)
    for name in NEEDED:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != pins[name]:
            raise Missing(f"{name} {pins[name]} is needed but {found}; run: {INSTALL}")


def fast_map_dpp(kernel: np.ndarray, k: int, least: float = 1e-10) -> np.ndarray:
    """Return the greedy MAP of a full kernel [N, N] (Chen 2018, Algorithm 1, in numpy).

    It is what laming-chen/fast-map-dpp does; that is on no package index. Stops where the best
    squared residual is below `least`.
    """
    rest = kernel.diagonal().copy()
    c = np.zeros((k, len(kernel)))
    picks = [int(rest.argmax())]
    for step in range(k - 1):
        last = picks[-1]
        c[step] = (kernel[last] - c[:step, last] @ c[:step]) / np.sqrt(rest[last])
        rest -= c[step] ** 2
        best = int(rest.argmax())
        if rest[best] < least:
            break
        picks.append(best)
    return np.array(picks)


def with_gram(f: np.ndarray, e: np.ndarray, _: np.ndarray, k: int) -> np.ndarray:
    """Run fast_map_dpp on L = diag(q) S diag(q), the making of L included."""
    unit = e / np.linalg.norm(e, axis=1, keepdims=True)
    q = np.exp(2.0 * f)
    return fast_map_dpp((unit @ unit.T).astype(np.float64) * q * q[:, None], k)


def pyversity(strategy: str, diversity: float, **own: object) -> Peer:
    """Return a strategy of pyversity; its theta is 1 - diversity."""
    from pyversity import Strategy, diversify

    def run(f: np.ndarray, e: np.ndarray, _: np.ndarray, k: int) -> object:
        return diversify(e, f, k, strategy=Strategy(strategy), diversity=diversity, **own)

    return run


def pyversity_dpp_on_f(weight: float) -> Peer:
    """Return pyversity's DPP with its z-scores undone: exp(f / weight) in the determinant."""
    from pyversity import Strategy, diversify

    def run(f: np.ndarray, e: np.ndarray, _: np.ndarray, k: int) -> object:
        # Its weights are exp((1 - diversity) * scale * z).
        scale = float(f.std()) / weight
        return diversify(e, f, k, strategy=Strategy("dpp"), diversity=0.5, scale=scale)

    return run


def langchain_mmr() -> Peer:
    """Return langchain-core's MMR; relevance is the cosine to u, as it takes no scores."""
    from langchain_core.vectorstores.utils import maximal_marginal_relevance

    def run(_: np.ndarray, e: np.ndarray, u: np.ndarray, k: int) -> object:
        return maximal_marginal_relevance(u, list(e), lambda_mult=0.8, k=k)

    return run
