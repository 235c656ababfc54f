"""Petastorm, and only here: published examples as batches, every row accounted for.

Several processes share the row groups out (`cur_shard`), which leaves each with another number of
rows: each spreads its own over the steps that one process would take, so that all take as many.
Petastorm 0.12.1 is pinned because 0.13 silently loses row groups; even so each epoch is counted
against the parquet footers. `_common_metadata` may carry a pickle that Petastorm would execute, so
a folder that holds one is refused before anything opens it.
"""

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import torch
from torch import Tensor

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


class PetastormFeed:
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
        groups = [rows for path in files for rows in row_groups(path)]
        if files and len(groups) < world:
            raise Refused(
                f"--processes {world} need a row group each, and {files[0].parent} has "
                f"{len(groups)} of {files[0].name.partition('-')[0]}; give --processes "
                f"{len(groups)} or fewer, or --feed arrow"
            )
        self._shard = {"cur_shard": rank, "shard_count": world} if world > 1 else {}
        self._mine = sum(groups[rank::world])
        self.rows = sum(groups)
        self.steps = math.ceil(self.rows / batch_size)

    def epoch(self, number: int, *, shuffle: bool) -> Iterator[CandidateBatch]:
        """Yield one pass; the order is a function of the seed and the epoch's number.

        Raises RuntimeError at the end of a pass that delivered other than every row once.
        """
        # At the end of each step as large a share of the own rows is done as of all rows.
        done = [min(s * self._batch_size, self.rows) for s in range(self.steps + 1)]
        ends = [self._mine * rows // max(self.rows, 1) for rows in done]
        sizes = [end - start for start, end in pairwise(ends)]
        for columns in regrouped(self._parts(number, shuffle), sizes):
            yield from_examples(self._table, columns)

    def _parts(self, number: int, shuffle: bool) -> Iterator[dict[str, Tensor]]:
        """Yield rows by column as Petastorm delivers them, and hold their number to the footers."""
        fields = [c.name for c in self._table.columns if c.kind != "string"]
        seed, delivered = self._seed + number, 0
        with _quiet():
            reader = make_batch_reader(
                self._urls,
                schema_fields=fields,
                reader_pool_type="dummy",
                shuffle_row_groups=shuffle,
                # A seed shuffles the row groups of a shard even where no shuffle is asked for.
                seed=seed if shuffle else None,
                num_epochs=1,
                **self._shard,
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
                delivered += _rows(columns)
                yield dict(columns)
        if delivered != self._mine:
            raise RuntimeError(
                f"Petastorm delivered {delivered} of {self._mine} rows in epoch {number}"
            )


def row_groups(path: Path) -> list[int]:
    """Return how many rows each row group of a file has."""
    footer = pq.read_metadata(path)
    return [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]


def regrouped(
    parts: Iterator[dict[str, Tensor]], sizes: Iterable[int]
) -> Iterator[dict[str, Tensor]]:
    """Cut a stream of rows by column anew, into parts of these sizes, of which some may be 0."""
    held: dict[str, Tensor] = {}
    for size in sizes:
        while not held or _rows(held) < size:
            more = next(parts, None)
            if more is None:
                break
            held = {n: torch.cat([held[n], more[n]]) for n in more} if _rows(held) else more
        yield {name: values[:size] for name, values in held.items()}
        held = {name: values[size:] for name, values in held.items()}
    for _ in parts:
        pass  # Comes to its end, where the rows are counted.


def _rows(columns: dict[str, Tensor]) -> int:
    return len(next(iter(columns.values()))) if columns else 0
