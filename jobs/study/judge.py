"""What lists are worth, request by request, and the means that results keep."""

import numpy as np

from jobs import evaluate
from jobs.study.arena import Judged

Figures = dict[str, np.ndarray]
"""By metric: its value a request [R], NaN where it has none."""


def figures(judged: Judged, places: np.ndarray, best: np.ndarray | None) -> Figures:
    """Judge some lists [R, K]; `best` is V* [R], where truth is known.

    value_ratio is V over the mean V*, so that its mean is the ratio of the means.
    """
    found = evaluate.figures(judged.day, places, judged.truth, {})
    each = {metric: value for metric, (value, _) in found.items()}
    if best is not None:
        each["value_ratio"] = each.pop("value") / best.mean()
    return each


def means(judged: Judged, places: np.ndarray, each: Figures) -> dict[str, float]:
    """Return each metric's mean, and what is known of all lists only."""
    found = {metric: float(np.nanmean(value)) for metric, value in each.items()}
    if judged.day.category is not None:
        found["category_coverage"] = evaluate.coverage(judged.day, places)
    return {metric: float(f"{value:.6g}") for metric, value in found.items()}
