"""The picture of all answers: a row for each question, a mark with its interval a data set."""

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from jobs.report.svg import INK, MUTED, drawing, inline
from jobs.study.questions import QUESTIONS, Question
from jobs.study.section import Section
from jobs.study.verdicts import DIVERSITY

MARKS = (
    ("#0072b2", "o"),
    ("#d55e00", "s"),
    ("#009e73", "D"),
    ("#b07aa1", "^"),
    ("#767d89", "v"),
    ("#a6761d", "P"),
    ("#56b4e9", "X"),
    ("#e69f00", "*"),
)
"""Colour and marker by place of the data set in the study."""
ROW, HEAD, FOOT = 44, 70, 40
"""Pixels: a question, above the first and below the last."""
PANELS = {"value": "V/V*", "diversity": DIVERSITY}


def picture(sections: list[Section]) -> Markup:
    """Draw every question that any data set answers."""
    asked = [q for q in QUESTIONS if any(q.name in one.verdicts for one in sections)]
    height = HEAD + FOOT + ROW * len(asked)
    with drawing(height) as figure:
        grid = figure.subplots(1, len(PANELS), sharey=True)
        figure.subplots_adjust(0.37, FOOT / height, 0.985, 1 - HEAD / height, 0.06)
        for axes, (what, title) in zip(grid, PANELS.items(), strict=True):
            _panel(axes, what, asked, sections)
            axes.set_title(title)
        grid[0].set_yticks(range(len(asked)), [q.name for q in asked], color=INK)
        grid[0].set_ylim(len(asked) - 0.5, -0.5)
        handles, labels = grid[1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper left", ncols=3, frameon=False, fontsize=10)
        return inline(figure, "forest", "How far apart two methods are, by question and data set")


def _panel(axes: Axes, what: str, asked: list[Question], sections: list[Section]) -> None:
    step = 0.76 / max(len(sections), 1)
    for place, (one, (colour, marker)) in enumerate(zip(sections, MARKS, strict=False)):
        rows, found = [], []
        for row, question in enumerate(asked):
            told = one.verdicts.get(question.name)
            if told is not None and getattr(told, what) is not None:
                rows.append(row + (place - (len(sections) - 1) / 2) * step)
                found.append(getattr(told, what))
        middle, low, high = np.array(found).reshape(-1, 3).T
        axes.errorbar(
            middle,
            rows,
            xerr=[middle - low, high - middle],
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=1.3,
            linestyle="none",
            label=one.title,
        )
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.grid(visible=False, axis="y")
    for row in range(0, len(asked), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=MUTED, alpha=0.07, linewidth=0)
    axes.tick_params(axis="y", length=0)
