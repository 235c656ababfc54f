"""Log rows on their way to the tasks that group them: Spark's shuffle moves blocks of columns.

Rows that pass through the JVM cost several times what is done with them. So tasks read logs with
pyarrow and cut them into blocks by a hash of the request, the JVM moves the blocks as they are, and
the tasks behind it join theirs again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.util import hash_array
from pyspark.sql import DataFrame, SparkSession

from jobs.candidate_pieces import Piece
from jobs.features import one_chunk
from jobs.spark_tasks import each_number, mapped, numbers

READ_ROWS = 250_000
"""Log rows that are cut into blocks at once."""
BLOCKS = pa.schema([("part", pa.int32()), ("block", pa.binary())])
MOST_PARTS = 512
"""Parts are eight times as many as tasks, for evenness, while that leaves blocks of some size."""


@dataclass(frozen=True, slots=True)
class BlockTask:
    """Cuts pieces of the logs into blocks, one for each part of the requests."""

    pieces: tuple[Piece, ...]
    columns: tuple[str, ...]
    parts: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the blocks of the pieces of these numbers."""
        for number in each_number(batches):
            yield from self.cut(self.pieces[number])

    def cut(self, piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield the blocks of a piece."""
        groups, columns = list(piece.row_groups), list(self.columns)
        with pq.ParquetFile(piece.path) as parquet:
            for logs in parquet.iter_batches(READ_ROWS, row_groups=groups, columns=columns):
                part = part_of(one_chunk(logs["request_id"]), self.parts)
                by_part = pa.Table.from_batches([logs]).take(np.argsort(part, kind="stable"))
                start = 0
                for number, count in enumerate(np.bincount(part, minlength=self.parts)):
                    if count:
                        block = packed(by_part.slice(start, count))
                        yield pa.RecordBatch.from_arrays(
                            [pa.array([number], pa.int32()), pa.array([block], pa.binary())],
                            schema=BLOCKS,
                        )
                    start += count


def part_of(request_id: pa.Array, parts: int) -> np.ndarray:
    """Return the part of each row [n]: the same for the rows of a request, on every machine."""
    encoded = request_id.dictionary_encode()
    words = hash_array(encoded.dictionary.to_numpy(zero_copy_only=False), categorize=False)
    # The narrower the faster they are sorted.
    part = (words % np.uint64(parts)).astype(np.min_scalar_type(parts))
    return part[encoded.indices.to_numpy()]


def packed(rows: pa.Table) -> bytes:
    """Return rows as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return sink.getvalue().to_pybytes()


def unpacked(blocks: pa.RecordBatch) -> pa.Table:
    """Return the rows of blocks."""
    found = (block.as_buffer() for block in blocks["block"])
    return pa.concat_tables(pa.ipc.open_stream(block).read_all() for block in found)


def shuffled(spark: SparkSession, task: BlockTask, tasks: int) -> DataFrame:
    """Return a frame of so many partitions, all blocks of a part in one of them.

    A number that is asked for is one that adaptive execution leaves as it is.
    """
    blocks = mapped(numbers(spark, len(task.pieces)), task, BLOCKS)
    return blocks.repartition(tasks, "part")
