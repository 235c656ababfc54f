"""What a student costs beside DCN, and what closed forms cost, against N, as one SVG."""

import matplotlib.pyplot as plt

from benchmarks.cost_panel import Look, as_svg, panel, style
from benchmarks.student_field import STUDENTS

COLOURS = {
    "DCN": "#555555",
    "CDM": "#1f6fb4",
    "Better": "#6a4fb0",
    "Learned": "#2a8048",
    "": "#c2571a",
}
"""By how a name begins."""


def look(name: str) -> Look:
    """Return the colour of a contestant, and whether it is a student."""
    start = next(start for start in COLOURS if name.startswith(start))
    return Look(COLOURS[start], name in STUDENTS)


def picture(medians: dict[int, dict[str, float]]) -> str:
    """Return the SVG of microseconds by contestant by N."""
    with plt.rc_context(style("student")):
        figure, axis = plt.subplots(figsize=(8.8, 5.2))
        figure.subplots_adjust(left=0.09, right=0.71, bottom=0.11, top=0.93)
        panel(axis, medians, "N candidates (K = 50, d = 64)", look, named=True)
        title = "CPU µs a request, one thread; students: beside DCN"
        axis.set_title(title, loc="left", fontsize=9)
        return as_svg(figure)
