"""Labels beside their points, none on another: direct labels instead of a legend."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from jobs.report.svg import MUTED

DISTANCES = (9, 14, 20, 28, 38, 50, 64, 80, 100)
ANGLES = (45, -45, 135, -135, 0, 180, 90, -90, 22, -22, 158, -158, 67, -67, 113, -113)


@dataclass(frozen=True, slots=True)
class Label:
    """A text for a point given in data coordinates."""

    x: float
    y: float
    text: str
    colour: str
    bold: bool = False


def place_labels(axes: Axes, labels: list[Label], obstacles: list[Bbox]) -> None:
    """Write the labels, the first ones nearest to their points; long ways get a leader line.

    `obstacles` are boxes in display coordinates that no label may cover. Where no place is free
    the least covered one is taken.
    """
    renderer = axes.figure.canvas.get_renderer()
    inside = axes.get_window_extent(renderer)
    taken = np.array([box.extents for box in obstacles]).reshape(-1, 4)
    for label in labels:
        weight = "bold" if label.bold else "normal"
        text = axes.text(0, 0, label.text, color=label.colour, fontweight=weight, va="center")
        size = text.get_window_extent(renderer)
        at = axes.transData.transform((label.x, label.y))
        best = min(
            (
                (_covered(box, taken, inside), distance, turn, box)
                for distance in DISTANCES
                for turn, angle in enumerate(ANGLES)
                for box in [_box(at, distance, angle, size.width, size.height)]
            ),
            key=lambda found: found[:3],
        )
        _, distance, _, box = best
        taken = np.vstack([taken, box.extents])
        centre = axes.transData.inverted().transform((box.x0, (box.y0 + box.y1) / 2))
        text.set_position(centre)
        if distance > DISTANCES[1]:
            end = np.clip(at, [box.x0, box.y0], [box.x1, box.y1])
            line = axes.transData.inverted().transform([at, end])
            axes.plot(*line.T, color=MUTED, linewidth=0.7, zorder=1.5)


def along(axes: Axes, x: list[float], y: list[float]) -> list[Bbox]:
    """Return small boxes along a line, as obstacles; the axes' limits must be final."""
    corners = axes.transData.transform(np.column_stack([x, y]))
    boxes = []
    for start, end in pairwise(corners):
        steps = max(2, int(np.hypot(*(end - start)) / 5))
        boxes += [Bbox([p - 2, p + 2]) for p in np.linspace(start, end, steps)]
    return boxes


def _box(at: np.ndarray, distance: float, angle: float, width: float, height: float) -> Bbox:
    """Return where a text goes that stands so far from a point in that direction."""
    dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = at[0] + distance * dx, at[1] + distance * dy
    x0 = x - width * (1 - dx) / 2
    y0 = y - height * (1 - dy) / 2
    return Bbox([[x0, y0], [x0 + width, y0 + height]])


def _covered(box: Bbox, taken: np.ndarray, inside: Bbox) -> float:
    """Return how many square pixels are covered, or lie outside of the axes."""
    outside = box.width * box.height - _common(box, np.array([inside.extents]))
    return round(3 * outside + _common(box, taken), 1)


def _common(box: Bbox, others: np.ndarray) -> float:
    """Return the area that a box shares with others, given by their corners [n, 4]."""
    wide = np.minimum(box.x1, others[:, 2]) - np.maximum(box.x0, others[:, 0])
    high = np.minimum(box.y1, others[:, 3]) - np.maximum(box.y0, others[:, 1])
    return float((wide.clip(0) * high.clip(0)).sum())


def spread(wanted: list[float], gap: float) -> list[float]:
    """Return positions near the wanted ones, in their order, at least `gap` apart."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    groups: list[tuple[float, list[int]]] = []  # centre, members from low to high
    for i in order:
        centre, members = wanted[i], [i]
        while groups and centre - gap * (len(members) - 1) / 2 < (
            groups[-1][0] + gap * (len(groups[-1][1]) + 1) / 2
        ):
            _, others = groups.pop()
            members = others + members
            centre = sum(wanted[m] for m in members) / len(members)
        groups.append((centre, members))
    placed = [0.0] * len(wanted)
    for centre, members in groups:
        for place, i in enumerate(members):
            placed[i] = centre + gap * (place - (len(members) - 1) / 2)
    return placed
