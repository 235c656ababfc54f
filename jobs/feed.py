"""Published examples as batches: what a feed gives, whichever library reads the files.

Several processes that train one model have a feed each, of the same files. `rank` r of `world` W
gets its part of every batch of all, so that all take the same steps and each row comes once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from schemas.table import Table

if TYPE_CHECKING:
    from model.batch import CandidateBatch

FEEDS = ("petastorm", "arrow")
"""Arrow's holds the examples in memory and shuffles them all; Petastorm's reads them as a stream
and shuffles files, and rows within a buffer."""


class Feed(Protocol):
    """The batches of some published files."""

    rows: int
    """Requests of an epoch, those of all processes."""
    steps: int
    """Batches of an epoch: as many in every process, and as many as one process has."""

    def epoch(self, number: int, *, shuffle: bool) -> Iterator["CandidateBatch"]:
        """Yield one pass; the order is a function of the seed and the epoch's number.

        Raises RuntimeError at the end of a pass that delivered other than every row once.
        """


def open_feed(
    name: str,
    files: list[Path],
    table: Table,
    *,
    batch_size: int,
    seed: int,
    rank: int = 0,
    world: int = 1,
) -> Feed:
    """Return the feed of that name; `batch_size` are the requests of all processes together."""
    # Either is imported where it is asked for: the way out of Petastorm does without Petastorm.
    if name == "arrow":
        from jobs.arrow_feed import ArrowFeed as Chosen
    else:
        from jobs.petastorm_feed import PetastormFeed as Chosen
    return Chosen(files, table, batch_size=batch_size, seed=seed, rank=rank, world=world)
