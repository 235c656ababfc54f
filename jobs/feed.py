"""Petastorm, and only here: published examples as batches, every row accounted for.

Petastorm 0.12.1 is pinned because 0.13 silently loses row groups; even so each epoch is counted
against the parquet footers. `_common_metadata` may carry a pickle that Petastorm would execute, so
a folder that holds one is refused before anything opens it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import torch

from jobs.errors import Refused
from model.batch import CandidateBatch, from_examples
from schemas.table import Table


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what Petastorm is warned of: it still uses what its dependencies have deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


with _quiet():
    from petastorm import make_batch_reader
    from petastorm.pytorch import BatchedDataLoader

FORBIDDEN = ("_common_metadata", "_metadata")


class Feed:
    """The batches of some published files."""

    def __init__(self, files: list[Path], table: Table, *, batch_size: int, seed: int) -> None:
        """Count the rows in the files' footers; nothing is opened by Petastorm yet."""
        for folder in {path.parent for path in files}:
            for name in FORBIDDEN:
                if (folder / name).exists():
                    raise Refused(
                        f"{folder / name} may hold code that reading it would run; this pipeline "
                        "never writes that file. Remove it and find out who did"
                    )
        # Not Path.as_uri: Petastorm does not undo its escapes, and '=' would become one.
        self._urls = [f"file://{path.absolute()}" for path in files]
        self._table, self._batch_size, self._seed = table, batch_size, seed
        self.rows = sum(pq.read_metadata(path).num_rows for path in files)

    def epoch(self, number: int, *, shuffle: bool) -> Iterator[CandidateBatch]:
        """Yield one pass; the order is a function of the seed and the epoch's number.

        Raises RuntimeError at the end of a pass that delivered other than every row once.
        """
        fields = [c.name for c in self._table.columns if c.kind != "string"]
        seed, delivered = self._seed + number, 0
        with _quiet():
            reader = make_batch_reader(
                self._urls,
                schema_fields=fields,
                reader_pool_type="dummy",
                shuffle_row_groups=shuffle,
                seed=seed,
                num_epochs=1,
            )
        with reader:
            capacity = max(4 * self._batch_size, 1) if shuffle else 0
            loader = iter(
                BatchedDataLoader(
                    reader, batch_size=self._batch_size, shuffling_queue_capacity=capacity
                )
            )
            drawn = torch.Generator().manual_seed(seed).get_state()
            while True:
                # The loader draws from torch's global generator, which is the model's to draw from.
                with torch.random.fork_rng(devices=()), _quiet():
                    torch.set_rng_state(drawn)
                    columns = next(loader, None)
                    drawn = torch.get_rng_state()
                if columns is None:
                    break
                batch = from_examples(self._table, columns)
                delivered += len(batch)
                yield batch
        if delivered != self.rows:
            raise RuntimeError(
                f"Petastorm delivered {delivered} of {self.rows} rows in epoch {number}"
            )
