"""CSV and its kin, packed or not, read row by row so that each is known by its line."""

import codecs
import csv
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.sources.config import RawFiles
from jobs.sources.raw_batch import DELIMITERS, OPEN, RawBatch, damaged, format_of, wanted_columns

LONGEST_VALUE = 64 << 20
"""Characters of one value: a request of 100,000 candidates in one string is far shorter."""
MOST_LINES = 1000
"""A row over more lines than this is a quote that nobody closed."""
SWALLOWED = "a quote that is not closed in its line joins rows"


@contextmanager
def table(files: RawFiles, path: str) -> Iterator[tuple[list[str], Any]]:
    """Open a text file; give its column names and csv's reader of the rows below them."""
    delimiter = files.delimiter or DELIMITERS[format_of(files, Path(path))]
    quoting = csv.QUOTE_MINIMAL if files.quote else csv.QUOTE_NONE
    csv.field_size_limit(LONGEST_VALUE)
    # Bytes that are no text survive as lone surrogates, so that their rows can be told.
    encoding = "utf-8-sig" if codecs.lookup(files.encoding).name == "utf-8" else files.encoding
    how = {"mode": "rt", "encoding": encoding, "errors": "surrogateescape", "newline": ""}
    try:
        with OPEN.get(Path(path).suffix.lower(), open)(path, **how) as lines:
            recent = Recent(lines, delimiter, files.quote)
            reader = csv.reader(
                recent, delimiter=delimiter, quotechar=files.quote or None, quoting=quoting
            )
            names = next(reader, []) if files.header else list(files.names)
            recent.is_read = True
            yield names, _rows(reader, recent, len(names))
            recent.check_end(reader.line_num)
    except (csv.Error, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise damaged(Path(path), error) from error


def _rows(
    reader: Any,  # noqa: ANN401 - csv's reader has no type
    recent: "Recent",
    width: int,
) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield each row that is not blank: first line, the rows that a quote swallowed, cells."""
    line = reader.line_num
    for cells in reader:
        recent.is_read = True
        first, line = line + 1, reader.line_num
        if line - first > MOST_LINES:
            raise csv.Error(f"a quote is opened in line {first} and not closed in line {line}")
        if cells:
            yield first, recent.row if line > first and recent.holds_rows(width) else [], cells


def read_text(files: RawFiles, path: str, rows: int) -> Iterator[RawBatch]:
    """Yield a text file so many rows at a time, every value as text."""
    with table(files, path) as (names, lines):
        batch = _TextBatch(path, names, wanted_columns(files), frozenset(files.nulls))
        for first, swallowed, cells in lines:
            batch.add(first, swallowed, cells)
            if batch.count >= rows:
                yield batch.taken()
        yield batch.taken()


class Recent:
    """Lines on their way to csv's reader, which does not tell a quote that is never closed."""

    def __init__(self, lines: Iterable[str], delimiter: str, quote: str) -> None:
        """Hold the lines of the row that is being read."""
        self.lines = iter(lines)
        self.delimiter, self.quote = delimiter, quote
        self.row: list[str] = []
        self.is_read = True

    def __iter__(self) -> Iterator[str]:
        """Give line after line."""
        for line in self.lines:
            if self.is_read:
                self.row, self.is_read = [], False
            self.row.append(line)
            yield line

    def holds_rows(self, width: int) -> bool:
        """Whether these lines are rows of so many columns, which a stray quote made one.

        They are where no proper quoting gives them, or where each has the delimiters of a row.
        """
        quote, between = re.escape(self.quote), re.escape(self.delimiter)
        cell = rf"(?:{quote}(?:[^{quote}]|{quote}{quote})*{quote}|(?!{quote})[^{between}\r\n]*)"
        if not re.fullmatch(rf"{cell}(?:{between}{cell})*\r?\n?", "".join(self.row)):
            return True
        return width > 2 and all(line.count(self.delimiter) == width - 1 for line in self.row)

    def check_end(self, line: int) -> None:
        """Refuse an end of the file inside a quote, which would hide the lines before it."""
        if self.quote and len(self.row) > 1 and "".join(self.row).count(self.quote) % 2:
            opened = line - len(self.row) + 1
            raise csv.Error(f"a quote is opened in line {opened} and not closed at the end")


class _TextBatch:
    """Rows of a text file until there are enough of them."""

    def __init__(
        self, path: str, names: list[str], wanted: set[str], nulls: frozenset[str]
    ) -> None:
        """Remember where the wanted columns stand, and what is no value."""
        self.path, self.names, self.nulls = path, names, nulls
        self.places = [place for place, name in enumerate(names) if name in wanted]
        self._start()

    def _start(self) -> None:
        self.count = 0
        self.cells: list[list[str]] = []
        self.number: list[int] = []
        self.torn: list[tuple[int, str, str, str]] = []

    def add(self, first: int, swallowed: list[str], cells: list[str]) -> None:
        """Take the row that begins in this line, or the rows that it swallowed."""
        self.count += 1
        for number, line in enumerate(swallowed, first):
            self.torn.append((number, SWALLOWED, "", _printable([line])))
        if swallowed:
            return
        if len(cells) != len(self.names):
            reason = f"not {len(self.names)} columns"
            self.torn.append((first, reason, str(len(cells)), _printable(cells)))
        elif not all(is_text(cells[place]) for place in self.places):
            self.torn.append((first, "bytes that are no text", "", _printable(cells)))
        else:
            self.number.append(first)
            self.cells.append(cells)

    def taken(self) -> RawBatch:
        """Return what was added since the last time."""
        columns = {
            self.names[place]: pa.array(
                [None if cells[place] in self.nulls else cells[place] for cells in self.cells],
                pa.string(),
            )
            for place in self.places
        }
        batch = RawBatch(self.path, pa.RecordBatch.from_pydict(columns), self.number, self.torn)
        self._start()
        return batch


def _printable(cells: list[str]) -> str:
    return " | ".join(cells).encode("utf-8", "backslashreplace").decode()


def is_text(cell: str) -> bool:
    """Whether all its bytes could be decoded; the others are lone surrogates."""
    if cell.isascii():
        return True
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True
