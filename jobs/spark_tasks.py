"""Files that Spark tasks write by themselves: rows stay in the workers, the driver learns of files.

Rows that pass from a worker through the JVM into a parquet file cost more than most of the work on
them. So a task writes its own file with pyarrow, audits it where it lies, and tells the driver.
A task that Spark runs twice writes two files; the driver hears of one, and the other is removed.
"""

import gc
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipimport import zipimporter

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.audit import FileAudit, audit_file
from jobs.digest import ContentDigest
from jobs.errors import Died, Refused
from jobs.parquet_file import TableWriter
from schemas.table import Table

WORKER_DIED = "Python worker exited unexpectedly"
"""Spark's words."""
REFUSED = f"{Refused.__module__}.{Refused.__name__}: "
TOLD = pa.schema(
    [
        ("task", pa.int32()),
        ("path", pa.string()),
        ("rows", pa.int64()),
        ("digest", pa.string()),
        ("key_hashes", pa.list_(pa.int64())),
        ("facts", pa.string()),
    ]
)
"""What a task tells of a file."""
LOOK_SECONDS, LEAST_TASKS = 2.0, 10
"""How often progress is looked at, and the tasks below which a stage has none to tell."""


@contextmanager
def refusals(spark: SparkSession) -> Iterator[None]:
    """Turn a refusal that a Spark task raised, or its death, into what the command shows."""
    # Spark writes what a task raised once for each of its layers, and then raises it too.
    spark.sparkContext.setLogLevel("FATAL")
    try:
        yield
        spark.sparkContext.setLogLevel("ERROR")
    except (PySparkException, Py4JJavaError) as error:
        _, found, words = str(error).partition(REFUSED)
        if found:
            raise Refused(words.splitlines()[0]) from error
        if WORKER_DIED in str(error):
            raise Died(
                "a Python worker of Spark ended without a word, most likely killed for want of "
                "memory; run the step again, and if it dies again with --master 'local[1]'"
            ) from error
        raise


Work = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""What a task does: one partition's batches in, batches out."""


def mapped(frame: DataFrame, work: Work, schema: pa.Schema) -> DataFrame:
    """Return what `work` makes of each partition of a frame."""
    return frame.mapInArrow(_InReusedWorker(work), from_arrow_schema(schema))


@dataclass(frozen=True, slots=True)
class _InReusedWorker:
    """Work, and what spares the worker's next task 0.4 s.

    Before a task PySpark lets the import system forget what it knows, and so each archive on the
    path, PySpark's own among them, is listed again in pure Python. After a task it collects
    garbage, and so looks at all that numba, pandas and torch have loaded.
    """

    work: Work

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Do the work; of the archives keep nothing, of the loaded say that it stays."""
        yield from self.work(batches)
        for path, finder in list(sys.path_importer_cache.items()):
            if isinstance(finder, zipimporter):
                del sys.path_importer_cache[path]
        gc.collect()
        gc.freeze()


def numbers(spark: SparkSession, count: int) -> DataFrame:
    """Return the numbers of so many pieces of work, one in each partition."""
    return spark.range(0, count, 1, count)


def each_number(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    """Yield the numbers that a task of such a frame is handed."""
    for batch in batches:
        yield from batch["id"].to_pylist()


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """Where tasks put the files of one partition."""

    folder: Path
    """The attempt's version folder, which driver and workers both reach."""
    table: Table
    name: str
    """The partition, for messages."""

    def open(self, task: int) -> TableWriter:
        """Open a file that no other run of the task writes."""
        name = f"task-{task}-{uuid.uuid4().hex[:12]}.parquet"
        return TableWriter(self.folder / name, self.table)

    def told(self, task: int, path: Path, facts: dict[str, Any] | None = None) -> pa.RecordBatch:
        """Audit a closed file as it lies there; return what the driver is told of it."""
        audit = audit_file(path, self.table, self.name)
        row = {
            "task": task,
            "path": str(path),
            "rows": audit.digest.rows,
            "digest": audit.digest.hexdigest(),
            "key_hashes": audit.key_hashes.view(np.int64),
            "facts": json.dumps(facts or {}),
        }
        return pa.RecordBatch.from_pylist([row], schema=TOLD)


@dataclass(frozen=True, slots=True)
class Written:
    """The files that tasks wrote for one partition, under their names for good."""

    audits: list[FileAudit]
    facts: list[dict[str, Any]]
    """What each task counted."""


def run_tasks(
    frame: DataFrame,
    work: Work,
    outputs: Sequence[TaskOutput],
    say: Callable[[str], None],
) -> list[Written]:
    """Run `work` on each partition of a frame; return, output by output, what it wrote.

    `work` yields what `TaskOutput.told` returns. Raises Refused where a task does.
    """
    spark = frame.sparkSession
    with refusals(spark), told_progress(spark, say):
        told = mapped(frame, work, TOLD).toArrow().sort_by("task")
    return [_adopted(output, told) for output in outputs]


def _adopted(output: TaskOutput, told: pa.Table) -> Written:
    """Give the files that count their names for good, and remove the others."""
    audits, facts = [], []
    for row, hashes in zip(
        told.drop_columns("key_hashes").to_pylist(), told["key_hashes"], strict=True
    ):
        path = Path(row["path"])
        if path.parent != output.folder:
            continue
        final = path.with_name(f"part-{len(audits)}.parquet")
        path.rename(final)
        digest = ContentDigest.read(row["rows"], row["digest"])
        audits.append(FileAudit(final, digest, hashes.values.to_numpy().view(np.uint64)))
        facts.append(json.loads(row["facts"]))
    for leftover in output.folder.glob("task-*.parquet"):
        leftover.unlink()
    return Written(audits, facts)


@contextmanager
def told_progress(spark: SparkSession, say: Callable[[str], None]) -> Iterator[None]:
    """Say every tenth of a stage how many tasks are done, and how long the rest will take."""
    over = threading.Event()

    def look() -> None:
        tracker, began, tenths = spark.sparkContext.statusTracker(), {}, {}
        while not over.wait(LOOK_SECONDS):
            for stage in tracker.getActiveStageIds():
                found, now = tracker.getStageInfo(stage), time.monotonic()
                if found is None or found.numTasks < LEAST_TASKS:
                    continue
                done, total = found.numCompletedTasks, found.numTasks
                seconds = now - began.setdefault(stage, now)
                if done and tenths.get(stage, 0) < done * 10 // total:
                    tenths[stage] = done * 10 // total
                    left = seconds / done * (total - done)
                    say(f"{done:,} of {total:,} tasks done, about {left:.0f} s left")

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    try:
        yield
    finally:
        over.set()
        looker.join()
