"""The pictures of the page: fronts, value against weight, and how alike a request's items are."""

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from jobs.report.svg import INK, MUTED, drawing, inline
from jobs.study.evidence import Evidence, Key
from jobs.study.methods import METHODS
from jobs.study.tables import LABELS
from jobs.study.trainings import DCN

COLOURS = {
    (DCN, "mmr_item"): "#d55e00",
    (DCN, "mmr"): "#e69f00",
    (DCN, "one_pass"): "#b07aa1",
    (DCN, "category_decay"): "#009e73",
    (DCN, "dpp"): "#8c8c8c",
    (DCN, "ssd"): "#a6761d",
    ("cdm", "fused"): "#0072b2",
    ("lambda_0", "fused"): "#56b4e9",
    ("cdm", "category_decay"): "#00513c",
}
"""The methods whose fronts are drawn; re-rankings in thin lines, students in thick ones."""
HEIGHT = 460


def fronts(found: Evidence, k: int) -> Markup:
    """Draw accuracy, and where truth is known value, against diversity: a line for each method."""
    across = found.diversity
    ups = [m for m in ("recall", "value_ratio") if Key(DCN, "f", "0", k, m) in found]
    with drawing(HEIGHT) as figure:
        grid = figure.subplots(1, 2, squeeze=False)[0]
        figure.subplots_adjust(0.055, 0.12, 0.985, 0.82, 0.13)
        for axes, up in zip(grid, ups, strict=False):
            _front(axes, found, k, across, up)
        for axes in grid[len(ups) :]:
            axes.set_axis_off()
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper left", ncols=5, frameon=False, fontsize=10)
        says = f"Recall and value against diversity on {found.name} at K = {k}"
        return inline(figure, f"front-{found.name}-{k}", says)


def _front(axes: Axes, found: Evidence, k: int, across: str, up: str) -> None:
    for method in METHODS:
        colour = COLOURS.get((method.training, method.ranking))
        weights = found.weights(method.training, method.ranking)
        if colour is None or not weights:
            continue
        keys = [
            [Key(method.training, method.ranking, w, k, metric) for w in weights]
            for metric in (across, up)
        ]
        x, y = ([found.sample(key).found for key in line] for line in keys)
        taught = method.ranking == "fused"
        axes.plot(
            x,
            y,
            color=colour,
            marker="o" if taught else ".",
            markersize=5,
            linewidth=2.4 if taught else 1.2,
            label=method.label,
            zorder=3 if taught else 2,
        )
    base = [found.sample(Key(DCN, "f", "0", k, metric)).figure() for metric in (across, up)]
    axes.errorbar(
        *(one.value for one in base),
        xerr=_reach(base[0]),
        yerr=_reach(base[1]),
        color=INK,
        marker="s",
        label="DCN, 95 % interval",
        linestyle="none",
        zorder=4,
    )
    axes.set_xlabel(f"{LABELS[across]}@{k}  (more varied →)")
    axes.set_title(f"{LABELS[up]}@{k}")
    axes.tick_params(colors=MUTED)


def _reach(one: object) -> list[list[float]]:
    return [[one.value - one.low], [one.high - one.value]]


def likeness(found: Evidence) -> Markup:
    """Draw Fig. 2: densities of the cosine between a target and its request's candidates."""
    each = [text["likeness"] for (_, name), text in found.texts.items() if name == DCN]
    edges = np.linspace(-1, 1, len(each[0]["all"]) + 1)
    labels = {
        "all": ("all candidates", MUTED),
        "positive": ("most alike (positive context)", "#0072b2"),
        "negative": ("least alike (negative context)", "#d55e00"),
    }
    with drawing(260) as figure:
        axes = figure.subplots()
        figure.subplots_adjust(0.055, 0.2, 0.985, 0.9)
        for name, (label, colour) in labels.items():
            mean = np.mean([one[name] for one in each], axis=0)
            axes.stairs(mean, edges, color=colour, label=label, linewidth=1.8)
        axes.set_xlabel("cosine of item vectors")
        axes.set_title("Density")
        axes.legend(frameon=False, fontsize=10)
        says = f"How alike candidates are on {found.name}"
        return inline(figure, f"likeness-{found.name}", says)
