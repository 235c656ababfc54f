"""The item vectors of a model as every worker of a machine reads them: one file, mapped to memory.

A table of millions of items sent to each worker would be held once a worker, and unpacked by each
task; the pages of a mapped file are shared by all processes of a machine and read when touched.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from jobs.errors import Refused
from model.lookup import Lookup


@dataclass(frozen=True, slots=True)
class ItemVectors:
    """Items by id, in their order, and their vectors."""

    lookup: Lookup
    e: np.ndarray
    """[I, d] float32, finite."""

    @classmethod
    def write(cls, items: pa.Table, path: Path) -> None:
        """Write item_id and e of items sorted by id; refuse a vector that is not finite."""
        e = items["e"].combine_chunks()
        width = len(e.values) // max(len(e), 1)
        finite = np.isfinite(e.flatten().to_numpy()).reshape(len(e), width).all(axis=1)
        if not finite.all():
            item = items["item_id"][int(np.argmin(finite))].as_py()
            raise Refused(
                f"the vector of item {item!r} is not finite, so its model is of no use; "
                "promote another version or train again"
            )
        plain = pa.FixedSizeListArray.from_arrays(e.flatten().cast(pa.float32()), width)
        table = pa.table({"item_id": items["item_id"], "e": plain}).combine_chunks()
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    @classmethod
    def read(cls, path: Path) -> "ItemVectors":
        """Map what `write` wrote."""
        (batch,) = pa.ipc.open_file(pa.memory_map(str(path))).read_all().to_batches()
        e = batch["e"]
        values = e.values.to_numpy().reshape(len(e), e.type.list_size)
        return cls(Lookup(batch["item_id"]), values)

    def rows(self, item_ids: pa.Array) -> np.ndarray:
        """Return each item's row in `e` [n] int64; refuse an item that is not there."""
        rows = self.lookup.find(item_ids)
        if len(rows) and rows.min() < 0:
            item = item_ids[int(np.argmin(rows))].as_py()
            raise Refused(f"item {item!r} is a candidate and has no vector")
        return rows
