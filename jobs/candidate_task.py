"""What one Spark task of build_candidates does: all log rows of some requests in, sets out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark import TaskContext

from jobs.features import first_of_each, lists
from jobs.log_blocks import unpacked
from jobs.spark_tasks import TaskOutput
from schemas.arrow import arrow_schema
from schemas.table import Table

WRITTEN_REQUESTS = 256
"""Requests that are handed to the writer at once, so that its row groups can be cut."""


@dataclass(frozen=True, slots=True)
class CandidateTask:
    """Groups the rows of a partition's blocks, which are all rows of its requests."""

    sets: TaskOutput

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write the candidate sets; yield what the driver is told."""
        held = [unpacked(blocks) for blocks in batches]
        if not held:
            return
        number = TaskContext.get().partitionId()
        sets, torn = grouped(pa.concat_tables(held), self.sets.table)
        with self.sets.open(number) as writer:
            for batch in sets.to_batches(max_chunksize=WRITTEN_REQUESTS):
                writer.write(batch)
        counts = sets["n_candidates"]
        facts = {
            "candidates": pc.sum(counts).as_py(),
            "longest": pc.max(counts).as_py(),
            "torn": torn,
        }
        yield self.sets.told(number, writer.path, facts)


def grouped(logs: pa.Table, sets: Table) -> tuple[pa.Table, object]:
    """Return the candidate sets of log rows, requests by id, and the first id of a torn request.

    Candidates go by score down, then item id up. A request is torn where its rows contradict each
    other in what a request has one of.
    """
    logs = logs.combine_chunks()
    keys = {
        "request": ranks(logs["request_id"].chunk(0)),
        # To this sort -0.0 ties with 0.0, as it has to.
        "score": logs["score"],
        "item": logs["item_id"],
    }
    order = pc.sort_indices(
        pa.table(keys), [("request", "ascending"), ("score", "descending"), ("item", "ascending")]
    )
    logs = logs.take(order)
    begins = first_of_each(pa.array(keys["request"]).take(order))
    start = np.flatnonzero(begins)
    counts = np.diff(start, append=len(begins))
    columns, torn = {"n_candidates": pa.array(counts.astype(np.int32))}, np.zeros(len(begins), bool)
    for column in sets.columns:
        if column.name == "n_candidates":
            continue
        values = logs[column.name].combine_chunks()
        if column.is_list:
            columns[column.name] = lists(values, counts)
            continue
        columns[column.name] = values.take(pa.array(start))
        if column.name != "request_id":
            torn |= first_of_each(values) & ~begins
    rows_torn = np.flatnonzero(torn)[:1]
    schema = arrow_schema(sets)
    table = pa.table([columns[field.name].cast(field.type) for field in schema], schema=schema)
    return table, logs["request_id"][rows_torn[0]].as_py() if len(rows_torn) else None


def ranks(values: pa.Array) -> np.ndarray:
    """Return the place of each value [n] among the different ones in their order."""
    encoded = values.dictionary_encode()
    rank = np.empty(len(encoded.dictionary), np.int32)
    rank[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(rank), dtype=np.int32)
    return rank[encoded.indices.to_numpy()]
