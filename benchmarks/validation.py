"""Validate a made-up day of 1,000,000 candidate rows, and print what it took of the processors.

The day has request_logs and the same rows grouped as candidate_sets, 200 candidates a request, and
the measures of 28 days before it. CPU time is the command's own, of all its threads and processes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.lake_facts import markdown
from jobs.features import lists
from jobs.lake import Lake
from jobs.profile.load import load_profile
from jobs.publish import Publication
from schemas.arrow import arrow_schema
from schemas.table import Table

DAY = date(2026, 1, 29)
CANDIDATES, SHOWN, ITEMS, CATEGORIES, USERS = 200, 20, 100_000, 333, 50_000
TABLES = ("request_logs", "candidate_sets")
PROFILE = """
name = "size"
k = [10]
[fields]
item = ["category", "brand"]
context = ["query"]
dense = ["score"]
category = "category"
[teacher]
k = 10
[promotion]
k = 10
"""


def day_of_rows(requests: int) -> dict[str, np.ndarray | pa.Array]:
    """Return the columns of a day's candidates, request after request, best score first."""
    draw = np.random.default_rng(1)
    n = requests * CANDIDATES
    request = np.repeat(np.arange(requests), CANDIDATES)
    step = ITEMS // CANDIDATES
    # One of each stretch of items, so that no request has an item twice.
    item = np.tile(np.arange(CANDIDATES) * step, requests) + draw.integers(0, step, n)
    score = -np.sort(-draw.normal(size=(requests, CANDIDATES)), axis=1).ravel()
    shown = np.tile(np.arange(CANDIDATES) < SHOWN, requests)
    start = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp() * 1e6)
    words = pa.array([f"name {number:04d}" for number in range(1_000)])
    return {
        "request_id": pa.array([f"{DAY:%Y%m%d}-{number:08d}" for number in range(requests)]).take(
            pa.array(request)
        ),
        "user_id": request * 7919 % USERS,
        "ts": start + request * (86_400_000_000 // requests),
        "query": words.take(pa.array(request % CATEGORIES)),
        "missed_positives": np.zeros(n, np.int32),
        "item_id": item,
        "category": words.take(pa.array(item % CATEGORIES)),
        "brand": words.take(pa.array(item % 1_000)),
        "score": score,
        "exposed": shown.astype(np.int32),
        "shown_rank": pa.array(np.tile(np.arange(1, CANDIDATES + 1), requests), mask=~shown),
        "label": pa.array((draw.random(n) < 0.1).astype(np.int32), mask=~shown),
        "derived": np.zeros(n, np.int32),
    }


def grouped(table: Table, columns: dict[str, np.ndarray | pa.Array]) -> pa.Table:
    """Return the same rows, one request a row."""
    counts = np.full(len(columns["user_id"]) // CANDIDATES, CANDIDATES)
    firsts = pa.array(np.arange(len(counts)) * CANDIDATES)
    columns = columns | {"n_candidates": np.full(len(columns["user_id"]), CANDIDATES)}
    arrays = []
    for column, field in zip(table.columns, arrow_schema(table), strict=True):
        values = pa.array(columns[column.name])
        made = lists(values.cast(field.type.value_type), counts) if column.is_list else None
        arrays.append(
            made.cast(field.type) if column.is_list else values.take(firsts).cast(field.type)
        )
    return pa.Table.from_arrays(arrays, schema=arrow_schema(table))


def write(lake: Lake, requests: int) -> None:
    """Publish the day."""
    columns = day_of_rows(requests)
    for name in TABLES:
        table = lake.tables[name]
        if name == "candidate_sets":
            rows = grouped(table, columns)
        else:
            fields = arrow_schema(table)
            arrays = [pa.array(columns[field.name]).cast(field.type) for field in fields]
            rows = pa.Table.from_arrays(arrays, schema=fields)
        output = Publication(lake.partition(name, DAY), step="made up", inputs={}, parameters={})
        output.publish_rows([rows], {})


def main() -> int:
    folder = Path(sys.argv[1])
    rows = int(sys.argv[2])
    folder.mkdir(parents=True)
    (folder / "size.toml").write_text(PROFILE)
    profile = load_profile(str(folder / "size.toml"))
    write(Lake(folder / "lake", profile.tables), rows // CANDIDATES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
