"""Measure a teacher's labels of a day: how many win, and how far it is from the K of highest f."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.measures.catalogue import DRIFT
from jobs.measures.distribution import numbers
from jobs.measures.measured import Measured, number, ratio
from jobs.measures.tally import floats
from jobs.table_views import ListView
from schemas.expectations import parallel_lists
from schemas.table import Table

COLUMNS = ["request_id", "k", "relaxed", "item_id", "win", "f"]


def measure(pieces: Iterable[pa.Table], table: Table, k: int) -> list[Measured]:
    """Measure teacher_labels of a teacher that picks `k` where there are so many."""
    sums: Counter[str] = Counter()
    fs, owners = [np.zeros(0)], [np.zeros(0, np.int64)]
    for rows in pieces:
        view = ListView(rows, ("request_id",), parallel_lists(table)["item_id"])
        f, won = floats(view.elements["f"]), floats(view.elements["win"]) == 1
        picks = pc.fill_null(view.rows["k"], 0).to_numpy()
        sums["picks"] += int(picks.sum())
        sums["short"] += int((picks < k).sum())
        sums["relaxed"] += int((floats(view.rows["relaxed"]) > 0).sum())
        sums["candidates"] += len(view)
        sums["won"] += int(won.sum())
        kept = np.bincount(view.parent[won & best(f, view, picks)], minlength=view.rows.num_rows)
        # With no more candidates than picks there is nothing to choose.
        free = (picks > 0) & (view.counts > picks)
        sums["overlap"] += float((kept[free] / picks[free]).sum())
        sums["free"] += int(free.sum())
        sums["unchanged"] += int((kept[free] == picks[free]).sum())
        fs.append(f)
        owners.append(view.parent + sums["rows"])
        sums["rows"] += view.rows.num_rows
    f, rows = np.concatenate(fs), sums["rows"]
    finite = f[np.isfinite(f)]
    return [
        number("rows", rows, rows),
        ratio("picks_mean", sums["picks"], rows),
        ratio("win_rate", sums["won"], sums["candidates"]),
        ratio("short_lists", sums["short"], rows),
        ratio("overlap", sums["overlap"], sums["free"]),
        ratio("unchanged", sums["unchanged"], sums["free"]),
        ratio("relaxed_share", sums["relaxed"], rows),
        ratio("f_mean", finite.sum(), len(finite)),
        numbers(f"{DRIFT}f", f, np.concatenate(owners)),
    ]


def best(f: np.ndarray, view: ListView, picks: np.ndarray) -> np.ndarray:
    """Say which candidates [n] are among the highest f of their request, as many as it picks.

    Ties go to the lower item id, as everywhere (model.ordering).
    """
    ids = view.elements["item_id"].dictionary_encode()
    place = np.empty(len(ids.dictionary) + 1, np.int64)
    place[pc.sort_indices(ids.dictionary).to_numpy()] = np.arange(len(ids.dictionary))
    item = place[pc.fill_null(ids.indices, len(ids.dictionary)).to_numpy(zero_copy_only=False)]
    order = np.lexsort((item, -f, view.parent))
    rank = np.empty(len(f), np.int64)
    rank[order] = np.arange(len(f)) - np.repeat(np.cumsum(view.counts) - view.counts, view.counts)
    return rank < picks[view.parent]
