"""Learning curves of each trained model: its losses, and what its predictions are worth."""

from collections.abc import Callable
from typing import NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes

from jobs.report.evidence import TrainedModel
from jobs.report.place_labels import Label, along, place_labels
from jobs.report.svg import INK, MUTED, colour, drawing, inline

LOSSES = {
    "click": "Click loss",
    "distillation": "Distillation loss",
    "contrastive": "Contrastive loss (InfoNCE)",
}
MEASURES = {"auc": "AUC, held-out", "calibration": "Predicted / observed"}
QUALITY = {
    "click_auc": "AUC of f",
    "win_auc": "AUC of y_stu",
    "click_calibration": "f / clicks",
    "win_calibration": "y_stu / picks",
}
"""Keys in the history, and what a table calls them."""
ACROSS = 4
"""Models side by side; further ones get a picture of their own."""
PANEL_HEIGHT = 195
DASHES = (0, (4, 2))


class Curve(NamedTuple):
    """One line of a panel."""

    text: str
    values: list[float]
    shade: str
    mark: str
    dashes: object


class Row(NamedTuple):
    """One row of panels; a model without any curve in it has nothing of the kind."""

    label: str
    missing: str
    curves: Callable[[TrainedModel], list[Curve]]


def _loss(name: str) -> Row:
    def curves(model: TrainedModel) -> list[Curve]:
        training, held_out = (
            [epoch[split][name] for epoch in model.history] for split in ("training", "validation")
        )
        both = [
            Curve("training", training, "cdm", "o", "-"),
            Curve("held-out users", held_out, "mmr", "s", DASHES),
        ]
        return both if model.learns(name) else []

    return Row(LOSSES[name], "no student, no such loss", curves)


def _measure(name: str) -> Row:
    def curves(model: TrainedModel) -> list[Curve]:
        clicks, wins = (model.quality(f"{of}_{name}") for of in ("click", "win"))
        found = [Curve("f", clicks, "dcn", "s", DASHES), Curve("y_stu", wins, "cdm", "o", DASHES)]
        return [curve for curve in found if curve.values]

    return Row(MEASURES[name], "not measured", curves)


ROWS = [*map(_loss, LOSSES), *map(_measure, MEASURES)]


def learning_curves(models: list[TrainedModel]) -> list[Markup]:
    """Draw every model, a column each, a row for each loss and measure; a row shares its axis."""
    groups = [models[i : i + ACROSS] for i in range(0, len(models), ACROSS)]
    return [_draw(group, number) for number, group in enumerate(groups)]


def _draw(models: list[TrainedModel], number: int) -> Markup:
    rows = [row for row in ROWS if any(map(row.curves, models))]
    height = 60 + PANEL_HEIGHT * len(rows)
    explained = set()
    with drawing(height) as figure:
        grid = figure.subplots(len(rows), ACROSS, squeeze=False, sharey="row")
        figure.subplots_adjust(0.05, 45 / height, 0.99, 1 - 45 / height, 0.12, 0.28)
        for place, (row, panels) in enumerate(zip(rows, grid, strict=True)):
            for column, axes in enumerate(panels):
                if column >= len(models):
                    axes.set_axis_off()
                    continue
                model = models[column]
                if column == 0:
                    axes.set_ylabel(row.label)
                if place == 0:
                    axes.set_title(f"{model.called} of {model.day}", fontweight="bold")
                if row.curves(model):
                    _panel(axes, model, row.curves(model))
                    if place == len(rows) - 1:
                        axes.set_xlabel("epoch")
                else:
                    axes.text(
                        0.5, 0.5, row.missing, color=MUTED, ha="center",
                        va="center", transform=axes.transAxes,
                    )  # fmt: skip
                    axes.grid(visible=False)
                    axes.set_xticks([])
        # Each curve is named once, where it first comes; limits that a row shares are final by now.
        for row, panels in zip(rows, grid, strict=True):
            for axes, model in zip(panels, models, strict=False):
                new = [c for c in row.curves(model) if c.text not in explained]
                explained.update(curve.text for curve in new)
                _explain(axes, model, new, row.curves(model))
        return inline(figure, f"curves{number}", "Losses by epoch of every trained model")


def _epochs(model: TrainedModel) -> list[int]:
    return [epoch["epoch"] for epoch in model.history]


def _panel(axes: Axes, model: TrainedModel, curves: list[Curve]) -> None:
    epochs = _epochs(model)
    for _, values, shade, mark, dashes in curves:
        axes.plot(epochs, values, color=colour(shade), marker=mark, markersize=3, linestyle=dashes)
    axes.axvline(model.kept["epoch"], color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    step = max(1, -(-len(epochs) // 6))
    axes.set_xticks(epochs[::step])
    axes.margins(y=0.12)


def _explain(axes: Axes, model: TrainedModel, new: list[Curve], every: list[Curve]) -> None:
    """Label lines at their ends."""
    epochs = _epochs(model)
    labels = [
        Label(epochs[-1], curve.values[-1], curve.text, colour(curve.shade), bold=True)
        for curve in new
    ]
    obstacles = [box for curve in every for box in along(axes, epochs, curve.values)]
    place_labels(axes, labels, obstacles)
