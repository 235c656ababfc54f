"""What one Spark task of label_candidates does: row groups of candidate sets in, labels out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pyspark.sql import SparkSession

from jobs.features import lengths
from jobs.item_vectors import ItemVectors
from jobs.labeller import Labeller, ModelScores
from jobs.spark_tasks import TaskOutput, Written, run_tasks
from model import checkpoint
from model.config import TeacherConfig
from schemas.table import Fields

TASK_CANDIDATES = 1_000_000
"""Candidates of a task, roughly; a row group of more is a task of its own."""
READ_REQUESTS = 256
SCORED_CANDIDATES = 32_768
"""Candidates, padding included, that are scored at once: what bounds a worker's memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Row groups of a file of candidate sets: one task's work."""

    path: Path
    row_groups: tuple[int, ...]


def pieces(files: list[Path]) -> list[Piece]:
    """Cut files into pieces of about TASK_CANDIDATES, by what their footers say."""
    found = []
    for path in files:
        held, candidates = [], 0
        for number, count in enumerate(_candidates_of_row_groups(path)):
            if held and candidates + count > TASK_CANDIDATES:
                found.append(Piece(path, tuple(held)))
                held, candidates = [], 0
            held.append(number)
            candidates += count
        found.append(Piece(path, tuple(held)))
    return found


def _candidates_of_row_groups(path: Path) -> list[int]:
    footer = pq.read_metadata(path)
    columns = [footer.schema.column(n).path for n in range(footer.num_columns)]
    place = next(n for n, name in enumerate(columns) if name.startswith("item_id."))
    groups = range(footer.num_row_groups)
    return [footer.row_group(n).column(place).num_values for n in groups]


def batches(piece: Piece, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the requests of a piece, as many at once as are scored at once."""
    with pq.ParquetFile(piece.path) as parquet:
        for read in parquet.iter_batches(
            READ_REQUESTS, row_groups=list(piece.row_groups), columns=columns
        ):
            for start, end in cuts(lengths(read["item_id"])):
                yield read.slice(start, end - start)


def cuts(counts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield runs of requests that, padded to their longest, have up to SCORED_CANDIDATES.

    `counts` [R] is how many candidates each has; one of more is a run of its own.
    """
    start, longest = 0, 0
    for at, count in enumerate(counts):
        longest = max(longest, count)
        if at > start and longest * (at + 1 - start) > SCORED_CANDIDATES:
            yield start, at
            start, longest = at, count
    if len(counts):
        yield start, len(counts)


@dataclass(frozen=True, slots=True)
class LabelTask:
    """What a worker needs to know; small, and equal for all tasks of a job."""

    model: Path
    """The folder of the model version, which every worker reaches."""
    vectors: Path
    """What `ItemVectors.write` wrote."""
    fields: Fields
    teachers: tuple[TeacherConfig, ...]
    labels: tuple[TaskOutput, ...]
    """Where the labels of each teacher go."""
    pieces: tuple[Piece, ...]

    def __call__(self, numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Label the pieces of these numbers; yield what the driver is told."""
        for batch in numbers:
            for number in batch["id"].to_pylist():
                yield from self.label(number)

    def label(self, number: int) -> Iterator[pa.RecordBatch]:
        """Label one piece."""
        torch.set_num_threads(1)
        labeller = _labeller(self)
        with ExitStack() as open_files:
            writers = [open_files.enter_context(output.open(number)) for output in self.labels]
            for sets in batches(self.pieces[number], labeller.columns):
                for writer, rows in zip(writers, labeller.label(sets), strict=True):
                    writer.write(rows)
        for output, writer in zip(self.labels, writers, strict=True):
            yield output.told(number, writer.path)

    def labeller(self) -> Labeller:
        """Load the model."""
        names = self.fields.user_tokens, self.fields.item_tokens
        scores = ModelScores(self.fields, *checkpoint.load(self.model, *names))
        vectors = ItemVectors.read(self.vectors)
        return Labeller(self.labels[0].table, self.teachers, self.model.name, scores, vectors)


@lru_cache(maxsize=1)
def _labeller(task: LabelTask) -> Labeller:
    """Return the labeller of a job; a worker that runs several of its tasks loads it once."""
    return task.labeller()


def write_labels(spark: SparkSession, task: LabelTask, say: Callable[[str], None]) -> list[Written]:
    """Label all pieces, one Spark task each; return what was written, teacher by teacher."""
    numbers = spark.range(0, len(task.pieces), 1, len(task.pieces))
    return run_tasks(numbers, task, task.labels, say)
