"""How this project writes a parquet file: row groups that any reader can hold, no needless work."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import arrow_schema
from schemas.table import Table

ROW_GROUP_ROWS = 65_536
ROW_GROUP_BYTES = 8 * 2**20
"""A row group is full at either; a reader holds a whole one."""


class TableWriter:
    """Writes rows of a table to one file.

    Batches of whatever size are joined to full row groups: a file of many small ones is slow to
    read for every engine.
    """

    def __init__(self, path: Path, table: Table) -> None:
        """Open the file."""
        self.path, self._names, self._schema = path, table.names, arrow_schema(table)
        # A dictionary of ids or floats as good as all different costs more than it saves.
        texts = [
            f"{column.name}.list.element" if column.is_list else column.name
            for column in table.columns
            if column.kind == "string"
        ]
        self._writer = pq.ParquetWriter(
            path, self._schema, compression="zstd", use_dictionary=texts or False
        )
        self._held: list[pa.Table] = []

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Add rows; columns that the table does not declare are left out."""
        whole = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
        whole = whole.select(self._names).cast(self._schema)
        # Rows of long lists: a batch of them may be more than a row group should hold.
        step = max(1, ROW_GROUP_BYTES * whole.num_rows // max(1, whole.nbytes))
        for start in range(0, whole.num_rows, step):
            self._hold(whole.slice(start, step))

    def _hold(self, piece: pa.Table) -> None:
        self._held.append(piece)
        if (
            sum(piece.num_rows for piece in self._held) >= ROW_GROUP_ROWS
            or sum(piece.nbytes for piece in self._held) >= ROW_GROUP_BYTES
        ):
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.concat_tables(self._held), ROW_GROUP_ROWS)
            self._held = []

    def __enter__(self) -> "TableWriter":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is held and close the file."""
        if kind is None:
            self._flush()
        self._writer.close()


def write_parquet(path: Path, table: Table, batches: Iterable[pa.RecordBatch | pa.Table]) -> None:
    """Write batches of the table's columns to a parquet file."""
    with TableWriter(path, table) as writer:
        for batch in batches:
            writer.write(batch)
