"""Raw files as they were handed out: found, cut into tasks, and read with every row's position."""

import bz2
import codecs
import csv
import glob
import gzip
import itertools
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
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


def matching(folder: Path, files: RawFiles, pattern: str, day: date | None) -> list[Path]:
    """Return the files below a folder that a pattern fits, {date} being that day or any."""
    if day is None:
        some = re.sub("[A-Za-z]+", "*", date(2026, 1, 1).strftime(files.date_format))
        dated = re.sub("[0-9]", "[0-9]", some)
    else:
        dated = glob.escape(day.strftime(files.date_format))
    names = glob.glob(pattern.replace("{date}", dated), root_dir=folder, recursive=True)
    return [folder / name for name in sorted(names) if (folder / name).is_file()]


def find(files: RawFiles, folder: Path, day: date, days_before: int = 0) -> list[Path]:
    """Return the files, sorted by name; refuse a pattern that fits none.

    A name with {date} is that of one day's delivery: those of the `days_before` days before are
    found too where they exist.
    """
    found: set[Path] = set()
    for pattern in files.files:
        fits = matching(folder, files, pattern, day)
        if not fits:
            asked = folder / pattern.replace("{date}", day.strftime(files.date_format))
            inside = f"; it is a folder: {pattern}/*.parquet?" if asked.is_dir() else ""
            raise Refused(
                f"{asked}: there is no such file{inside}; put it there, or change source.path or "
                "the name in the profile"
            )
        found.update(fits)
        if "{date}" in pattern:
            for back in range(1, days_before + 1):
                found.update(matching(folder, files, pattern, day - timedelta(days=back)))
    return sorted(found)


def named_for(files: RawFiles, folder: Path, day: date) -> frozenset[str]:
    """Return the files that are named for a day, and so may hold no other."""
    dated = [pattern for pattern in files.files if "{date}" in pattern]
    return frozenset(str(p) for pattern in dated for p in matching(folder, files, pattern, day))


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


@contextmanager
def _table(files: RawFiles, path: str) -> Iterator[tuple[list[str], Any]]:
    """Open a text file; give its column names and csv's reader of the rows below them."""
    delimiter = files.delimiter or DELIMITERS[format_of(files, Path(path))]
    quoting = csv.QUOTE_MINIMAL if files.quote else csv.QUOTE_NONE
    csv.field_size_limit(LONGEST_VALUE)
    # Bytes that are no text survive as lone surrogates, so that their rows can be told.
    encoding = "utf-8-sig" if codecs.lookup(files.encoding).name == "utf-8" else files.encoding
    how = {"mode": "rt", "encoding": encoding, "errors": "surrogateescape", "newline": ""}
    try:
        with OPEN.get(Path(path).suffix.lower(), open)(path, **how) as lines:
            recent = Recent(lines)
            reader = csv.reader(
                recent, delimiter=delimiter, quotechar=files.quote or None, quoting=quoting
            )
            yield next(reader, []) if files.header else list(files.names), _rows(reader, recent)
            recent.check_end(files.quote, reader.line_num)
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        raise _damaged(Path(path), error) from error


def _rows(reader: Any, recent: "Recent") -> Iterator[tuple[int, int, list[str]]]:  # noqa: ANN401
    """Yield first line, last line and cells of each row that is not blank."""
    line = reader.line_num
    for cells in reader:
        recent.is_read = True
        first, line = line + 1, reader.line_num
        if cells:
            yield first, line, cells


def _text(files: RawFiles, path: str, rows: int) -> Iterator[RawBatch]:
    """Yield a text file so many rows at a time, every value as text."""
    with _table(files, path) as (names, lines):
        batch = _TextBatch(path, names, wanted_columns(files))
        for first, last, cells in lines:
            batch.add(first, last, cells)
            if batch.count >= rows:
                yield batch.taken()
        yield batch.taken()


class Recent:
    """Lines on their way to csv's reader, which does not tell a quote that is never closed."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Hold the lines of the row that is being read."""
        self.lines = iter(lines)
        self.row: list[str] = []
        self.is_read = True

    def __iter__(self) -> Iterator[str]:
        """Give line after line."""
        for line in self.lines:
            if self.is_read:
                self.row, self.is_read = [], False
            self.row.append(line)
            yield line

    def check_end(self, quote: str, line: int) -> None:
        """Refuse an end of the file inside a quote, which would hide the lines before it."""
        if quote and len(self.row) > 1 and "".join(self.row).count(quote) % 2:
            opened = line - len(self.row) + 1
            raise csv.Error(f"a quote is opened in line {opened} and not closed at the end")


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
        if len(cells) != len(self.names):
            reason = f"not {len(self.names)} columns"
            self.torn.append((first, reason, str(len(cells)), _printable(cells)))
        elif not all(_is_text(cells[place]) for place in self.places):
            self.torn.append((first, "bytes that are no text", "", _printable(cells)))
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


def _printable(cells: list[str]) -> str:
    return " | ".join(cells).encode("utf-8", "backslashreplace").decode()


def _is_text(cell: str) -> bool:
    if cell.isascii():
        return True
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _damaged(path: Path, error: Exception) -> Refused:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Refused(
        f"{path} ({path.stat().st_size:,} bytes) is damaged or not of the format that the profile "
        f"says: {reason}. Fetch it again, or correct format, delimiter or quote"
    )
