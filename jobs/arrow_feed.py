"""Examples through pyarrow alone: the oracle of Petastorm's feed, and the way out of it.

All rows are held in memory, 4 N (F + D + 3) bytes each, so a shuffle is one of all of them, and
several processes have together just the batches that one has.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import torch

from model.batch import CandidateBatch, from_examples
from schemas.table import Table


class ArrowFeed:
    """The batches of some published files."""

    def __init__(
        self,
        files: list[Path],
        table: Table,
        *,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """Count the rows in the files' footers; they are read when they are first asked for."""
        self._files, self._table = files, table
        self._batch_size, self._seed = batch_size, seed
        self._rank, self._world = rank, world
        self.rows = sum(pq.read_metadata(path).num_rows for path in files)
        self.steps = math.ceil(self.rows / batch_size)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        """Return each column that has a tensor as [rows] or [rows, values]."""
        names = [c.name for c in self._table.columns if c.kind != "string"]
        read = ds.dataset([str(path) for path in self._files]).to_table(columns=names)
        if read.num_rows != self.rows:
            raise RuntimeError(f"Arrow delivered {read.num_rows} of {self.rows} rows")
        return {name: _values(read[name].combine_chunks()) for name in names}

    def epoch(self, number: int, *, shuffle: bool) -> Iterator[CandidateBatch]:
        """Yield one pass: in the files' order, or by a permutation of all rows."""
        draw = np.random.default_rng([self._seed, number])
        order = draw.permutation(self.rows) if shuffle else np.arange(self.rows)
        for start in range(0, self.rows, self._batch_size):
            chosen = order[start : start + self._batch_size][self._rank :: self._world]
            rows = {
                name: torch.from_numpy(column[chosen]) for name, column in self._columns.items()
            }
            yield from_examples(self._table, rows)


def _values(column: pa.Array) -> np.ndarray:
    if pa.types.is_list(column.type):
        return column.flatten().to_numpy().reshape(len(column), -1)
    return column.to_numpy()
