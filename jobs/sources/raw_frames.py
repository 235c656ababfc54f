"""Raw files as Spark frames, a piece of a file a task, staged as parquet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from jobs.sources.joined_rows import JoinedReader
from jobs.sources.raw_batch import unreadable
from jobs.sources.raw_files import Piece
from jobs.sources.staging import Stager
from jobs.spark_tasks import each_number, mapped, numbers, refusals


@dataclass(frozen=True, slots=True)
class Staging:
    """A folder of staged rows, read from raw files through Spark."""

    spark: SparkSession
    folder: Path

    def read(self, name: str, reader: Stager | JoinedReader, pieces: list[Piece]) -> DataFrame:
        """Read the pieces, one task each, and return their staged rows."""

        def read_pieces(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for number in each_number(batches):
                with unreadable(pieces[number].path):
                    yield from reader(pieces[number])

        path = str(self.folder / name)
        rows = mapped(numbers(self.spark, len(pieces)), read_pieces, reader.schema)
        with refusals(self.spark):
            rows.write.parquet(path)
        return self.spark.read.schema(rows.schema).parquet(path)
