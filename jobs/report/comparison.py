"""The comparison table: methods down, metrics across, and beneath it the differences from DCN."""

from collections.abc import Iterable
from dataclasses import dataclass

from jobs.profile.config import Profile
from jobs.report.metric_table import BASELINE, METHODS, Metric, Number, Numbers
from jobs.report.wording import interval, number, signed

ARROWS = {1: "▲", 0: "", -1: "▼"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of the table as it is printed; `direction` is 0 where nothing can be told."""

    text: str
    span: str = ""
    direction: int = 0

    @property
    def arrow(self) -> str:
        """The sign of a difference that can be told."""
        return ARROWS[self.direction]


@dataclass(frozen=True, slots=True)
class Row:
    """One method."""

    label: str
    is_baseline: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The table of one list length."""

    k: int
    metrics: tuple[Metric, ...]
    levels: tuple[Row, ...]
    requests: tuple[str, ...]
    """How many requests count, by metric."""
    differences: tuple[tuple[str, tuple[Row, ...]], ...]
    """(from what, rows)."""


OF_THE_MODEL = ("dcn", "cdm")
"""What is compared with another model: the rest is there for scale."""
UNPAIRED = Cell("\N{EN DASH}")
"""Where a metric exists and has no paired difference."""


def comparison(numbers: Numbers, k: int) -> Comparison:
    """Return the table of list length k; metrics that no method has are left out."""
    metrics = [metric for metric in numbers.metrics if numbers.has(metric.name)]
    return Comparison(
        k=k,
        metrics=tuple(metrics),
        levels=tuple(_rows(numbers, metrics, k, "")),
        requests=tuple(_requests(numbers, metric.name, k) for metric in metrics),
        differences=tuple(
            (METHODS[BASELINE] if baseline == BASELINE else f"the {baseline} model", rows)
            for baseline in numbers.baselines
            if (rows := tuple(_rows(numbers, metrics, k, baseline)))
        ),
    )


def _rows(numbers: Numbers, metrics: list[Metric], k: int, baseline: str) -> Iterable[Row]:
    for method in numbers.methods:
        if method.swept or (baseline not in ("", BASELINE) and method.name not in OF_THE_MODEL):
            continue
        found = [numbers.get(method.name, metric.name, k, baseline) for metric in metrics]
        if not any(found):
            continue
        cells = tuple(
            _cell(one, metric.digits, paired=bool(baseline))
            if one is not None
            else (UNPAIRED if baseline else None)
            for one, metric in zip(found, metrics, strict=True)
        )
        yield Row(method.label, method.name == BASELINE, cells)


def _cell(found: Number, digits: int, *, paired: bool) -> Cell:
    if not paired:
        return Cell(number(found.value, digits), interval(found, digits))
    span = interval(found, digits, paired=True)
    return Cell(signed(found.value, digits), span, found.direction)


def sweep(numbers: Numbers, metrics: list[str], weights: dict[str, float]) -> list[Row]:
    """Return the methods that were tried at several weights, by weight, at the largest K."""
    k, swept = numbers.ks[-1], {m.base for m in numbers.methods if m.swept}
    tried = [m for m in numbers.methods if m.swept or (m.base in swept and m.base in weights)]
    tried.sort(key=lambda m: (m.place, m.weight if m.swept else weights[m.base]))
    rows = []
    for method in tried:
        found = [numbers.get(method.name, name, k) for name in metrics]
        label = method.label if method.swept else f"{method.label}, as compared above"
        cells = tuple(one and _cell(one, 3, paired=False) for one in found)
        rows.append(Row(label, False, cells))
    return rows


def _requests(numbers: Numbers, metric: str, k: int) -> str:
    counts = {n.n for m in numbers.methods if (n := numbers.get(m.name, metric, k)) is not None}
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def left_out(numbers: Numbers, profile: Profile) -> list[tuple[str, str]]:
    """Return (metrics, why) for the known metrics that this data set does not have.

    Real logs know no true value, and nobody expects one of them: that needs no word.
    """
    reasons: dict[str, list[str]] = {}
    for metric in numbers.metrics:
        real = metric.needs == "truth" and profile.source.kind != "simulated"
        if not (real or numbers.has(metric.name)):
            reasons.setdefault(_why_left_out(metric, profile), []).append(metric.label)
    return [(", ".join(labels), why) for why, labels in reasons.items()]


def _why_left_out(metric: Metric, profile: Profile) -> str:
    if metric.needs == "categories" and not profile.fields.category:
        return f"the profile {profile.name} names no category of an item (fields.category)"
    return "evaluate wrote no such number on this day"
