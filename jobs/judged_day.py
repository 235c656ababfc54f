"""A day's candidate sets, laid out so that any ranking of them can be judged in a few array steps.

Letters: R requests, M candidates of all of them one after the other, K places, C categories.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.categories import membership
from jobs.features import flat, lengths
from jobs.lake import Partition
from schemas.table import Fields


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """What rankings are judged by; `start` [R] is where each request's candidates begin."""

    request_id: np.ndarray  # [R]
    start: np.ndarray  # [R]
    count: np.ndarray  # [R]
    positives: np.ndarray  # [R], clicked items, those that are no candidates included
    item_id: np.ndarray  # [M]
    clicked: np.ndarray  # [M] bool
    category: np.ndarray | None  # [M, C] 0 or 1
    reference: np.ndarray | None  # [M, d], zero where an item has no reference vector

    def positions(self, rankings: pa.Table, depth: int) -> np.ndarray:
        """Return a method's lists as candidate indices [R, depth], -1 where a list is shorter.

        Raises ValueError for a request that is not the day's, or an item that is not among its
        request's candidates.
        """
        ordered = rankings.sort_by([("request_id", "ascending"), ("rank", "ascending")])
        ranked = ordered["request_id"].to_numpy()
        row = np.searchsorted(self.request_id, ranked)
        strange = self.request_id[np.minimum(row, len(self.request_id) - 1)] != ranked
        if strange.any():
            raise ValueError(f"request {ranked[strange][0]!r} is ranked, but is not of this day")
        rank = ordered["rank"].to_numpy()
        item = ordered["item_id"].to_numpy()
        places = np.full((len(self.request_id), depth), -1, np.int64)
        bounds = np.searchsorted(row, np.arange(len(self.request_id) + 1))
        for request, (start, n) in enumerate(zip(self.start, self.count, strict=True)):
            mine = slice(bounds[request], bounds[request + 1])
            known = {value: start + i for i, value in enumerate(self.item_id[start : start + n])}
            try:
                places[request, rank[mine] - 1] = [known[value] for value in item[mine]]
            except KeyError as error:
                raise ValueError(
                    f"request {self.request_id[request]!r} ranks item {error}, no candidate of it"
                ) from error
        return places[:, :depth]


def read_judged_day(sets: Partition, reference: Partition, fields: Fields) -> JudgedDay:
    """Lay out the day; the reference vectors are optional."""
    columns = ["request_id", "missed_positives", "item_id", "label"]
    wanted = dict.fromkeys([*columns, *([fields.category] if fields.category else [])])
    table = sets.read(list(wanted)).sort_by("request_id")
    count = lengths(table["item_id"])
    start = np.cumsum(count) - count
    items = flat(table["item_id"])
    clicked = pc.fill_null(flat(table["label"]), 0).to_numpy(zero_copy_only=False) == 1
    missed = table["missed_positives"].to_numpy()
    category = None
    if fields.category:
        category = membership(flat(table[fields.category]), fields.category_separator)
    return JudgedDay(
        table["request_id"].to_numpy(),
        start,
        count,
        np.add.reduceat(clicked.astype(np.int64), start) + missed,
        items.to_numpy(zero_copy_only=False),
        clicked,
        category,
        _vectors(items, reference),
    )


def _vectors(items: pa.Array, reference: Partition) -> np.ndarray | None:
    if reference.manifest() is None:
        return None
    known = reference.read()
    vectors = np.stack(known["vector"].to_numpy())
    row = pc.index_in(items, value_set=known["item_id"].combine_chunks())
    found = pc.fill_null(row, len(vectors)).to_numpy(zero_copy_only=False)
    return np.vstack([vectors, np.zeros_like(vectors[:1])])[found]
