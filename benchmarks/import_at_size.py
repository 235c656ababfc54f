"""Import made-up logs of growing size, and print what each size took.

A day of so many candidate rows in parquet files, 200 candidates a request, is written below the
folder and imported by a profile of its own. What one row more costs is the slope between sizes.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.lake_facts import markdown

CANDIDATES, SHOWN, ITEMS, USERS = 200, 20, 100_000, 50_000
ROWS_A_FILE = 1_000_000
DAY = "2026-01-01"
PROFILE = """
name = "size"
k = [10]
[fields]
item = ["category"]
category = "category"
[source]
kind = "files"
path = "{path}"
[source.logs]
files = "logs-*.parquet"
[source.logs.columns]
request_id = "request"
user_id = "user"
item_id = "item"
score = "score"
exposed = "exposed"
label = "label"
ts = {{ column = "ts", unit = "s" }}
[[source.items]]
files = "items.parquet"
[source.items.columns]
item_id = "item"
category = "category"
[teacher]
k = 10
[promotion]
k = 10
"""
TAKEN = re.compile(r"(\d+) s, (\d+) s of CPU, ([\d,]+) MiB at most")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.import_at_size",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.import_at_size --folder /tmp/size --rows 2000000 "
        "8000000",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="where files and lake go")
    parser.add_argument("--rows", type=int, nargs="+", required=True, help="candidate rows")
    return parser


def write_logs(folder: Path, rows: int) -> None:
    """Write a day of so many rows, and the items."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(1)
    for number, start in enumerate(range(0, rows, ROWS_A_FILE)):
        n = min(ROWS_A_FILE, rows - start)
        row = np.arange(start, start + n)
        request, place = row // CANDIDATES, row % CANDIDATES
        exposed = place < SHOWN
        columns = {
            "request": request,
            "user": request * 7919 % USERS,
            # Steps through the items without a repeat within a request.
            "item": (request * 104_729 + place * 31) % ITEMS,
            "score": 1.0 - place / CANDIDATES + draw.normal(0, 0.01, n),
            "exposed": exposed.astype(np.int32),
            "label": pa.array((draw.random(n) < 0.1).astype(np.int32), mask=~exposed),
            "ts": 1_767_225_600 + request % 86_400,
        }
        pq.write_table(pa.table(columns), folder / f"logs-{number}.parquet", row_group_size=250_000)
    items = np.arange(ITEMS)
    pq.write_table(pa.table({"item": items, "category": items % 200}), folder / "items.parquet")


def main(argv: list[str] | None = None) -> int:
    """Write, import and measure each size."""
    args = build_parser().parse_args(argv)
    lines = []
    for rows in args.rows:
        folder = args.folder / str(rows)
        write_logs(folder / "raw", rows)
        profile = folder / "size.toml"
        profile.write_text(PROFILE.format(path=folder / "raw"), encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.peak_memory"]
        command += [sys.executable, "-m", "jobs.import_logs", "--lake", str(folder / "lake")]
        done = subprocess.run(
            [*command, "--date", DAY, "--profile", str(profile)],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        sys.stdout.write(done.stdout)
        if done.returncode:
            return done.returncode
        seconds, cpu, peak = TAKEN.search(done.stdout).groups()
        lines.append([f"{rows:,}", seconds, cpu, peak])
    head = ["candidate rows", "seconds", "of CPU", "MiB at most"]
    sys.stdout.write(f"\n{markdown(head, lines)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
