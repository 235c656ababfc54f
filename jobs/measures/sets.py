"""Measure the candidate sets of a day: their sizes, labels, scores, categories and known items."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.categories import categories_of
from jobs.measures.catalogue import DRIFT, MIX
from jobs.measures.distribution import categories, numbers
from jobs.measures.measured import Measured, number, ratio
from jobs.measures.tally import count, floats
from jobs.table_views import ListView
from schemas.expectations import parallel_lists
from schemas.table import Fields, Table

LISTS = "item_id"
"""The first of the lists that have one value a candidate."""


def columns(fields: Fields) -> list[str]:
    """Return what is read."""
    category = [fields.category] if fields.category else []
    candidates = ["item_id", "score", "exposed", "label", *fields.dense_columns, *category]
    return ["request_id", "missed_positives", *dict.fromkeys(candidates)]


def measure(
    pieces: Iterable[pa.Table],
    table: Table,
    fields: Fields,
    k: int,
    max_candidates: int,
    items: Mapping[str, pa.Array],
) -> list[Measured]:
    """Measure candidate_sets; `items` are ids by the name of the share that is among them."""
    sums: Counter[str] = Counter()
    sizes: list[np.ndarray] = [np.zeros(0, np.int64)]
    values: dict[str, list[np.ndarray]] = {n: [] for n in ("score", *fields.dense_columns)}
    mix = Mix(fields)
    for rows in pieces:
        view = ListView(rows, ("request_id",), parallel_lists(table)[LISTS])
        sizes.append(view.counts)
        for name, found in values.items():
            found.append(floats(view.elements[name]))
        score = values["score"][-1]
        tied = (score[1:] == score[:-1]) & (view.parent[1:] == view.parent[:-1])
        sums["tied"] += int(tied.sum())
        _add_labels(sums, view)
        for name, ids in items.items():
            sums[name] += count(pc.is_in(view.elements["item_id"], value_set=ids))
        mix.add(view)
    counts = np.concatenate(sizes)
    requests, candidates = len(counts), int(counts.sum())
    owner = np.repeat(np.arange(requests), counts)
    return [
        number("rows", requests, requests),
        *_sizes(counts, k, max_candidates),
        ratio("without_click", requests - sums["with_click"], requests),
        ratio("all_clicked", sums["all_clicked"], sums["with_shown"]),
        ratio("missed_share", sums["missed"], sums["clicks"] + sums["missed"]),
        ratio("tied_share", sums["tied"], candidates),
        *(ratio(name, sums[name], candidates) for name in items),
        *(numbers(f"{DRIFT}{n}", np.concatenate(v), owner) for n, v in values.items() if v),
        *mix.measured(owner),
    ]


def _add_labels(sums: Counter[str], view: ListView) -> None:
    """Count requests by what is known of their shown candidates, and clicks."""
    size = view.rows.num_rows
    shown = floats(view.elements["exposed"]) == 1
    clicked = shown & (floats(view.elements["label"]) == 1)
    shown_each = np.bincount(view.parent[shown], minlength=size)
    clicked_each = np.bincount(view.parent[clicked], minlength=size)
    all_clicked = (shown_each > 0) & (clicked_each == shown_each)
    sums["clicks"] += int(clicked_each.sum())
    sums["with_click"] += int((clicked_each > 0).sum())
    sums["with_shown"] += int((shown_each > 0).sum())
    sums["all_clicked"] += int(all_clicked.sum())
    sums["missed"] += pc.sum(view.rows["missed_positives"]).as_py() or 0


def _sizes(counts: np.ndarray, k: int, max_candidates: int) -> list[Measured]:
    """Measure how many candidates requests have."""
    n = len(counts)
    if not n:
        return []
    return [
        number("candidates_mean", counts.mean(), n),
        number("candidates_p99", np.quantile(counts, 0.99), n),
        number("candidates_max", counts.max(), n),
        ratio("below_k", (counts < k).sum(), n),
        ratio("above_max", (counts > max_candidates).sum(), n),
    ]


class Mix:
    """The categories of all candidates, by numbers that hold for all pieces."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self._codes: dict[str, int] = {}
        self._pieces: list[tuple[np.ndarray, np.ndarray]] = []
        self._candidates = 0

    def add(self, view: ListView) -> None:
        """Add a piece."""
        if not self.fields.category:
            return
        named = pc.fill_null(view.elements[self.fields.category], "")
        found = categories_of(named, self.fields.category_separator)
        codes = [self._codes.setdefault(name, len(self._codes)) for name in found.names]
        candidate = np.repeat(np.arange(len(view)), np.diff(found.ends, prepend=0))
        self._pieces.append((np.array(codes, np.int64)[found.code], candidate + self._candidates))
        self._candidates += len(view)

    def measured(self, owner: np.ndarray) -> list[Measured]:
        """Measure them; `owner` [candidates] is the request of each candidate."""
        if not self._codes:
            return []
        codes, candidate = (np.concatenate(side) for side in zip(*self._pieces, strict=True))
        counts = np.bincount(codes)
        return [
            number("categories", len(self._codes), self._candidates),
            ratio("top_category", counts.max(), self._candidates),
            categories(MIX, codes, owner[candidate], list(self._codes)),
        ]
