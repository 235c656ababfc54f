"""One panel of a picture of costs: a line a contestant, named where it ends, on two log axes."""

import io
import re
from collections.abc import Callable
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


class Look(NamedTuple):
    """How a contestant's line is drawn."""

    colour: str
    is_own: bool
    """Ours are drawn bold."""


def panel(
    axis: plt.Axes,
    points: dict[int, dict[str, float]],
    label: str,
    look: Callable[[str], Look],
    *,
    named: bool,
) -> None:
    """Draw the cost of each contestant by the number on the x axis."""
    names = {name: None for found in points.values() for name in found}
    ends = []
    for name in names:
        xs = [x for x in sorted(points) if name in points[x]]
        ys = [points[x][name] for x in xs]
        colour, is_own = look(name)
        axis.plot(
            xs,
            ys,
            color=colour,
            linewidth=2.4 if is_own else 1.1,
            linestyle="-" if is_own else "--",
            marker="o",
            markersize=4 if is_own else 3,
        )
        ends.append((ys[-1], xs[-1], name))
    last = max(points, default=0)
    axis.set(xscale="log", yscale="log", xlabel=label)
    axis.set_xticks(sorted(points), [f"{x:,}" for x in sorted(points)])
    axis.minorticks_off()
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    if named:
        _name_ends(axis, [end for end in ends if end[1] == last], look)
        _name_early_ends(axis, [end for end in ends if end[1] < last], look)


def _name_ends(
    axis: plt.Axes, ends: list[tuple[float, int, str]], look: Callable[[str], Look]
) -> None:
    """Write each name right of its line, pushed up where the one below would be overwritten."""
    to_points = axis.figure.dpi / 72
    right = axis.transAxes.transform((1.03, 0))[0]
    last = -1e9
    for y, x, name in sorted(ends):
        at = axis.transData.transform((x, y))[1]
        last = max(at, last + 11 * to_points)
        colour, is_own = look(name)
        axis.annotate(
            name,
            axis.figure.transFigure.inverted().transform((right, last)),
            xycoords="figure fraction",
            color=colour,
            fontweight="bold" if is_own else "normal",
            fontsize=8,
            va="center",
        )


def _name_early_ends(
    axis: plt.Axes, ends: list[tuple[float, int, str]], look: Callable[[str], Look]
) -> None:
    """Write above its end what a line is that does not reach the right."""
    for y, x, name in ends:
        axis.annotate(
            name,
            (x, y),
            xytext=(0, 7),
            textcoords="offset points",
            color=look(name).colour,
            fontsize=8,
            ha="center",
        )


def style(salt: str) -> dict[str, object]:
    """Return what makes a picture the same text each time."""
    own = {"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "sans-serif"}
    return own | {"font.size": 9}


def as_svg(figure: plt.Figure) -> str:
    """Return the picture as text, and close it."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    return re.sub(r"[ \t]+\n", "\n", text.getvalue())
