"""What one Spark task of label_candidates does: row groups of candidate sets in, labels out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import torch
from pyspark.sql import SparkSession

from jobs.candidate_pieces import Piece, batches
from jobs.item_vectors import ItemVectors
from jobs.labeller import Labeller, ModelScores
from jobs.load_model import open_model
from jobs.spark_tasks import TaskOutput, Written, run_tasks
from model.config import TeacherConfig
from schemas.table import Fields


@dataclass(frozen=True, slots=True)
class LabelTask:
    """What a worker needs to know; small, and equal for all tasks of a job."""

    model: Path
    """The folder of the model version, which every worker reaches."""
    vectors: Path
    """The folder that `ItemVectors.write` wrote."""
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
        scores = ModelScores(self.fields, *open_model(self.model, self.fields))
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
