"""An explanation as text: a table of the picks, one of what was left, and what they share."""

from dataclasses import dataclass
from math import isnan
from textwrap import wrap
from typing import Any

import numpy as np

from jobs.explanation import Explanation, Label, Line, View
from model.ordering import best_first
from model.teachers.explain import formula

LONGEST_ID = 20
LEAST_FIELDS = 12
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Request:
    """What the text tells of the request itself."""

    title: str
    fields: tuple[str, ...]
    """Names of what is known of an item."""
    items: list[str]
    """What is known of each candidate, in the order of the label."""
    gamma: float


def text(request: Request, label: Label, views: list[View], why: Explanation, width: int) -> str:
    """Return the page for a terminal that many characters wide."""
    table = _Table(request, label, views, [*why.picks, *why.others])
    about = [request.title, *_about(request, label, views)]
    blocks = [
        [part for line in about for part in _wrapped(line, width)],
        [f"does not agree: {line}" for line in why.disagreements],
        [*table.head(width), *table.rows(why.picks, width, first=1)],
        why.notes,
    ]
    if why.others:
        title = f"Not picked; gains as they would have been at pick {label.k}:"
        blocks += [[title, *table.rows(why.others, width)]]
    blocks += [_wrapped(_shared(label, views), width)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _about(request: Request, label: Label, views: list[View]) -> list[str]:
    lines = [
        f"teacher {label.teacher_id}, on f, e and u of model {label.model_version}:",
        f"  {formula(label.config)}",
    ]
    relaxed = ", ".join(f"{name} {value}" for name, value in label.relaxed.items() if value)
    if relaxed:
        lines.append(f"  rules that gave way: {relaxed}")
    for view in views:
        model = f"model {view.version}"
        if view.is_promoted and view.title != "promoted":
            model += ", promoted too"
        score = f"final = f + {request.gamma:g} * y_stu, by its own f"
        if view.win is None:
            score = "final = f, a base DCN without a student"
        lines.append(f"{view.title}: {model}; {score}")
    return lines


class _Table:
    """Cells of all candidates that are told, so that both tables have the same columns."""

    def __init__(
        self, request: Request, label: Label, views: list[View], lines: list[Line]
    ) -> None:
        self.request = request
        parts = list(lines[0].parts)
        near = ["nearest"] if any(line.nearest is not None for line in lines) else []
        self.groups: dict[int, str] = {}
        heads = ["pick", "item", "gain", "f", "rank", *parts, *near]
        by_f = ranks(label.f, label.item_id)
        columns = [
            [_id(label.item_id[line.candidate]) for line in lines],
            [f"{line.gain:.4f}" for line in lines],
            [f"{label.f[line.candidate]:.4f}" for line in lines],
            [str(by_f[line.candidate]) for line in lines],
            *([_number(line.parts[name]) for line in lines] for name in parts),
        ]
        if near:
            ids = [None if x.nearest is None else label.item_id[x.nearest] for x in lines]
            columns.append([NOTHING if one is None else _id(one) for one in ids])
        for view in views:
            self.groups[len(heads)] = view.title
            scores = {"y_stu": view.win, "final": view.final}
            for name, score in scores.items():
                if score is not None:
                    rank = ranks(score, label.item_id)
                    heads += [name, "rank"]
                    columns.append([f"{score[line.candidate]:.4f}" for line in lines])
                    columns.append([str(rank[line.candidate]) for line in lines])
        self.heads = heads
        self.cells = {
            line.candidate: [column[number] for column in columns]
            for number, line in enumerate(lines)
        }
        self.widths = [len("pick")] + [
            max(len(head), *map(len, column))
            for head, column in zip(heads[1:], columns, strict=True)
        ]

    def head(self, width: int) -> list[str]:
        """Return the lines above the columns."""
        starts = np.cumsum([0] + [w + 2 for w in self.widths])
        above = ""
        for column, name in self.groups.items():
            above = above.ljust(starts[column]) + name
        heads = self._line([*self.heads, ", ".join(self.request.fields)], width)
        return [above, heads] if above else [heads]

    def rows(self, lines: list[Line], width: int, first: int | None = None) -> list[str]:
        """Return a line a candidate, numbered from `first` on."""
        return [
            self._line(
                [
                    NOTHING if first is None else str(first + number),
                    *self.cells[line.candidate],
                    self.request.items[line.candidate],
                ],
                width,
            )
            for number, line in enumerate(lines)
        ]

    def _line(self, cells: list[str], width: int) -> str:
        fixed = [cell.rjust(size) for cell, size in zip(cells, self.widths, strict=False)]
        line = "  ".join(fixed)
        rest = cells[len(self.widths) :]
        if not rest or not rest[0]:
            return line.rstrip()
        return f"{line}  {_clip(rest[0], max(width - len(line) - 2, LEAST_FIELDS))}"


def ranks(score: np.ndarray, item_id: np.ndarray) -> np.ndarray:
    """Return each candidate's place [N] by a score, from 1."""
    place = np.empty(len(score), np.int64)
    place[best_first(score, item_id)] = np.arange(1, len(score) + 1)
    return place


def _shared(label: Label, views: list[View]) -> str:
    """Say how many picks the teacher shares with whom."""

    def also(score: np.ndarray) -> int:
        return len(set(label.picks) & set(best_first(score, label.item_id)[: label.k].tolist()))

    k = label.k
    others = [f"{also(label.f)} with the {k} of highest f"]
    for view in views:
        others.append(f"{also(view.final)} with the {k} of highest final by the {view.title} model")
        if view.win is not None:
            others.append(f"{also(view.win)} with its {k} of highest y_stu")
    return f"Of its {k} picks the teacher shares {', '.join(others[:-1])} and {others[-1]}."


def _wrapped(line: str, width: int) -> list[str]:
    """Return lines in which no id is broken."""
    whole = {"break_long_words": False, "break_on_hyphens": False}
    return wrap(line, width, subsequent_indent="    ", **whole)


def _id(value: Any) -> str:  # noqa: ANN401 - an integer or a string
    return _clip(str(value), LONGEST_ID)


def _clip(words: str, width: int) -> str:
    return words if len(words) <= width else words[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return NOTHING if isnan(value) else f"{value:.4f}"
