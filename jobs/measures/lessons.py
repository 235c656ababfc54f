"""Measure the training rows of a day: what may be learned from, and what the vocabulary knows."""

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa

from jobs.measures.measured import Measured, number, ratio
from jobs.measures.tally import floats
from jobs.table_views import ListView
from schemas.expectations import parallel_lists
from schemas.table import Table

COLUMNS = ["request_id", "request_dt", "n_candidates", "item_tokens", "exposed", "label", "win"]
UNKNOWN_TOKEN = 1
"""0 is padding."""


def measure(pieces: Iterable[pa.Table], table: Table) -> list[Measured]:
    """Measure examples."""
    lists = parallel_lists(table)
    tokens = next(name for name, columns in lists.items() if table["item_tokens"] in columns)
    flags = next(name for name, columns in lists.items() if table["exposed"] in columns)
    fields = table["item_tokens"].shape[1]
    sums: Counter[str] = Counter()
    for rows in pieces:
        sums["rows"] += rows.num_rows
        view = ListView(rows, table.key, lists[flags])
        real = ~view.column("is_padding").astype(bool)
        sums["candidates"] += int(real.sum())
        for name in ("exposed", "label", "win"):
            sums[name] += int((floats(view.elements[name])[real] == 1).sum())
        ids = ListView(rows, table.key, lists[tokens])
        # The first of a candidate's fields is its id.
        token = floats(ids.elements["item_tokens"])[ids.place % fields == 0]
        sums["unknown"] += int((token == UNKNOWN_TOKEN).sum())
        sums["tokens"] += int((token >= UNKNOWN_TOKEN).sum())
    return [
        number("rows", sums["rows"], sums["rows"]),
        ratio("exposed_rate", sums["exposed"], sums["candidates"]),
        ratio("click_rate", sums["label"], sums["exposed"]),
        ratio("win_rate", sums["win"], sums["candidates"]),
        ratio("unknown_items", sums["unknown"], sums["tokens"]),
    ]
