"""How every picture is drawn: one style, and matplotlib's figure as a piece of the page.

Colours are drawn as stand-ins that the page's style sheet resolves, so that light and dark both
read well. Text stays text: it can be searched and scales with nothing but the reader's eyes.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.style
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, MUTED, LINE = "#010101", "#020202", "#030303"
_METHOD_COLOURS = {
    "random": ("#050505", "var(--random)", "x"),
    "pre_ranker": ("#060606", "var(--pre-ranker)", "^"),
    "dcn": (INK, "var(--ink)", "s"),
    "mmr": ("#070707", "var(--mmr)", "D"),
    "cdm": ("#080808", "var(--cdm)", "o"),
}
_OTHER = ("#090909", "var(--other)", "P")
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    _OTHER[0]: _OTHER[1],
    **{stand_in: variable for stand_in, variable, _ in _METHOD_COLOURS.values()},
}

WIDTH = 1200
"""Pixels: the page's own width, so that text in pictures is as large as it says."""

STYLE = {
    "figure.dpi": 72,  # a pixel is a point, on the canvas that measures as in the SVG
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "figure.facecolor": "none",
    "lines.linewidth": 1.6,
    "lines.markersize": 7,
}


def colour(method: str) -> str:
    """Return the colour of a method, given without its weight."""
    return _METHOD_COLOURS.get(method, _OTHER)[0]


def marker(method: str) -> str:
    """Return the marker of a method: colour is never the only sign."""
    return _METHOD_COLOURS.get(method, _OTHER)[2]


@contextmanager
def drawing(height: float) -> Iterator[Figure]:
    """Give a figure so many pixels high, drawn by this style whatever the machine's settings."""
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure((WIDTH / 72, height / 72))
        FigureCanvasAgg(figure)
        yield figure


def inline(figure: Figure, name: str, says: str) -> Markup:
    """Return the figure as an <svg> element, its ids prefixed by `name`; call while drawing."""
    out = io.StringIO()
    figure.savefig(
        out,
        format="svg",
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )
    text = out.getvalue()
    text = text[text.index("<svg") :]
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)[0]
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = body.replace('id="', f'id="{name}-')
    body = body.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    body = re.sub(r"font: ((?:\w+ )*[\d.]+px) [^;\"]+", r"font: \1 var(--sans)", body)
    for stand_in, variable in _VARIABLES.items():
        body = body.replace(stand_in, variable)
    label = Markup.escape(says)
    return Markup(
        f'<svg {box} style="max-width:{WIDTH}px" role="img" aria-label="{label}">{body.strip()}'
    )
