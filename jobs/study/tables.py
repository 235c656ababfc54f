"""The tables of the page: every method at its chosen weight, as values and as ratios."""

from dataclasses import dataclass

import numpy as np

from jobs.study import paper
from jobs.study.evidence import Evidence, Figure
from jobs.study.points import DCN_POINT, Point, figure, ratio
from jobs.study.trainings import DCN

LABELS = {
    "recall": "Recall",
    "mrr": "MRR",
    "ndcg": "NDCG",
    "ilad_category": "ILAD by category",
    "ilad_reference": "ILAD by vectors",
    "distinct_categories": "Categories in a list",
    "category_coverage": "Category coverage",
    "value_ratio": "V/V*",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table."""

    value: float
    ratio: Figure | None
    """To the method that the table compares with; without an interval for what has none."""
    paper: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One method."""

    point: Point
    cells: dict[str, Cell | None]


def table(
    found: Evidence,
    shown: list[Point],
    k: int,
    over: Point = DCN_POINT,
    papers: dict[int, dict[str, tuple[float, ...]]] = paper.OVER_DCN,
) -> list[Row]:
    """Return a row for each point, with ratios to `over` and the paper's own beside."""
    rows = []
    for point in shown:
        names = (point.method.ranking, point.method.training)
        cells: dict[str, Cell | None] = {}
        for metric in LABELS:
            own, apart = figure(found, point, k, metric), ratio(found, point, over, k, metric)
            theirs = paper.beside(papers, k, names, metric) if point != over else None
            if metric == "category_coverage":
                own, apart = _coverage(found, point, k), None
                against = _coverage(found, over, k)
                if own is not None:
                    even = own.value / against.value
                    apart = Figure(even, np.nan, np.nan)
            cells[metric] = None if own is None else Cell(own.value, apart, theirs)
        rows.append(Row(point, cells))
    return rows


def columns(rows: list[Row]) -> list[str]:
    """Return the metrics that any row has."""
    return [metric for metric in LABELS if any(row.cells[metric] for row in rows)]


def _coverage(found: Evidence, point: Point, k: int) -> Figure | None:
    """Return the mean over seeds of what only all lists together have."""
    each = []
    for (_, training), text in found.texts.items():
        if training == point.method.training:
            at = text["rankings"][point.method.ranking][point.weight]["test"][str(k)]
            each.append(at.get("category_coverage", np.nan))
    return None if np.isnan(each).all() else Figure(float(np.mean(each)), np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What a student knows of its teacher on the test day, mean over seeds."""

    label: str
    teacher: str
    figures: dict[str, float]


def fidelities(found: Evidence, labels: dict[str, str]) -> list[Fidelity]:
    """Return a row for each training that has a teacher."""
    rows = []
    for training, label in labels.items():
        mine = [text for (_, name), text in found.texts.items() if name == training != DCN]
        mine = [text for text in mine if "fidelity_test" in text]
        if mine:
            each = [text["fidelity_test"] for text in mine]
            figures = {
                name: float(np.mean([one.get(name, np.nan) for one in each])) for name in each[0]
            }
            weights = sorted({t["teacher"]["weight"] for t in mine})
            told = f"{mine[0]['teacher']['name']} at {', '.join(f'{w:g}' for w in weights)}"
            rows.append(Fidelity(label, told, figures))
    return rows
