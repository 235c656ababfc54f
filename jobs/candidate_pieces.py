"""Candidate sets in pieces, a Spark task each, and in batches that a worker can hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.features import lengths

TASK_CANDIDATES = 1_000_000
"""Candidates of a task, roughly; a row group of more is a task of its own."""
READ_REQUESTS = 256
SCORED_CANDIDATES = 16_384
"""Candidates, padding included, that are scored at once: what bounds a worker's memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Row groups of a file of candidate sets: one task's work."""

    path: Path
    row_groups: tuple[int, ...]


def pieces(files: list[Path]) -> list[Piece]:
    """Cut files into pieces of about TASK_CANDIDATES, by what their footers say."""
    found = []
    for path in files:
        held, candidates = [], 0
        for number, count in enumerate(_candidates_of_row_groups(path)):
            if held and candidates + count > TASK_CANDIDATES:
                found.append(Piece(path, tuple(held)))
                held, candidates = [], 0
            held.append(number)
            candidates += count
        found.append(Piece(path, tuple(held)))
    return found


def _candidates_of_row_groups(path: Path) -> list[int]:
    footer = pq.read_metadata(path)
    columns = [footer.schema.column(n).path for n in range(footer.num_columns)]
    place = next(n for n, name in enumerate(columns) if name.startswith("item_id."))
    groups = range(footer.num_row_groups)
    return [footer.row_group(n).column(place).num_values for n in groups]


def batches(piece: Piece, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the requests of a piece, as many at once as are scored at once."""
    with pq.ParquetFile(piece.path) as parquet:
        for read in parquet.iter_batches(
            READ_REQUESTS, row_groups=list(piece.row_groups), columns=columns
        ):
            for start, end in cuts(lengths(read["item_id"])):
                yield read.slice(start, end - start)


def cuts(counts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield runs of requests that, padded to their longest, have up to SCORED_CANDIDATES.

    `counts` [R] is how many candidates each has; one of more is a run of its own.
    """
    start, longest = 0, 0
    for at, count in enumerate(counts):
        longest = max(longest, count)
        if at > start and longest * (at + 1 - start) > SCORED_CANDIDATES:
            yield start, at
            start, longest = at, count
    if len(counts):
        yield start, len(counts)
