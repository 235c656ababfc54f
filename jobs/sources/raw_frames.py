"""Raw files as Spark frames, a piece of a file a task, staged as parquet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.errors import Refused
from jobs.sources.joined_rows import JoinedReader
from jobs.sources.raw_batch import unreadable
from jobs.sources.raw_files import Piece
from jobs.sources.staging import Stager

REFUSED = f"{Refused.__module__}.{Refused.__name__}: "


@contextmanager
def refusals(spark: SparkSession) -> Iterator[None]:
    """Turn a refusal that a Spark task raised into one that the command shows."""
    # Spark writes what a task raised once for each of its layers, and then raises it too.
    spark.sparkContext.setLogLevel("FATAL")
    try:
        yield
        spark.sparkContext.setLogLevel("ERROR")
    except PySparkException as error:
        _, found, words = str(error).partition(REFUSED)
        if not found:
            raise
        raise Refused(words.splitlines()[0]) from error


@dataclass(frozen=True, slots=True)
class Staging:
    """A folder of staged rows, read from raw files through Spark."""

    spark: SparkSession
    folder: Path

    def read(self, name: str, reader: Stager | JoinedReader, pieces: list[Piece]) -> DataFrame:
        """Read the pieces, one task each, and return their staged rows."""

        def read_pieces(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column("id").to_pylist():
                    with unreadable(pieces[number].path):
                        yield from reader(pieces[number])

        path, columns = str(self.folder / name), from_arrow_schema(reader.schema)
        tasks = self.spark.range(0, len(pieces), 1, len(pieces))
        with refusals(self.spark):
            tasks.mapInArrow(read_pieces, columns).write.parquet(path)
        return self.spark.read.schema(columns).parquet(path)
