"""The item vectors of a model as every worker of a machine reads them: one file, mapped to memory.

A table of millions of items sent to each worker would be held once a worker, and unpacked by each
task; the pages of a mapped file are shared by all processes of a machine and read when touched.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.errors import Refused
from jobs.features import first_of_each
from model.lookup import Lookup

VECTORS, IDS = "e.npy", "item_id.parquet"


@dataclass(frozen=True, slots=True)
class ItemVectors:
    """Items by id, in their order, and their vectors."""

    lookup: Lookup
    e: np.ndarray
    """[I, d] float32, finite, C-contiguous."""

    @classmethod
    def write(cls, files: list[Path], folder: Path) -> None:
        """Write what `read` maps, from files of item_id and e; of an item there twice, the first.

        Refuses a vector that is not finite.
        """
        folder.mkdir()
        ids = pa.concat_tables([pq.read_table(path, columns=["item_id"]) for path in files])
        place = pa.array(np.arange(len(ids)))
        by_id = pc.sort_indices(
            ids.append_column("place", place), [("item_id", "ascending"), ("place", "ascending")]
        )
        ordered = ids["item_id"].take(by_id).combine_chunks()
        is_first = first_of_each(ordered)
        pq.write_table(pa.table({"item_id": ordered.filter(pa.array(is_first))}), folder / IDS)
        row = np.full(len(ids), -1)
        row[by_id.to_numpy()[is_first]] = np.arange(is_first.sum())
        e, start = None, 0
        for path in files:
            for batch in pq.ParquetFile(path).iter_batches(columns=["item_id", "e"]):
                vectors = _matrix(batch)
                if e is None:
                    shape = (int(is_first.sum()), vectors.shape[1])
                    e = np.lib.format.open_memmap(folder / VECTORS, "w+", np.float32, shape)
                into = row[start : start + len(vectors)]
                e[into[into >= 0]] = vectors[into >= 0]
                start += len(vectors)
        if e is None:
            raise Refused(f"no item has a vector in {', '.join(map(str, files))}; train again")
        e.flush()

    @classmethod
    @lru_cache(maxsize=1)
    def read(cls, folder: Path) -> "ItemVectors":
        """Map what `write` wrote, for good; a worker does so once for all tasks of a job."""
        ids = pq.read_table(folder / IDS)["item_id"].combine_chunks()
        return cls(Lookup(ids), np.load(folder / VECTORS, mmap_mode="r"))

    def rows(self, item_ids: pa.Array) -> np.ndarray:
        """Return each item's row in `e` [n] int64; refuse an item that is not there."""
        rows = self.lookup.find(item_ids)
        if len(rows) and rows.min() < 0:
            item = item_ids[int(np.argmin(rows))].as_py()
            raise Refused(f"item {item!r} is a candidate and has no vector")
        return rows


def _matrix(batch: pa.RecordBatch) -> np.ndarray:
    """Return the vectors of a batch [n, d]."""
    values = batch["e"].flatten().to_numpy().astype(np.float32)
    vectors = values.reshape(batch.num_rows, -1)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        item = batch["item_id"][int(np.argmin(finite))].as_py()
        raise Refused(
            f"the vector of item {item!r} is not finite, so its model is of no use; "
            "promote another version or train again"
        )
    return vectors
