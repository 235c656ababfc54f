"""Items of a day that a model version has not met: found in Spark, given their vectors once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

from jobs.candidate_pieces import Piece, batches
from jobs.features import first_of_each, flat
from jobs.item_vectors import ItemVectors
from jobs.spark_tasks import each_number, mapped, numbers, refusals
from schemas.arrow import ARROW_TYPES
from schemas.table import Fields


@dataclass(frozen=True, slots=True)
class NewItemsTask:
    """Finds the candidates of pieces that are not among the known items."""

    known: Path
    """What `ItemVectors.write` wrote."""
    fields: Fields
    pieces: tuple[Piece, ...]

    @property
    def schema(self) -> pa.Schema:
        """An item and its fields."""
        names = dict.fromkeys(self.fields.item_tokens, pa.string())
        return pa.schema((names | {"item_id": ARROW_TYPES[self.fields.item_id]}).items())

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield each different row of fields that an unknown item has."""
        for number in each_number(batches):
            yield from self.find(self.pieces[number])

    def find(self, piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield those of one piece."""
        lookup, names = ItemVectors.read(self.known).lookup, list(self.fields.item_tokens)
        new = self.schema.empty_table()
        for sets in batches(piece, names):
            is_new = lookup.find(flat(sets["item_id"])) < 0
            if is_new.any():
                rows = pa.table([flat(sets[name]) for name in names], schema=self.schema)
                new = pa.concat_tables([new, rows.filter(pa.array(is_new))])
                new = new.group_by(names).aggregate([])
        yield from new.combine_chunks().to_batches()


def new_items(spark: SparkSession, task: NewItemsTask) -> pa.Table:
    """Return the day's unknown items, sorted by id; the least fields where they contradict."""
    with refusals(spark):
        found = mapped(numbers(spark, len(task.pieces)), task, task.schema).toArrow()
    rows = found.group_by(found.column_names).aggregate([])
    rows = rows.sort_by([(name, "ascending") for name in task.fields.item_tokens])
    return rows.filter(pa.array(first_of_each(rows["item_id"].combine_chunks())))
