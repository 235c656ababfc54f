"""A small picture of one measure over days: its line, what was allowed, and where it broke that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 240, 48, 6
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Point:
    """One day of a measure."""

    day: date
    value: float | None
    low: float | None = None
    high: float | None = None
    state: str = "ok"
    """ok, warn, stop, or none where it was not judged."""


def trend(points: Sequence[Point], first: date, last: date, says: str) -> Markup:
    """Draw the points between two days; colour and shape both say what broke its limits.

    The band is cut at the picture's edge where it is far wider than what was there.
    """
    shown = [p for p in points if p.value is not None]
    if not shown:
        return Markup("")
    bottom, top = _span(shown)
    days = max((last - first).days, 1)

    def x(day: date) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (day - first).days / days

    def y(value: float) -> float:
        share = (min(max(value, bottom), top) - bottom) / (top - bottom)
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share

    parts = [
        _band([(x(p.day), y(_or(p.low, bottom)), y(_or(p.high, top))) for p in run])
        for judged, run in groupby(shown, lambda p: p.low is not None or p.high is not None)
        if judged
    ]
    line = " ".join(f"{x(p.day):.1f},{y(p.value):.1f}" for p in shown)
    parts.append(f'<polyline points="{line}" class="line"/>')
    for p in shown:
        is_last = p is shown[-1]
        if p.state in ("warn", "stop") or is_last or len(shown) == 1:
            parts.append(_mark(x(p.day), y(p.value), p.state))
    return Markup(
        f'<svg class="trend" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{Markup.escape(says)}">{"".join(parts)}</svg>'
    )


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _span(shown: Sequence[Point]) -> tuple[float, float]:
    """Return the ends of the axis: the values, and of the newest limits what is not far off."""
    values = [p.value for p in shown]
    bottom, top = min(values), max(values)
    reach = (top - bottom) or abs(top) or 1.0
    ends = [end for p in shown for end in (p.low, p.high) if end is not None]
    near = [end for end in ends if bottom - reach <= end <= top + reach]
    bottom, top = min([bottom, *near]), max([top, *near])
    room = 0.06 * ((top - bottom) or abs(top) or 1.0)
    return bottom - room, top + room


def _band(run: Sequence[tuple[float, float, float]]) -> str:
    """Draw what was allowed, half a day to both sides where it is of one day alone."""
    if len(run) == 1:
        at, low, high = run[0]
        run = [(at - 3, low, high), (at + 3, low, high)]
    upper = [f"{at:.1f},{high:.1f}" for at, _, high in run]
    lower = [f"{at:.1f},{low:.1f}" for at, low, _ in reversed(run)]
    return f'<polygon points="{" ".join(upper + lower)}" class="band"/>'


def _mark(x: float, y: float, state: str) -> str:
    """Draw a square for a stop, a triangle for a warning, a dot else."""
    if state == "stop":
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" class="stop"/>'
    if state == "warn":
        points = f"{x:.1f},{y - 5:.1f} {x + 5:.1f},{y + 4:.1f} {x - 5:.1f},{y + 4:.1f}"
        return f'<polygon points="{points}" class="warn"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{state}"/>'
