"""What the tests of gc do to a lake: make it old, publish, count."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from decided_lake import DecidedLake, day_of

from jobs import gc
from jobs.lake import verified
from jobs.manifest import FILE_NAME, Manifest
from jobs.publish import Publication
from schemas.arrow import arrow_schema

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VERSION = "v=0123456789ab"


def aged(path: Path, days: float) -> Path:
    """Make everything at a path so many days old."""
    moment = (NOW - timedelta(days=days)).timestamp()
    every = [path, *path.rglob("*")] if path.is_dir() else [path]
    for one in every:
        os.utime(one, (moment, moment), follow_symlinks=False)
    return path


def run(lake: DecidedLake, *flags: str, age: str = "14d") -> int:
    where = ["--lake", str(lake.root), "--profile", "toy", "--now", NOW.isoformat()]
    return gc.main([*where, "--older-than", age, *flags])


def put(lake: DecidedLake, table: str, number: int, rows: list[dict], **keys: str):
    """Publish rows as an import or a label job would; return the partition."""
    partition = lake.lake.partition(table, day_of(number), **keys)
    content = pa.Table.from_pylist(rows, arrow_schema(partition.table))
    Publication(partition, step="by hand", inputs={}, parameters={}).publish_rows([content], {})
    return partition


def lost(number: int) -> dict:
    return {
        "part": "logs", "source_file": "log.csv", "source_row": number, "reason": "bad",
        "value": "", "raw": "",
    }  # fmt: skip


def unlabelled(lake: DecidedLake, number: int, teacher: str, inputs: dict[str, str] | None = None):
    partition = lake.lake.partition("unlabelled", day_of(number), teacher_id=teacher)
    rows = pa.Table.from_pylist([], arrow_schema(partition.table))
    output = Publication(partition, step="label_candidates", inputs=inputs or {}, parameters={})
    output.publish_rows([rows], {})
    return partition


def everything(lake: DecidedLake) -> set[str]:
    return {str(path.relative_to(lake.root)) for path in lake.root.rglob("*")}


def check_live(lake: DecidedLake) -> int:
    """Verify byte by byte whatever a pointer names; return how many there are."""
    pointers = [path.parent for path in lake.root.rglob(FILE_NAME)]
    for folder in pointers:
        live = Manifest.read(folder)
        verified(folder / live.folder, live)
        assert (folder / live.folder).is_dir()
    return len(pointers)
