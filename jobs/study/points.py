"""The weight at which each method stands in tables, chosen by validation days, and its figures."""

from dataclasses import dataclass

from jobs.study.choice import at_equal_recall, by_value
from jobs.study.evidence import Evidence, Figure, Key
from jobs.study.methods import METHODS, Method
from jobs.study.trainings import DCN

PLAIN = "0"
"""The only weight of a ranking that has none."""


@dataclass(frozen=True, slots=True)
class Point:
    """A method at the weight chosen for it."""

    method: Method
    weight: str

    def key(self, k: int, metric: str) -> Key:
        """Return the name of one of its figures."""
        return Key(self.method.training, self.method.ranking, self.weight, k, metric)


DCN_POINT = Point(Method("DCN", DCN, "f", ""), PLAIN)


def points(found: Evidence, k: int, kept_recall: float, *, most_value: bool = False) -> list[Point]:
    """Return every method that has results, at the weight of most diversity at equal recall.

    With `most_value` it is the weight of most value under the truth. Either judges the validation
    day, mean over seeds.
    """
    recall = found.validation(DCN, "f", k)[PLAIN]["recall"]
    chosen = []
    for method in METHODS:
        if not found.weights(method.training, method.ranking):
            continue
        front = found.validation(method.training, method.ranking, k)
        weight = by_value(front) if most_value else at_equal_recall(front, kept_recall * recall)
        chosen.append(Point(method, weight))
    return chosen


def figure(found: Evidence, point: Point, k: int, metric: str) -> Figure | None:
    """Return a figure of a point; None where it has none."""
    key = point.key(k, metric)
    return found.sample(key).figure() if key in found else None


def ratio(found: Evidence, point: Point, over: Point, k: int, metric: str) -> Figure | None:
    """Return a figure as a ratio to another point's."""
    keys = point.key(k, metric), over.key(k, metric)
    if not all(key in found for key in keys):
        return None
    top, bottom = (found.sample(key) for key in keys)
    return (top / bottom).figure()
