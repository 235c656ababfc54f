"""CPU seconds against requests, a line a way, as one SVG."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PANELS = {
    "With the model, as the DAG runs it": (
        "label",
        "cores",
        "label alone",
        "build",
        "build alone",
    ),
    "The teacher alone: f and u given": ("given", "given alone", "both", "both alone", "joined"),
}
COLOURS = {
    "label": "#1f6fb4",
    "cores": "#7fb2dd",
    "given": "#1f6fb4",
    "build": "#c2571a",
    "both": "#c2571a",
    "joined": "#6b6b6b",
}


class Run(Protocol):
    """What one run took."""

    requests: int
    cpu: float


def picture(found: Mapping[str, Sequence[Run]], names: Mapping[str, str]) -> str:
    """Return the SVG; one process is dashed beside the jobs it is compared with."""
    style = {"svg.hashsalt": "labels", "svg.fonttype": "none", "font.family": "sans-serif"}
    with plt.rc_context(style | {"font.size": 9}):
        figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.0))
        figure.subplots_adjust(left=0.06, right=0.98, bottom=0.13, top=0.9, wspace=0.14)
        for axis, (title, ways) in zip(axes, PANELS.items(), strict=True):
            for way in (way for way in ways if found.get(way)):
                alone = way.endswith("alone")
                axis.plot(
                    [one.requests for one in found[way]],
                    [one.cpu for one in found[way]],
                    label=names[way],
                    color=COLOURS[way.removesuffix(" alone")],
                    linestyle="--" if alone else "-",
                    linewidth=1.2 if alone else 2.2,
                    marker="o",
                    markersize=3.5,
                )
            axis.set_title(f"{title}: CPU seconds", loc="left", fontsize=9)
            axis.set_xlabel("requests of 500 candidates")
            axis.set_ylim(bottom=0)
            axis.grid(axis="y", color="#dddddd", linewidth=0.6)
            axis.spines[["top", "right"]].set_visible(False)
            if axis.lines:
                axis.legend(frameon=False, fontsize=8)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        plt.close(figure)
    return re.sub(r"[ \t]+\n", "\n", text.getvalue())
