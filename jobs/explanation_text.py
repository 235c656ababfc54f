"""An explanation as text: a table of the picks, one of what was left, and what they share."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np

from jobs.explanation import Explanation, Label, View
from jobs.policy import policy_told
from jobs.printable import printable
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


def text(request: Request, label: Label, views: list[View], why: Explanation, width: int) -> str:
    """Return the page for a terminal that many characters wide."""
    at = [line.candidate for line in [*why.picks, *why.others]]
    grid = _grid(_columns(label, views, why), request, at, width)
    below = len(grid) - len(why.others)
    about = [request.title, *_about(request, label, views)]
    blocks = [
        [part for line in about for part in _wrapped(line, width)],
        [f"does not agree: {printable(line)}" for line in why.disagreements],
        [line for line in grid[:below] if line],
        [printable(line) for line in why.notes],
    ]
    if why.others:
        title = f"Not picked; gains as they would have been at pick {label.k}:"
        blocks.append([title, *grid[below:]])
    blocks.append(_wrapped(_shared(label, views), width))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _about(request: Request, label: Label, views: list[View]) -> list[str]:
    lines = [
        f"teacher {label.teacher_id}, on f, e and u of model {label.model_version}:",
        f"  {formula(label.config)}",
    ]
    if label.policy.has_rules:
        lines.append(f"  policy: {printable(policy_told(label.policy))}")
    relaxed = ", ".join(f"{name} {value}" for name, value in label.relaxed.items() if value)
    if relaxed:
        lines.append(f"  rules that gave way: {relaxed}")
    for view in views:
        model = f"model {view.version}"
        if view.is_promoted and view.title != "promoted":
            model += ", promoted too"
        own = "" if view.win is None else ", by its own f"
        lines.append(f"{view.title}: {model}; final = {view.formula}{own}")
    return lines


class _Column(NamedTuple):
    head: str
    cells: list[str]
    above: str = ""


def _columns(label: Label, views: list[View], why: Explanation) -> list[_Column]:
    """Return what the table tells of the picks and of those that were not picked."""
    lines = [*why.picks, *why.others]
    at = [line.candidate for line in lines]

    def ranked(name: str, score: np.ndarray, above: str = "") -> Iterator[_Column]:
        place = ranks(score, label.item_id)
        yield _Column(name, [f"{value:.4f}" for value in score[at]], above)
        yield _Column("rank", [str(one) for one in place[at]])

    places = [str(n) for n in range(1, label.k + 1)] + [NOTHING] * len(why.others)
    columns = [
        _Column("pick", places),
        _Column("item", [_id(one) for one in label.item_id[at]]),
        _Column("gain", [f"{line.gain:.4f}" for line in lines]),
        *ranked("f", label.f),
    ]
    for part in lines[0].parts:
        columns.append(_Column(part, [_number(line.parts[part]) for line in lines]))
    if any(line.nearest is not None for line in lines):
        near = [None if line.nearest is None else label.item_id[line.nearest] for line in lines]
        columns.append(_Column("nearest", [NOTHING if i is None else _id(i) for i in near]))
    for view in views:
        title = view.title
        if view.win is not None:
            columns += ranked("y_stu", view.win, title)
            title = ""
        columns += ranked("final", view.final, title)
    return columns


def _grid(columns: list[_Column], request: Request, at: list[int], width: int) -> list[str]:
    """Return the lines of a table: what stands above the heads, the heads, and each candidate."""
    above, heads, rows = "", "", [""] * len(at)
    for head, cells, title in columns:
        size = max(len(head), *map(len, cells))
        above = above.ljust(len(heads)) + title
        heads += head.rjust(size) + "  "
        rows = [row + cell.rjust(size) + "  " for row, cell in zip(rows, cells, strict=True)]
    room = max(width - len(heads), LEAST_FIELDS)
    known = [", ".join(request.fields), *(request.items[i] for i in at)]
    lines = [line + _clip(words, room) for line, words in zip([heads, *rows], known, strict=True)]
    return [line.rstrip() for line in [above, *lines]]


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
    return _clip(printable(str(value)), LONGEST_ID)


def _clip(words: str, width: int) -> str:
    return words if len(words) <= width else words[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return NOTHING if isnan(value) else f"{value:.4f}"
