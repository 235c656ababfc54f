"""What one Spark task of score does: row groups of candidate sets in, rankings out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import SparkSession

from jobs.candidate_pieces import Piece, batches
from jobs.spark_tasks import TaskOutput, Written, each_number, numbers, run_tasks
from model.config import RankingConfig
from schemas.table import Fields

if TYPE_CHECKING:
    from jobs.ranker import Ranker

_open: dict[Path, "Ranker"] = {}
"""The ranker of the newest job: a worker that runs several of its tasks loads the models once."""


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """What a worker needs to know; small, and equal for all tasks of a job."""

    models: tuple[Path, ...]
    """Folders of model versions as `Ranker.open` takes them; every worker reaches them."""
    fields: Fields
    config: RankingConfig
    depth: int
    rankings: TaskOutput
    pieces: tuple[Piece, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rank the pieces of these numbers; yield what the driver is told."""
        for number in each_number(batches):
            yield self.rank(number)

    def rank(self, number: int) -> pa.RecordBatch:
        """Rank one piece."""
        if self.rankings.folder not in _open:
            _open.clear()
            _open[self.rankings.folder] = self.ranker()
        ranker = _open[self.rankings.folder]
        with self.rankings.open(number) as writer:
            for sets in batches(self.pieces[number], ranker.columns):
                writer.write(ranker.rank(sets))
        return self.rankings.told(number, writer.path)

    def ranker(self) -> "Ranker":
        """Load the models."""
        # Only workers wait for torch and give it room: the driver has no use for it.
        from jobs.ranker import Ranker

        table = self.rankings.table
        return Ranker.open(self.models, self.fields, self.config, self.depth, table)


def write_rankings(spark: SparkSession, task: ScoreTask, say: Callable[[str], None]) -> Written:
    """Rank all pieces, one Spark task each; return what was written."""
    (written,) = run_tasks(numbers(spark, len(task.pieces)), task, [task.rankings], say)
    return written
