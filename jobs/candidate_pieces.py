"""Candidate sets in pieces, a Spark task each, and in batches that a worker can hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TASK_CANDIDATES = 250_000
"""Candidates of a task, roughly; a row group of more is a task of its own."""
READ_REQUESTS = 256
"""Requests that a worker holds at once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Row groups of a file of candidate sets: one task's work."""

    path: Path
    row_groups: tuple[int, ...]


def pieces(files: list[Path], most: int = TASK_CANDIDATES) -> list[Piece]:
    """Cut files into pieces of about so many candidates, by what their footers say."""
    found = []
    for path in files:
        held, candidates = [], 0
        for number, count in enumerate(_candidates_of_row_groups(path)):
            if held and candidates + count > most:
                found.append(Piece(path, tuple(held)))
                held, candidates = [], 0
            held.append(number)
            candidates += count
        found.append(Piece(path, tuple(held)))
    return found


def _candidates_of_row_groups(path: Path) -> list[int]:
    footer = pq.read_metadata(path)
    columns = [footer.schema.column(n).path for n in range(footer.num_columns)]
    place = next(n for n, name in enumerate(columns) if name.split(".")[0] == "item_id")
    groups = range(footer.num_row_groups)
    return [footer.row_group(n).column(place).num_values for n in groups]


def batches(piece: Piece, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the requests of a piece; a batch never spans row groups, which are bounded."""
    with pq.ParquetFile(piece.path) as parquet:
        for group in piece.row_groups:
            yield from parquet.iter_batches(READ_REQUESTS, row_groups=[group], columns=columns)
