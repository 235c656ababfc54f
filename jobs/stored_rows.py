"""The live files of a partition, read to be judged: nothing that they hold is refused here."""

from collections.abc import Collection, Iterator
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import Partition
from jobs.table_views import View
from schemas.arrow import ARROW_TYPES
from schemas.expectations import MISSING, type_name

CELLS_AT_ONCE = 16_000_000
"""Values judged at once; bounds the memory to a few hundred MB."""


class StoredRows:
    """The live files of a partition as they are, be they what the table declares or not."""

    def __init__(self, part: Partition) -> None:
        """Find the files and compare them with their checksums."""
        self.table, self.paths = part.table, part.files()

    def types(self) -> View:
        """Return what the files say of themselves, one file a row."""
        schemas = {path.name: pq.read_schema(path) for path in self.paths}
        columns = {"file": list(schemas)}
        for name in self.table.names:
            columns[name] = [
                type_name(schema.field(name).type) if name in schema.names else MISSING
                for schema in schemas.values()
            ]
        texts = {name: pa.array(words, pa.string()) for name, words in columns.items()}
        return View(pa.table(texts), ("file",))

    @cached_property
    def rows(self) -> int:
        """How many rows the files hold."""
        return sum(pq.read_metadata(path).num_rows for path in self.paths)

    def _batches(self, columns: Collection[str], size: int) -> Iterator[pa.Table]:
        for path in self.paths:
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(size, columns=list(columns)):
                    arrays = [batch.column(name).cast(self._kind(name)) for name in columns]
                    yield pa.table(arrays, names=list(columns))

    def _kind(self, name: str) -> pa.DataType:
        """Return the declared type, with nulls allowed: they are to be found, not refused."""
        column = self.table[name]
        kind = ARROW_TYPES[column.kind]
        return pa.list_(kind) if column.is_list else kind

    def chunks(self, columns: Collection[str]) -> Iterator[pa.Table]:
        """Read some columns in as few pieces as the memory allows; rows stay whole."""
        cells = 0
        for path in self.paths:
            footer = pq.read_metadata(path)
            for group in range(footer.num_row_groups):
                chunks = footer.row_group(group)
                cells += sum(chunks.column(i).num_values for i in range(chunks.num_columns))
        size = max(1, CELLS_AT_ONCE * self.rows // max(cells, 1))
        held: list[pa.Table] = []
        for batch in self._batches(columns, size):
            if held and sum(piece.num_rows for piece in held) + batch.num_rows > size:
                yield pa.concat_tables(held)
                held = []
            held.append(batch)
        if held:
            yield pa.concat_tables(held)

    def whole(self, columns: Collection[str]) -> pa.Table:
        """Read some columns of all rows."""
        pieces = list(self._batches(columns, 1_000_000))
        if not pieces:
            pieces = [pa.table({n: pa.array([], self._kind(n)) for n in columns})]
        return pa.concat_tables(pieces)
