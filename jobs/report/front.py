"""The accuracy-diversity picture: every method with its intervals, the swept weights as fronts."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from jobs.report.metric_table import BASELINE, WEIGHTS, Method, Number, Numbers
from jobs.report.place_labels import Label, along, place_labels
from jobs.report.svg import INK, MUTED, colour, drawing, inline, marker

FAR = ("random", "pre_ranker", "promoted")
"""Methods for scale: they stand in the whole picture and may lie outside the enlarged part."""
PANEL_HEIGHT = 430


@dataclass(frozen=True, slots=True)
class Point:
    """One method in the picture."""

    method: Method
    x: Number
    y: Number


def front(numbers: Numbers, weights: dict[str, float]) -> Markup | None:
    """Draw the picture; `weights` are gamma, where a student serves, and lambda, by method.

    One row of panels for Recall and, where truth is known, one for V/V*; on the left every method
    on axes that start at 0, on the right the frame enlarged.
    """
    k = numbers.ks[-1]
    across = numbers.diversity
    rows = [
        (name, points)
        for name in ("recall", "value_ratio")
        if (points := _points(numbers, name, across, k))
    ]
    if not rows:
        return None
    with drawing(PANEL_HEIGHT * len(rows)) as figure:
        grid = figure.subplots(len(rows), 2, squeeze=False)
        figure.subplots_adjust(0.055, 0.11 / len(rows), 0.975, 1 - 0.08 / len(rows), 0.14, 0.28)
        for (name, points), (whole, near) in zip(rows, grid, strict=True):
            for axes in (whole, near):
                axes.set_xlabel(f"{numbers.at_k(across, k)}  (more varied →)")
                axes.set_ylabel(f"{numbers.at_k(name, k)}  (better →)")
            limits = _near_limits(points)
            _draw_whole(whole, points, limits, weights)
            _draw_near(near, points, limits, weights)
            whole.set_title("Every method, axes from 0")
            near.set_title("The frame enlarged: axes do not start at 0")
        return inline(figure, "front", f"Accuracy against diversity of every method at K = {k}")


def _points(numbers: Numbers, metric: str, across: str, k: int) -> list[Point]:
    found = []
    for method in numbers.methods:
        x, y = numbers.get(method.name, across, k), numbers.get(method.name, metric, k)
        if x is not None and y is not None:
            found.append(Point(method, x, y))
    return found


def _span(points: list[Point], axis: str) -> tuple[float, float]:
    numbers = [getattr(point, axis) for point in points]
    low = min(n.value if n.low is None else n.low for n in numbers)
    high = max(n.value if n.high is None else n.high for n in numbers)
    return low, high


def _near_limits(points: list[Point]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the x and y limits of the enlarged part: all but the methods for scale."""
    near = [point for point in points if point.method.base not in FAR] or points
    limits = []
    for axis in ("x", "y"):
        low, high = _span(near, axis)
        room = 0.16 * (high - low) or 0.05
        limits.append((low - room, high + room))
    return limits[0], limits[1]


def _bars(axes: Axes, points: list[Point]) -> list[Bbox]:
    """Draw points and interval bars; return the boxes that labels keep off."""
    boxes = []
    for point in points:
        x, y, method = point.x, point.y, point.method
        axes.errorbar(
            x.value,
            y.value,
            xerr=_reach(x),
            yerr=_reach(y),
            color=colour(method.base),
            marker=marker(method.base),
            markersize=4 if method.swept else 8,
            elinewidth=0.7 if method.swept else 1.3,
            alpha=0.5 if method.swept else 1,
            zorder=2 if method.swept else 3,
        )
        size = 4 if method.swept else 7
        cx, cy = axes.transData.transform((x.value, y.value))
        boxes.append(Bbox([[cx - size, cy - size], [cx + size, cy + size]]))
        if not method.swept:
            for number, along in ((x, 0), (y, 1)):
                ends = [
                    axes.transData.transform((end, y.value) if along == 0 else (x.value, end))
                    for end in (number.low, number.high)
                    if end is not None
                ]
                if len(ends) == 2:
                    low, high = np.minimum(*ends) - 1.5, np.maximum(*ends) + 1.5
                    boxes.append(Bbox([low, high]))
    return boxes


def _reach(number: Number) -> list[list[float]] | None:
    if number.low is None or number.high is None:
        return None
    return [[max(number.value - number.low, 0)], [max(number.high - number.value, 0)]]


def _fronts(axes: Axes, points: list[Point], weights: dict[str, float]) -> list[Bbox]:
    """Join the swept points of a method, the profile's own weight among them.

    Return boxes along the lines, for labels to keep off.
    """
    boxes = []
    for base in WEIGHTS:
        # Where no student serves, what stands as cdm is no point of the student's line.
        mine = [p for p in points if p.method.base == base]
        swept = [p for p in mine if p.method.swept or base in weights]
        if len(swept) < 2:
            continue
        swept.sort(key=lambda p: p.method.weight if p.method.swept else weights[base])
        axes.plot(
            [p.x.value for p in swept],
            [p.y.value for p in swept],
            color=colour(base),
            linewidth=1.2,
            alpha=0.7,
            zorder=1.8,
        )
        boxes += along(axes, [p.x.value for p in swept], [p.y.value for p in swept])
    return boxes


def _label(point: Point, weights: dict[str, float]) -> Label:
    method = point.method
    if method.swept:
        # A line that has no point with its name has to say at each whose it is.
        text = method.weight_label if method.base in weights else method.label
    elif method.base in weights:
        text = f"{method.label}, {WEIGHTS[method.base]} {weights[method.base]:g}"
    else:
        text = f"{method.label} (baseline)" if method.base == BASELINE else method.label
    shade = colour(method.base)
    return Label(point.x.value, point.y.value, text, shade, bold=not method.swept)


def _draw_whole(axes: Axes, points: list[Point], near: tuple, weights: dict[str, float]) -> None:
    for axis, set_limits in (("x", axes.set_xlim), ("y", axes.set_ylim)):
        low, high = _span(points, axis)
        set_limits(min(0.0, low * 1.05), max(high, near["xy".index(axis)][1]) * 1.08)
    (x0, x1), (y0, y1) = near
    frame = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=MUTED, linewidth=0.9)
    frame.set_linestyle((0, (3, 2)))
    axes.add_patch(frame)
    _fronts(axes, points, weights)
    boxes = _bars(axes, points)
    framed = axes.transData.transform([[x0, y0], [x1, y1]])
    outside = [p for p in points if not (x0 <= p.x.value <= x1 and y0 <= p.y.value <= y1)]
    alone = [_label(p, weights) for p in outside]
    alone.append(Label((x0 + x1) / 2, y0, "enlarged at right", MUTED))
    place_labels(axes, alone, [*boxes, Bbox(framed)])


def _draw_near(axes: Axes, points: list[Point], near: tuple, weights: dict[str, float]) -> None:
    (x0, x1), (y0, y1) = near
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    shown = [p for p in points if x0 <= p.x.value <= x1 and y0 <= p.y.value <= y1]
    base = next((p for p in shown if p.method.name == BASELINE), None)
    if base is not None:
        for line, at in ((axes.axvline, base.x.value), (axes.axhline, base.y.value)):
            line(at, color=INK, linewidth=0.7, linestyle=(0, (1, 3)), zorder=1)
    boxes = _fronts(axes, shown, weights) + _bars(axes, shown)
    place_labels(
        axes, [_label(p, weights) for p in sorted(shown, key=lambda p: p.method.swept)], boxes
    )
