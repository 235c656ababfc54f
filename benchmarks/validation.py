"""Validate a made-up day of candidate rows, and print what it took of the processors.

The day has request_logs and the same rows grouped as candidate_sets, 200 candidates a request, and
28 days with measures before it. CPU time is that of the command with all its threads, start-up
included. With --broken nine labels in ten break a rule.
"""

import argparse
import resource
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.lake_facts import markdown
from jobs.features import lists
from jobs.lake import Lake
from jobs.profile.load import load_profile
from jobs.publish import Publication
from schemas.arrow import arrow_schema
from schemas.table import Column, Table

DAY = date(2026, 1, 29)
TRAILING = 28
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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validation",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.validation --folder /tmp/size --rows 1000000",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the lake goes")
    parser.add_argument("--rows", type=int, nargs="+", required=True, help="candidate rows")
    parser.add_argument("--broken", action="store_true", help="let most rows break a rule")
    return parser


def columns_of(requests: int) -> dict[str, np.ndarray | pa.Array]:
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
    names = pa.array([f"{DAY:%Y%m%d}-{number:08d}" for number in range(requests)])
    return {
        "request_id": names.take(pa.array(request)),
        "user_id": request * 7919 % USERS,
        "ts": start + request * (86_400_000_000 // requests),
        "query": words.take(pa.array(request % CATEGORIES)),
        "missed_positives": np.zeros(n, np.int32),
        "n_candidates": np.full(n, CANDIDATES),
        "item_id": item,
        "category": words.take(pa.array(item % CATEGORIES)),
        "brand": words.take(pa.array(item % 1_000)),
        "score": score,
        "exposed": shown.astype(np.int32),
        "shown_rank": pa.array(np.tile(np.arange(1, CANDIDATES + 1), requests), mask=~shown),
        "label": pa.array((draw.random(n) < 0.1).astype(np.int32), mask=~shown),
        "derived": np.zeros(n, np.int32),
    }


def rows_of(table: Table, columns: dict[str, np.ndarray | pa.Array]) -> pa.Table:
    """Return the rows of either table."""
    counts = np.full(len(columns["user_id"]) // CANDIDATES, CANDIDATES)
    firsts = pa.array(np.arange(len(counts)) * CANDIDATES)

    def array(column: Column, kind: pa.DataType) -> pa.Array:
        values = pa.array(columns[column.name])
        if column.is_list:
            return lists(values.cast(kind.value_type), counts).cast(kind)
        return (values if table.name == "request_logs" else values.take(firsts)).cast(kind)

    schema = arrow_schema(table)
    arrays = [array(column, schema.field(column.name).type) for column in table.columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def write(lake: Lake, requests: int, broken: bool) -> None:
    """Publish the day."""
    columns = columns_of(requests)
    if broken:
        columns["label"] = columns["exposed"]  # There where nothing was shown, too.
    for name in TABLES:
        put(lake, rows_of(lake.tables[name], columns), name, DAY)


def put(lake: Lake, rows: pa.Table, table: str, day: date, **keys: str) -> None:
    """Publish rows as a step does."""
    into = lake.partition(table, day, **keys)
    Publication(into, step="made up", inputs={}, parameters={}).publish_rows([rows], {})


def validated(folder: Path) -> float:
    """Validate both tables; return the CPU seconds that it took."""
    command = [sys.executable, "-m", "jobs.validate", "--lake", str(folder / "lake"), "--force"]
    command += ["--date", str(DAY), "--profile", str(folder / "size.toml"), "--table", *TABLES]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(argv: list[str] | None = None) -> int:
    """Write, validate and measure each size."""
    args = build_parser().parse_args(argv)
    lines = []
    for rows in args.rows:
        folder = args.folder / str(rows)
        folder.mkdir(parents=True)
        (folder / "size.toml").write_text(PROFILE, encoding="utf-8")
        lake = Lake(folder / "lake", load_profile(str(folder / "size.toml")).tables)
        write(lake, rows // CANDIDATES, args.broken)
        first = validated(folder)
        for back in range(1, TRAILING + 1):
            for name in TABLES:
                measures = lake.partition("measures", DAY, of=name).read()
                put(lake, measures, "measures", DAY - timedelta(days=back), of=name)
        lines.append([f"{rows:,}", f"{first:.1f}", f"{validated(folder):.1f}"])
    head = ["rows of each table", "CPU s, no day before", f"CPU s, {TRAILING} days before"]
    print(f"\n{markdown(head, lines)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
