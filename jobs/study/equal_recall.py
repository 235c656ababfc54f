"""The diversity that a ranking reaches at so much recall: a point of its front, interpolated."""

from itertools import pairwise

import numpy as np

from jobs.study.evidence import Evidence, Key, Sample


def diversity_at_recall(
    found: Evidence, training: str, ranking: str, k: int, metric: str, recall: Sample
) -> Sample | None:
    """Return the most of a metric on the front where recall is at least that much.

    Between two neighbouring weights recall and the metric are taken to change together, evenly. In
    a draw in which the front never has that recall there is no figure; None where that is so on
    average.
    """
    points = []
    for weight in found.weights(training, ranking):
        keys = [Key(training, ranking, weight, k, name) for name in ("recall", metric)]
        if not all(key in found for key in keys):
            return None
        points.append([found.sample(key) for key in keys])
    x = np.array([[p.found, *p.draws] for p, _ in points])  # [W, 1 + D]
    y = np.array([[p.found, *p.draws] for _, p in points])
    best = most_at(x, y, np.array([recall.found, *recall.draws]))
    if np.isnan(best[0]):
        return None
    return Sample(best[0], best[1:])


def most_at(x: np.ndarray, y: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return the largest y on fronts of W points where x is at least `least`; NaN without any.

    `x` and `y` are [W, D], `least` [D]; neighbouring points are joined by straight lines.
    """
    best = np.where(x >= least, y, -np.inf).max(axis=0)
    for (x0, x1), (y0, y1) in zip(pairwise(x), pairwise(y), strict=True):
        crosses = (x0 >= least) != (x1 >= least)
        share = np.where(crosses, (least - x0) / np.where(crosses, x1 - x0, 1.0), 0.0)
        best = np.where(crosses, np.maximum(best, y0 + share * (y1 - y0)), best)
    return np.where(np.isinf(best), np.nan, best)
