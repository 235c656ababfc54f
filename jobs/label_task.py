"""What one Spark task of label_candidates does: row groups of candidate sets in, labels out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import SparkSession

from jobs.candidate_pieces import Piece, batches
from jobs.spark_tasks import TaskOutput, Written, each_number, numbers, run_tasks
from model.config import PolicyConfig, TeacherConfig
from schemas.table import Fields

if TYPE_CHECKING:
    from jobs.labeller import Labeller

_open: dict[Path, "Labeller"] = {}
"""The labeller of the newest job: a worker that runs several of its tasks loads the model once."""


@dataclass(frozen=True, slots=True)
class LabelTask:
    """What a worker needs to know; small, and equal for all tasks of a job."""

    model: Path
    """The folder of the model version, which every worker reaches."""
    vectors: Path
    """The folder that `ItemVectors.write` wrote for this job."""
    fields: Fields
    teachers: tuple[TeacherConfig, ...]
    policy: PolicyConfig
    labels: tuple[TaskOutput, ...]
    """Where the labels of each teacher go."""
    pieces: tuple[Piece, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Label the pieces of these numbers; yield what the driver is told."""
        for number in each_number(batches):
            yield from self.label(number)

    def label(self, number: int) -> Iterator[pa.RecordBatch]:
        """Label one piece."""
        if self.vectors not in _open:
            _open.clear()
            _open[self.vectors] = self.labeller()
        labeller = _open[self.vectors]
        reasons: list[list] = [[] for _ in self.labels]
        with ExitStack() as files:
            writers = [files.enter_context(output.open(number)) for output in self.labels]
            for sets in batches(self.pieces[number], labeller.columns):
                made = labeller.label(sets)
                for writer, own, labelled in zip(writers, reasons, made, strict=True):
                    writer.write(labelled.labels)
                    own += zip(*labelled.unlabelled.to_pydict().values(), strict=True)
        for output, writer, own in zip(self.labels, writers, reasons, strict=True):
            yield output.told(number, writer.path, {"unlabelled": own})

    def labeller(self) -> "Labeller":
        """Load the model."""
        # Only workers wait for torch and give it room: the driver has no use for it.
        from jobs.open_labeller import open_labeller

        return open_labeller(self)


def write_labels(spark: SparkSession, task: LabelTask, say: Callable[[str], None]) -> list[Written]:
    """Label all pieces, one Spark task each; return what was written, teacher by teacher."""
    return run_tasks(numbers(spark, len(task.pieces)), task, task.labels, say)
