"""The value of lists under the simulator's truth, for the days that have one."""

from dataclasses import dataclass

import numpy as np

from jobs.features import flat, lengths
from jobs.judged_day import JudgedDay
from jobs.lake import Partition
from model.satiation import Audience, list_values

CHUNK = 256
"""Requests whose lists are valued together."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a judged day; the audiences' arrays are slices of the candidates' own."""

    start: np.ndarray
    """Index of each request's first candidate among the day's [R]."""
    audiences: list[Audience]
    """One a request, in the order of the day's."""
    p: np.ndarray  # [M]
    wear: np.ndarray  # [M]
    kind: np.ndarray  # [M] or [M, d]

    def value(self, places: np.ndarray) -> np.ndarray:
        """Return V of each list [R]; `places` [R, K] are the day's candidates, -1 at the end."""
        examination = self.audiences[0].examination[: places.shape[1]]
        found = []
        for start in range(0, len(places), CHUNK):
            chunk = places[start : start + CHUNK]
            given = (values[chunk] for values in (self.p, self.wear, self.kind))
            found.append(list_values(*given, chunk >= 0, examination))
        return np.concatenate(found)

    def best(self, k: int) -> np.ndarray:
        """Return V* of each request: exact where wear goes by category, else the greedy's value."""
        return np.array([audience.value(audience.best(k)) for audience in self.audiences])

    def top_by_p(self, k: int) -> np.ndarray:
        """Return V of the k most clickable candidates of each request."""
        return np.array([audience.value(audience.top_by_p(k)) for audience in self.audiences])


def read_truth(partition: Partition, day: JudgedDay, *, by_likeness: bool) -> Truth | None:
    """Return the day's truth, or None where the logs are real."""
    if partition.manifest() is None:
        return None
    table = partition.read().sort_by("request_id")
    same = np.array_equal(flat(table["item_id"]).to_numpy(), day.item_id)
    if not same or not np.array_equal(lengths(table["item_id"]), day.count):
        raise ValueError(f"{partition.name} does not list the candidates of candidate_sets")
    p, wear = (flat(table[name]).to_numpy() for name in ("p", "wear"))
    kind = day.reference if by_likeness else day.category.argmax(axis=1)
    examination = np.array(table["examination"][0].as_py())
    slices = [slice(s, s + n) for s, n in zip(day.start, day.count, strict=True)]
    audiences = [Audience(day.item_id[s], p[s], wear[s], kind[s], examination) for s in slices]
    return Truth(day.start, audiences, p, wear, kind)
