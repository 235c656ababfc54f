"""Raw files as they were handed out: cut into tasks, and read with every row's position."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from jobs.errors import Refused
from jobs.sources.config import RawFiles
from jobs.sources.raw_batch import (
    DELIMITERS,
    LIKELY,
    RawBatch,
    damaged,
    format_of,
    wanted_columns,
)
from jobs.sources.text_files import read_text, table

LONGEST_SHOWN = 60


class Piece(NamedTuple):
    """What one task reads: a text file, or one block of a parquet or feather file."""

    path: str
    block: int | None
    first_row: int
    """Rows of the file before it."""


def pieces(files: RawFiles, paths: list[Path]) -> list[Piece]:
    """Return what can be read apart; refuse an empty or damaged file, and missing columns."""
    found = []
    for path in paths:
        if path.stat().st_size == 0:
            raise Refused(f"{path} is empty; fetch it again, or take it out of the profile")
        schema, sizes = _layout(files, path)
        _check_columns(files, path, schema.names)
        if sizes is None:
            found.append(Piece(str(path), None, 0))
            continue
        firsts = itertools.accumulate(sizes, initial=0)
        found += [Piece(str(path), block, next(firsts)) for block in range(len(sizes))]
    return found


def schema_of(files: RawFiles, path: Path) -> pa.Schema:
    """Return a file's columns; those of a text file are strings."""
    return _layout(files, path)[0]


def _layout(files: RawFiles, path: Path) -> tuple[pa.Schema, list[int] | None]:
    """Return the columns, and the rows of each block; None where a file is read in one go."""
    kind = format_of(files, path)
    if kind in DELIMITERS:
        with table(files, str(path)) as (names, _):
            _check_delimiter(files, path, names)
            return pa.schema([(name, pa.string()) for name in names]), None
    try:
        return (_parquet_layout if kind == "parquet" else _feather_layout)(path)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error


def read(files: RawFiles, piece: Piece, rows: int) -> Iterator[RawBatch]:
    """Yield the piece's columns that the profile names, so many rows at a time at most."""
    if piece.block is None:
        yield from read_text(files, piece.path, rows)
        return
    number = piece.first_row
    try:
        for batch in _blocks(files, piece, rows):
            numbers = list(range(number + 1, number + 1 + batch.num_rows))
            number += batch.num_rows
            yield RawBatch(piece.path, batch, numbers, [])
    except (pa.ArrowException, OSError) as error:
        raise damaged(Path(piece.path), error) from error


def _check_delimiter(files: RawFiles, path: Path, names: list[str]) -> None:
    """Refuse a first line that is one column here and would be several with another delimiter."""
    other = next((mark for mark in LIKELY if mark in "".join(names)), None)
    if len(names) == 1 and other and names[0] not in wanted_columns(files):
        raise Refused(
            f"{path}: its first line, {names[0][:LONGEST_SHOWN]!r}, is one column here; write "
            f"delimiter = {other!r} in the profile if that is what stands between its columns"
        )


def _check_columns(files: RawFiles, path: Path, names: list[str]) -> None:
    wanted = wanted_columns(files)
    if twice := sorted(name for name in wanted if names.count(name) > 1):
        raise Refused(f"{path}: column {twice[0]!r} is there twice; give its columns other names")
    tops = {name: name if name in names else name.partition(".")[0] for name in wanted}
    missing = sorted(name for name, top in tops.items() if top not in names)
    if missing:
        raise Refused(
            f"{path}: column {', '.join(map(repr, missing))} is not there; the file has "
            f"{', '.join(map(repr, names))}. Change the profile's columns; or delimiter, header or "
            "names, if these look wrong"
        )


def _blocks(files: RawFiles, piece: Piece, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the wanted columns of a block."""
    wanted = wanted_columns(files)
    tops = wanted | {name.partition(".")[0] for name in wanted}
    if format_of(files, Path(piece.path)) == "parquet":
        with pq.ParquetFile(piece.path) as parquet:
            names = [name for name in parquet.schema_arrow.names if name in tops]
            yield from parquet.iter_batches(rows, row_groups=[piece.block], columns=names)
        return
    with pa.memory_map(piece.path) as source:
        whole = ipc.open_file(source).get_batch(piece.block)
        whole = whole.select([name for name in whole.schema.names if name in tops])
        for start in range(0, whole.num_rows, rows):
            yield whole.slice(start, rows)


def _parquet_layout(path: Path) -> tuple[pa.Schema, list[int]]:
    with pq.ParquetFile(path) as parquet:
        groups = range(parquet.num_row_groups)
        return parquet.schema_arrow, [parquet.metadata.row_group(n).num_rows for n in groups]


def _feather_layout(path: Path) -> tuple[pa.Schema, list[int]]:
    with pa.memory_map(str(path)) as source:
        reader = ipc.open_file(source)
        blocks = range(reader.num_record_batches)
        return reader.schema, [reader.get_batch(n).num_rows for n in blocks]
