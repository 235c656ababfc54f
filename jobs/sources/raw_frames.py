"""Raw files as Spark frames, a piece of a file a task, staged as parquet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.sources.joined_rows import JoinedReader
from jobs.sources.raw_batch import unreadable
from jobs.sources.raw_files import Piece
from jobs.sources.staging import Stager
from jobs.spark_tasks import each_number, numbers, refusals


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

        path, columns = str(self.folder / name), from_arrow_schema(reader.schema)
        tasks = numbers(self.spark, len(pieces))
        with refusals(self.spark):
            tasks.mapInArrow(read_pieces, columns).write.parquet(path)
        return self.spark.read.schema(columns).parquet(path)
