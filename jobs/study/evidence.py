"""All results of a study with their intervals: a bootstrap over seeds and, within each, requests.

Every figure is drawn from the same resamples, so that differences and ratios are paired. Letters:
S seeds, D draws, R requests.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from jobs.study.cell import Cell
from jobs.study.choice import diversity_of
from jobs.study.rankings import OFF

DRAWS, LEVEL = 1000, 0.95


class Key(NamedTuple):
    """One figure of one data set."""

    training: str
    ranking: str
    weight: str
    k: int
    metric: str


class Figure(NamedTuple):
    """A value and its interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on one side of zero, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, slots=True)
class Sample:
    """A figure as it was found, and as it is in every draw."""

    found: np.ndarray  # [] mean over seeds
    draws: np.ndarray  # [D]

    def figure(self) -> Figure:
        """Return it with its interval."""
        known = self.draws[~np.isnan(self.draws)]
        if not len(known):
            return Figure(float(self.found), np.nan, np.nan)
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Figure(float(self.found), float(low), float(high))

    def __sub__(self, other: "Sample") -> "Sample":
        """Return the paired difference."""
        return Sample(self.found - other.found, self.draws - other.draws)

    def __truediv__(self, other: "Sample") -> "Sample":
        """Return the paired ratio; NaN over 0."""
        return Sample(_over(self.found, other.found), _over(self.draws, other.draws))


@dataclass(frozen=True)
class Evidence:
    """What a study found on one data set."""

    name: str
    texts: dict[tuple[int, str], dict]
    """The cells' texts, by seed and training."""
    _means: dict[Key, np.ndarray] = field(default_factory=dict)  # [S]
    _drawn: dict[Key, np.ndarray] = field(default_factory=dict)  # [S, D]

    @cached_property
    def _chosen(self) -> np.ndarray:
        """Return which seeds each draw takes [S, D]."""
        count = len(self.seeds)
        return np.random.default_rng(0).integers(count, size=(count, DRAWS))

    @property
    def seeds(self) -> list[int]:
        """The seeds that have results."""
        return sorted({seed for seed, _ in self.texts})

    @property
    def diversity(self) -> str:
        """The metric of diversity that the data set is judged by first."""
        return diversity_of({key.metric for key in self._means})

    def __contains__(self, key: Key) -> bool:
        """Whether every seed has the figure."""
        return key in self._means and not np.isnan(self._means[key]).any()

    def sample(self, key: Key) -> Sample:
        """Return a figure, mean over seeds."""
        means, drawn = self._means[key], self._drawn[key]
        return Sample(means.mean(), drawn[self._chosen, np.arange(DRAWS)].mean(axis=0))

    def put(self, key: Key, place: int, mean: float, drawn: np.ndarray) -> None:
        """Add a figure of the seed at a place, with its draws [D]."""
        if key not in self._means:
            self._means[key] = np.full(len(self.seeds), np.nan)
            self._drawn[key] = np.full((len(self.seeds), DRAWS), np.nan)
        self._means[key][place] = mean
        self._drawn[key][place] = drawn

    def weights(self, training: str, ranking: str) -> list[str]:
        """Return the weights that a ranking was tried at, in the order of its front."""
        mine = [text for (_, name), text in self.texts.items() if name == training]
        tried = mine[0]["rankings"].get(ranking, {}) if mine else {}
        rising = sorted(tried, key=float)
        return rising[::-1] if ranking == "category_decay" else rising

    def validation(self, training: str, ranking: str, k: int) -> dict[str, dict[str, float]]:
        """Return the validation day's means by weight and metric, mean over seeds."""
        mine = [
            text["rankings"][ranking] for (_, name), text in self.texts.items() if name == training
        ]
        return {
            weight: {
                metric: float(np.mean([one[weight]["validation"][str(k)][metric] for one in mine]))
                for metric in mine[0][weight]["validation"][str(k)]
            }
            for weight in mine[0]
        }


def gather(name: str, cells: list[Cell]) -> Evidence:
    """Read the cells of one data set that are done, in all of its seeds.

    There is none while any of them lacks its figures by request, which are not kept for ever.
    """
    done = [cell for cell in cells if cell.data.name == name and cell.result.exists()]
    if not all(cell.requests.exists() for cell in done):
        done = []
    seeds = sorted({cell.seed for cell in done})
    texts = {(cell.seed, cell.training): _with_ends(cell.read()) for cell in done}
    found = Evidence(name, texts)
    for place, seed in enumerate(seeds):
        counts = None
        for cell in (one for one in done if one.seed == seed):
            table = pq.read_table(cell.requests)
            each = np.stack(table["each"].to_numpy()).astype(np.float64)  # [F, R]
            if counts is None:
                counts = _counts(each.shape[1], seed)
            known = ~np.isnan(each)
            filled = np.where(known, each, 0.0)
            drawn = (counts @ filled.T) / np.maximum(counts @ known.T, 1e-9)  # [D, F]
            means = filled.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            columns = [table[c].to_pylist() for c in ("ranking", "weight", "k", "metric")]
            ends = _ends(texts[cell.seed, cell.training]["rankings"])
            for row, (ranking, weight, k, metric) in enumerate(zip(*columns, strict=True)):
                for name, at in ((ranking, weight), *(ends if ranking == "f" else ())):
                    key = Key(cell.training, name, at, int(k), metric)
                    found.put(key, place, means[row], drawn[:, row])
    return found


def _ends(tried: dict[str, dict]) -> list[tuple[str, str]]:
    """Return the re-rankings of f with the weight at which each is f itself."""
    return [(name, off) for name, off in OFF.items() if name in tried and "f" in tried]


def _with_ends(text: dict) -> dict:
    """Return a cell's text where every re-ranking of f may also be left off."""
    tried = text["rankings"]
    ended = {name: {off: tried["f"]["0"]} | tried[name] for name, off in _ends(tried)}
    return text | {"rankings": tried | ended}


def _over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return top / np.where(bottom == 0, np.nan, bottom)


def _counts(requests: int, seed: int) -> np.ndarray:
    """Return how often each request stands in each resample [D, R]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(requests, np.full(requests, 1 / requests), size=DRAWS).astype(float)
