"""The value of lists under the simulator's truth, for the days that have one."""

from dataclasses import dataclass

import numpy as np

from jobs.features import flat, lengths
from jobs.judged_day import JudgedDay
from jobs.lake import Partition
from model.ordering import top_k
from model.satiation import (
    best_by_category,
    best_by_likeness,
    list_value,
    repeats_by_category,
    repeats_by_likeness,
)


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a judged day; arrays follow its candidates."""

    day: JudgedDay
    p: np.ndarray  # [M]
    wear: np.ndarray  # [M]
    examination: np.ndarray  # [places]
    by_likeness: bool

    def value(self, places: np.ndarray) -> np.ndarray:
        """Return V of each list [R]; `places` [R, K] are candidate indices, -1 for none."""
        return np.array([self._worth(row[row >= 0]) for row in places])

    def best(self, k: int) -> np.ndarray:
        """Return V* of each request: exact where wear goes by category, else the greedy's value."""
        return np.array([self._worth(self._best(r, k)) for r in range(len(self.day.start))])

    def top_by_p(self, k: int) -> np.ndarray:
        """Return V of the k most clickable candidates of each request."""
        return np.array([self._worth(self._top(r, k)) for r in range(len(self.day.start))])

    def _worth(self, picks: np.ndarray) -> float:
        repeats = (
            repeats_by_likeness(self.day.reference[picks])
            if self.by_likeness
            else repeats_by_category(self._code(picks))
        )
        return list_value(self.p[picks], self.wear[picks], repeats, self.examination)

    def _code(self, picks: np.ndarray) -> np.ndarray:
        return self.day.category[picks].argmax(axis=1)

    def _slice(self, request: int) -> np.ndarray:
        start = self.day.start[request]
        return np.arange(start, start + self.day.count[request])

    def _top(self, request: int, k: int) -> np.ndarray:
        mine = self._slice(request)
        return mine[top_k(self.p[mine], self.day.item_id[mine], k)]

    def _best(self, request: int, k: int) -> np.ndarray:
        mine = self._slice(request)
        p, wear, item = self.p[mine], self.wear[mine], self.day.item_id[mine]
        if self.by_likeness:
            return mine[best_by_likeness(p, wear, self.day.reference[mine], item, k)]
        return mine[best_by_category(p, wear, self._code(mine), item, k)]


def read_truth(partition: Partition, day: JudgedDay, *, by_likeness: bool) -> Truth | None:
    """Return the day's truth, or None where the logs are real."""
    if partition.manifest() is None:
        return None
    table = partition.read().sort_by("request_id")
    same = np.array_equal(flat(table["item_id"]).to_numpy(), day.item_id)
    if not same or not np.array_equal(lengths(table["item_id"]), day.count):
        raise ValueError(f"{partition.name} does not list the candidates of candidate_sets")
    values = [flat(table[name]).to_numpy() for name in ("p", "wear")]
    return Truth(day, *values, np.array(table["examination"][0].as_py()), by_likeness)
