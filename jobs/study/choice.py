"""Which weight a ranking is given, by the validation day alone."""

from collections.abc import Collection

Front = dict[str, dict[str, float]]
"""The means of a ranking's lists, by metric, for each of its weights written as text."""


def diversity_of(metrics: Collection[str]) -> str:
    """Return the metric of diversity that a data set with these is judged by first."""
    return "ilad_category" if "ilad_category" in metrics else "ilad_reference"


def at_equal_recall(front: Front, recall: float) -> str:
    """Return the weight of most diversity among those that keep so much recall.

    Where none does it is the one of highest recall.
    """
    kept = {weight: means for weight, means in front.items() if means["recall"] >= recall}
    if not kept:
        return max(front, key=lambda weight: front[weight]["recall"])
    return max(kept, key=lambda weight: kept[weight][diversity_of(kept[weight])])


def by_value(front: Front) -> str:
    """Return the weight whose lists are worth most under the truth."""
    return max(front, key=lambda weight: front[weight]["value_ratio"])
