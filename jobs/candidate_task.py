"""What one Spark task of build_candidates does: all log rows of some requests in, sets out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark import TaskContext

from jobs.features import lists
from jobs.spark_tasks import TaskOutput
from schemas.arrow import arrow_schema
from schemas.table import Table


@dataclass(frozen=True, slots=True)
class CandidateTask:
    """Groups all rows of a partition, which holds every row of each of its requests."""

    sets: TaskOutput

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write the candidate sets; yield what the driver is told."""
        held = list(batches)
        if not held:
            return
        number = TaskContext.get().partitionId()
        sets, torn = grouped(pa.Table.from_batches(held), self.sets.table)
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


WRITTEN_REQUESTS = 256
"""Requests that are handed to the writer at once, so that its row groups can be cut."""


def grouped(logs: pa.Table, sets: Table) -> tuple[pa.Table, object]:
    """Return the candidate sets of log rows, requests by id, and the first id of a torn request.

    Candidates go by score down, then item id up. A request is torn where its rows contradict each
    other in what a request has one of.
    """
    # To this sort -0.0 ties with 0.0, as it has to.
    order = pc.sort_indices(
        logs.select(["request_id", "score", "item_id"]),
        [("request_id", "ascending"), ("score", "descending"), ("item_id", "ascending")],
    )
    logs = logs.take(order).combine_chunks()
    request = logs["request_id"].combine_chunks()
    begins = np.concatenate(
        [[True], pc.not_equal(request[1:], request[:-1]).to_numpy(zero_copy_only=False)]
    )
    start = np.flatnonzero(begins)
    counts = np.diff(start, append=len(begins))
    first = pa.array(np.repeat(start, counts))
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
            torn |= pc.not_equal(values, values.take(first)).to_numpy(zero_copy_only=False)
    schema = arrow_schema(sets)
    table = pa.table([columns[field.name].cast(field.type) for field in schema], schema=schema)
    return table, request[int(np.argmax(torn))].as_py() if torn.any() else None
