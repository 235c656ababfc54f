"""What a request costs, against its candidates and against its picks, as one SVG."""

import io
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {"MMR": "#1f6fb4", "DPP": "#c2571a", "SSD": "#2a8048"}
MEDIANS = dict[tuple[int, int, int], dict[str, float]]
"""Microseconds by contestant by (N, K, d)."""


def _method(name: str) -> str:
    return next((m for m in COLOURS if m in name.upper()), "DPP")


def _panel(axis: plt.Axes, points: dict[int, dict[str, float]], label: str, *, named: bool) -> None:
    names = {name: None for found in points.values() for name in found}
    ends = []
    for name in names:
        xs = [x for x in sorted(points) if name in points[x]]
        ys = [points[x][name] for x in xs]
        own = not any(word in name for word in ("pyversity", "langchain", "fast-map"))
        axis.plot(
            xs,
            ys,
            color=COLOURS[_method(name)],
            linewidth=2.4 if own else 1.1,
            linestyle="-" if own else "--",
            marker="o",
            markersize=4 if own else 3,
        )
        ends.append((ys[-1], xs[-1], name, own))
    axis.set(xscale="log", yscale="log", xlabel=label)
    axis.set_xticks(sorted(points), [f"{x:,}" for x in sorted(points)])
    axis.minorticks_off()
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    if named:
        _name_ends(axis, ends)


def _name_ends(axis: plt.Axes, ends: list[tuple[float, int, str, bool]]) -> None:
    """Write each name right of its line, pushed up where the one below would be overwritten."""
    to_points = axis.figure.dpi / 72
    right = axis.transAxes.transform((1.03, 0))[0]
    last = -1e9
    for y, x, name, own in sorted(ends):
        at = axis.transData.transform((x, y))[1]
        last = max(at, last + 11 * to_points)
        axis.annotate(
            name,
            axis.figure.transFigure.inverted().transform((right, last)),
            xycoords="figure fraction",
            color=COLOURS[_method(name)],
            fontweight="bold" if own else "normal",
            fontsize=8,
            va="center",
        )


def picture(medians: MEDIANS) -> str:
    """Return the SVG: left against N at the commonest K, right against K at the commonest N."""
    by_n = {n: found for (n, k, d), found in medians.items() if (k, d) == (50, 64)}
    by_k = {k: found for (n, k, d), found in medians.items() if (n, d) == (5000, 64)}
    style = {"svg.hashsalt": "teachers", "svg.fonttype": "none", "font.family": "sans-serif"}
    with plt.rc_context(style | {"font.size": 9}):
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.2), sharey=True)
        figure.subplots_adjust(left=0.07, right=0.79, bottom=0.13, top=0.9, wspace=0.08)
        _panel(axes[0], by_n, "N candidates (K = 50, d = 64)", named=not by_k)
        axes[0].set_title("CPU µs a request, one thread", loc="left", fontsize=9)
        if by_k:
            _panel(axes[1], by_k, "K picks (N = 5,000, d = 64)", named=True)
        else:
            axes[1].set_visible(False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        plt.close(figure)
    return re.sub(r"[ \t]+\n", "\n", text.getvalue())
