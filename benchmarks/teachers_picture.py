"""What a request costs, against its candidates and against its picks, as one SVG."""

import matplotlib.pyplot as plt

from benchmarks.cost_panel import Look, as_svg, panel, style

COLOURS = {"MMR": "#1f6fb4", "DPP": "#c2571a", "SSD": "#2a8048"}
OTHERS = ("pyversity", "langchain", "fast-map")
MEDIANS = dict[tuple[int, int, int], dict[str, float]]
"""Microseconds by contestant by (N, K, d)."""


def look(name: str) -> Look:
    """Return the colour of a contestant's method, and whether it is ours."""
    method = next((m for m in COLOURS if m in name.upper()), "DPP")
    return Look(COLOURS[method], not any(word in name for word in OTHERS))


def picture(medians: MEDIANS) -> str:
    """Return the SVG: left against N at the commonest K, right against K at the commonest N."""
    by_n = {n: found for (n, k, d), found in medians.items() if (k, d) == (50, 64)}
    by_k = {k: found for (n, k, d), found in medians.items() if (n, d) == (5000, 64)}
    with plt.rc_context(style("teachers")):
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.2), sharey=True)
        figure.subplots_adjust(left=0.07, right=0.79, bottom=0.13, top=0.9, wspace=0.08)
        panel(axes[0], by_n, "N candidates (K = 50, d = 64)", look, named=not by_k)
        axes[0].set_title("CPU µs a request, one thread", loc="left", fontsize=9)
        if by_k:
            panel(axes[1], by_k, "K picks (N = 5,000, d = 64)", look, named=True)
        else:
            axes[1].set_visible(False)
        return as_svg(figure)
