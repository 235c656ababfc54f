"""The methods over days: what retraining did, and how far each one is from DCN."""

from datetime import date

from markupsafe import Markup
from matplotlib.axes import Axes

from jobs.report.evidence import JudgedDay
from jobs.report.front import FAR
from jobs.report.metric_table import BASELINE, Method, Number
from jobs.report.place_labels import spread
from jobs.report.svg import INK, colour, drawing, inline, marker

PANEL_HEIGHT = 310
LABEL_PIXELS = 15


def shown_metrics(judged: list[JudgedDay]) -> list[str]:
    """Return what is followed: true value where it is known, accuracy, diversity."""
    newest = judged[-1].numbers
    return [m for m in ("value_ratio", "recall", newest.diversity) if newest.has(m)]


def shown_methods(judged: list[JudgedDay]) -> list[Method]:
    """Return the methods of all days; what served under another ranker is another one."""
    return sorted({m for day in judged for m in day.numbers.methods if not m.swept})


def over_days(judged: list[JudgedDay]) -> Markup:
    """Draw, a row for each metric, the levels on an axis from 0 and the differences from DCN."""
    metrics, k = shown_metrics(judged), judged[-1].numbers.ks[-1]
    methods = shown_methods(judged)
    days = [day.day for day in judged]
    with drawing(PANEL_HEIGHT * len(metrics)) as figure:
        rows = figure.subplots(len(metrics), 2, squeeze=False)
        figure.subplots_adjust(
            0.055, 0.12 / len(metrics), 0.905, 1 - 0.11 / len(metrics), 0.42, 0.36
        )
        for metric, (levels, differences) in zip(metrics, rows, strict=True):
            name = judged[-1].numbers.at_k(metric, k)
            series = {m: [day.numbers.of(m, metric, k) for day in judged] for m in methods}
            top = max(n.high or n.value for s in series.values() for n in s if n is not None)
            levels.set_ylim(0, 1.06 * top)
            levels.set_title(f"{name}, axis from 0")
            _draw(levels, days, series)
            paired = {
                m: [day.numbers.of(m, metric, k, BASELINE) for day in judged]
                for m in methods
                if m.name not in (*FAR, BASELINE)
            }
            differences.axhline(0, color=INK, linewidth=1.2)
            differences.set_title(f"{name}: paired difference from DCN")
            _draw(differences, days, paired, zero="DCN")
        return inline(figure, "days", f"{', '.join(metrics)} of each method by day, with intervals")


def _draw(
    axes: Axes, days: list[date], series: dict[Method, list[Number | None]], zero: str = ""
) -> None:
    """Draw one line a method, side by side so that the bars stay apart, labelled at the end."""
    series = {m: s for m, s in series.items() if any(n is not None for n in s)}
    ends: list[tuple[float, str, str]] = [(0.0, zero, INK)] if zero else []
    for number, (method, found) in enumerate(series.items()):
        aside = 0.05 * (number - (len(series) - 1) / 2)
        at = [(i + aside, n) for i, n in enumerate(found) if n is not None]
        low = [n.value - (n.value if n.low is None else n.low) for _, n in at]
        high = [(n.value if n.high is None else n.high) - n.value for _, n in at]
        axes.errorbar(
            [x for x, _ in at],
            [n.value for _, n in at],
            yerr=[[max(v, 0) for v in low], [max(v, 0) for v in high]],
            color=colour(method.base),
            marker=marker(method.base),
            markersize=6,
            elinewidth=1.1,
        )
        ends.append((at[-1][1].value, method.label, colour(method.base)))
    axes.set_xlim(-0.4, len(days) - 0.6)
    step = max(1, len(days) // 7)
    ticks = range((len(days) - 1) % step, len(days), step)
    axes.set_xticks(list(ticks), [f"{days[i]:%m-%d}" for i in ticks])
    axes.grid(visible=False, axis="x")
    if not zero:
        bottom, top = axes.get_ylim()
    else:
        bottom, top = _symmetric(axes)
    pixel = (top - bottom) / axes.get_window_extent().height
    places = spread([value for value, _, _ in ends], LABEL_PIXELS * pixel)
    for y, (_, text, shade) in zip(places, ends, strict=True):
        axes.text(
            1.015,
            (y - bottom) / (top - bottom),
            text,
            color=shade,
            fontweight="bold",
            va="center",
            transform=axes.transAxes,
        )


def _symmetric(axes: Axes) -> tuple[float, float]:
    """Let 0 stand in the middle, so that better and worse have the same room."""
    reach = max(abs(limit) for limit in axes.get_ylim()) or 1.0
    axes.set_ylim(-reach, reach)
    return -reach, reach
