"""Raw files as they were handed out: found, cut into tasks, and read with every row's position."""

import bz2
import csv
import gzip
import itertools
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from jobs.errors import Refused
from jobs.sources.config import RawFiles

DELIMITERS = {"csv": ",", "tsv": "\t"}
OPEN = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
LONGEST_VALUE = 64 << 20
"""Characters of one value: a request of 100,000 candidates in one string is far shorter."""
MOST_LINES = 1000
"""A row over more lines than this is a quote that nobody closed."""


class Piece(NamedTuple):
    """What one task reads: a text file, or one block of a parquet or feather file."""

    path: str
    block: int | None
    first_row: int
    """Rows of the file before it."""


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some rows of a file: those that could be taken apart, and those that could not."""

    path: str
    rows: pa.RecordBatch
    number: list[int]
    """Where each row stands, from 1: its line in a text file, its row in a parquet file."""
    torn: list[tuple[int, str, str, str]]
    """Number, reason, value and text of rows whose columns could not be told apart."""


def format_of(files: RawFiles, path: Path) -> str:
    """Return parquet, feather, csv or tsv; refuse a name that does not say."""
    name = path.name.lower()
    for ending in OPEN:
        name = name.removesuffix(ending)
    found = files.format or name.rpartition(".")[2]
    if found in ("parquet", "feather", *DELIMITERS):
        return found
    if files.delimiter:
        return "csv"
    raise Refused(
        f"{path}: its name does not say its format; give format = parquet, feather, csv or tsv"
    )


def find(files: RawFiles, folder: Path, day: date, days_before: int = 0) -> list[Path]:
    """Return the files, sorted by name; refuse a pattern that fits none.

    A name with {date} is that of one day's delivery: those of the `days_before` days before are
    found too where they exist.
    """
    found: list[Path] = []
    for pattern in files.files:
        fits = sorted(folder.glob(pattern.replace("{date}", day.isoformat())))
        if not fits:
            asked = pattern.replace("{date}", day.isoformat())
            raise Refused(
                f"{folder / asked}: there is no such file; put it there, or change source.path or "
                "the name in the profile"
            )
        if "{date}" in pattern:
            for back in range(1, days_before + 1):
                earlier = (day - timedelta(days=back)).isoformat()
                found += folder.glob(pattern.replace("{date}", earlier))
        found += fits
    return sorted({path for path in found if path.is_file()})


def pieces(files: RawFiles, paths: list[Path]) -> list[Piece]:
    """Return what can be read apart; refuse an empty or damaged file, and missing columns."""
    found = []
    for path in paths:
        if path.stat().st_size == 0:
            raise Refused(f"{path} is empty; fetch it again, or take it out of the profile")
        kind = format_of(files, path)
        if kind in DELIMITERS:
            with _table(files, str(path)) as (names, _):
                _check_columns(files, path, names)
            found.append(Piece(str(path), None, 0))
            continue
        try:
            names, sizes = (_parquet_blocks if kind == "parquet" else _feather_blocks)(path)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from error
        _check_columns(files, path, names)
        firsts = itertools.accumulate(sizes, initial=0)
        found += [Piece(str(path), block, next(firsts)) for block in range(len(sizes))]
    return found


def read(files: RawFiles, piece: Piece, rows: int) -> Iterator[RawBatch]:
    """Yield the piece's columns that the profile names, so many rows at a time at most."""
    if piece.block is None:
        yield from _text(files, piece.path, rows)
        return
    number = piece.first_row
    try:
        for batch in _blocks(files, piece, rows):
            numbers = list(range(number + 1, number + 1 + batch.num_rows))
            number += batch.num_rows
            yield RawBatch(piece.path, batch, numbers, [])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(Path(piece.path), error) from error


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


def _parquet_blocks(path: Path) -> tuple[list[str], list[int]]:
    with pq.ParquetFile(path) as parquet:
        groups = range(parquet.num_row_groups)
        sizes = [parquet.metadata.row_group(group).num_rows for group in groups]
        return parquet.schema_arrow.names, sizes


def _feather_blocks(path: Path) -> tuple[list[str], list[int]]:
    with pa.memory_map(str(path)) as source:
        reader = ipc.open_file(source)
        sizes = [reader.get_batch(block).num_rows for block in range(reader.num_record_batches)]
        return reader.schema.names, sizes


def wanted_columns(files: RawFiles) -> set[str]:
    """Return the raw columns that the profile names."""
    specs = list(files.columns.values())
    for spec in specs:
        specs += [inner for inner in (spec.among, spec.of) if inner is not None]
    return {spec.column for spec in specs if spec.column}


def _check_columns(files: RawFiles, path: Path, names: list[str]) -> None:
    tops = {
        name: name if name in names else name.partition(".")[0] for name in wanted_columns(files)
    }
    missing = sorted(name for name, top in tops.items() if top not in names)
    if missing:
        raise Refused(
            f"{path}: column {', '.join(map(repr, missing))} is not there; the file has "
            f"{', '.join(map(repr, names))}. Change the profile's columns; or delimiter, header or "
            "names, if these look wrong"
        )


@contextmanager
def _table(files: RawFiles, path: str) -> Iterator[tuple[list[str], Any]]:
    """Open a text file; give its column names and csv's reader of the rows below them."""
    delimiter = files.delimiter or DELIMITERS[format_of(files, Path(path))]
    quoting = csv.QUOTE_MINIMAL if files.quote else csv.QUOTE_NONE
    csv.field_size_limit(LONGEST_VALUE)
    # Bytes that are no UTF-8 survive as lone surrogates, so that their rows can be told.
    how = {"mode": "rt", "encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    try:
        with OPEN.get(Path(path).suffix.lower(), open)(path, **how) as lines:
            reader = csv.reader(
                lines, delimiter=delimiter, quotechar=files.quote or None, quoting=quoting
            )
            yield next(reader, []) if files.header else list(files.names), reader
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        raise _damaged(Path(path), error) from error


def _text(files: RawFiles, path: str, rows: int) -> Iterator[RawBatch]:
    """Yield a text file so many rows at a time, every value as text."""
    with _table(files, path) as (names, reader):
        batch = _TextBatch(path, names, wanted_columns(files))
        line = reader.line_num
        for cells in reader:
            first, line = line + 1, reader.line_num
            if cells:
                batch.add(first, line, cells)
            if batch.count >= rows:
                yield batch.taken()
        yield batch.taken()


class _TextBatch:
    """Rows of a text file until there are enough of them."""

    def __init__(self, path: str, names: list[str], wanted: set[str]) -> None:
        """Remember where the wanted columns stand."""
        self.path, self.names = path, names
        self.places = [place for place, name in enumerate(names) if name in wanted]
        self._start()

    def _start(self) -> None:
        self.count = 0
        self.cells: list[list[str]] = []
        self.number: list[int] = []
        self.torn: list[tuple[int, str, str, str]] = []

    def add(self, first: int, last: int, cells: list[str]) -> None:
        """Take a row that stands in these lines."""
        self.count += 1
        if last - first > MOST_LINES:
            raise csv.Error(f"a quote is opened in line {first} and not closed in line {last}")
        text = " | ".join(cells).encode("utf-8", "backslashreplace").decode()
        if len(cells) != len(self.names):
            self.torn.append((first, f"not {len(self.names)} columns", str(len(cells)), text))
        elif not _is_utf8(" ".join(cells)):
            self.torn.append((first, "bytes that are no UTF-8", "", text))
        else:
            self.number.append(first)
            self.cells.append(cells)

    def taken(self) -> RawBatch:
        """Return what was added since the last time."""
        columns = {
            self.names[place]: pa.array([cells[place] for cells in self.cells], pa.string())
            for place in self.places
        }
        batch = RawBatch(self.path, pa.RecordBatch.from_pydict(columns), self.number, self.torn)
        self._start()
        return batch


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _damaged(path: Path, error: Exception) -> Refused:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Refused(
        f"{path} ({path.stat().st_size:,} bytes) is damaged or not of the format that the profile "
        f"says: {reason}. Fetch it again, or correct format, delimiter or quote"
    )
