"""Learning curves: the three losses of each trained model, in training and on held-out users."""

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
SPLITS = {
    "training": ("training", "cdm", "o", "-"),
    "held-out users": ("validation", "mmr", "s", (0, (4, 2))),
}
"""Name in the picture: key in the history, whose colour, marker, dashes."""
ACROSS = 4
"""Models side by side; further ones get a picture of their own."""
PANEL_HEIGHT = 195


def learning_curves(models: list[TrainedModel]) -> list[Markup]:
    """Draw every model, a column each, a row for each loss; a row shares its axis."""
    groups = [models[i : i + ACROSS] for i in range(0, len(models), ACROSS)]
    return [_draw(group, number) for number, group in enumerate(groups)]


def _draw(models: list[TrainedModel], number: int) -> Markup:
    losses = [name for name in LOSSES if name == "click" or any(m.learns(name) for m in models)]
    height = 60 + PANEL_HEIGHT * len(losses)
    with drawing(height) as figure:
        grid = figure.subplots(len(losses), ACROSS, squeeze=False, sharey="row")
        figure.subplots_adjust(0.05, 45 / height, 0.99, 1 - 45 / height, 0.12, 0.28)
        for row, (loss, panels) in enumerate(zip(losses, grid, strict=True)):
            for column, axes in enumerate(panels):
                if column >= len(models):
                    axes.set_axis_off()
                    continue
                model = models[column]
                if column == 0:
                    axes.set_ylabel(LOSSES[loss])
                if row == 0:
                    axes.set_title(f"{model.kind.upper()} of {model.day}", fontweight="bold")
                if model.learns(loss):
                    _panel(axes, model, loss)
                    if row == len(losses) - 1:
                        axes.set_xlabel("epoch")
                else:
                    axes.text(
                        0.5, 0.5, "no student, no such loss", color=MUTED, ha="center",
                        va="center", transform=axes.transAxes,
                    )  # fmt: skip
                    axes.grid(visible=False)
                    axes.set_xticks([])
        _explain(grid[0][0], models[0], losses[0])
        return inline(figure, f"curves{number}", "Losses by epoch of every trained model")


def _values(model: TrainedModel, split: str, loss: str) -> list[float]:
    return [epoch[split][loss] for epoch in model.history]


def _panel(axes: Axes, model: TrainedModel, loss: str) -> None:
    epochs = [epoch["epoch"] for epoch in model.history]
    for split, shade, mark, dashes in SPLITS.values():
        values = _values(model, split, loss)
        axes.plot(epochs, values, color=colour(shade), marker=mark, markersize=3, linestyle=dashes)
    axes.axvline(model.kept["epoch"], color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    step = max(1, -(-len(epochs) // 6))
    axes.set_xticks(epochs[::step])
    axes.margins(y=0.12)


def _explain(axes: Axes, model: TrainedModel, loss: str) -> None:
    """Label the two lines at their ends, once; the limits are final by now."""
    epochs = [epoch["epoch"] for epoch in model.history]
    labels, obstacles = [], []
    for text, (split, shade, _, _) in SPLITS.items():
        values = _values(model, split, loss)
        labels.append(Label(epochs[-1], values[-1], text, colour(shade), bold=True))
        obstacles += along(axes, epochs, values)
    place_labels(axes, labels, obstacles)
