"""The first rows of a raw file, read by the format, encoding and layout that it seems to have."""

import csv
import lzma
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow.dataset import dataset

from jobs.errors import Refused
from jobs.profile.layout import is_header, layout
from jobs.sources.raw_batch import LIKELY, OPEN
from jobs.sources.raw_values import is_list
from jobs.sources.text_files import LONGEST_VALUE, is_text

ROWS = 2000
TORN = 0.05
"""Share of the lines that may have bytes that are no UTF-8; above it the file is of another kind"""
UTF_16 = ("\udcff\udcfe", "\udcfe\udcff")
"""How a file of UTF-16 begins, read as UTF-8."""
NULLS = ("\\N", "NULL", "null", "NA", "N/A", "NaN", "nan", "None")
"""Words that stand for a missing value, where a column has other values too."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one file by column, None where a value is missing."""

    path: Path
    format: str
    columns: dict[str, list[object]]
    delimiter: str = ""
    quote: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = ()
    """What stands for a missing value."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))


def read_sample(path: Path) -> Sample:
    """Return the first rows of a raw file; refuse one that cannot be read, or has no rows."""
    broken = (OSError, ValueError, EOFError, csv.Error, zlib.error, lzma.LZMAError)
    try:
        is_arrow = path.suffix in (".parquet", ".feather")
        sample = _arrow(path, path.suffix.removeprefix(".")) if is_arrow else _text(path)
    except (pa.ArrowException, *broken) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refused(
            f"{path} cannot be read: {reason}; give a file of rows: parquet, feather, or text such "
            f"as csv or tsv, packed ({', '.join(OPEN)}) or not"
        ) from error
    # What has no name cannot be mapped.
    sample.columns.pop("", None)
    if not sample.columns or not sample.rows:
        raise Refused(f"{path} has no rows; give a file that has some")
    return sample


def _arrow(path: Path, kind: str) -> Sample:
    rows = dataset(path, format=kind).head(ROWS, batch_size=ROWS, batch_readahead=1)
    columns = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        values, members = column.to_pylist(), _members(column.type)
        for member in members:
            columns[f"{name}.{member}"] = [
                value and [v and v[member] for v in value] for value in values
            ]
        if not members:
            columns[name] = values
    return Sample(path, kind, columns)


def _members(kind: pa.DataType) -> list[str]:
    """Return the members of a list of structs."""
    is_structs = is_list(kind) and pa.types.is_struct(kind.value_type)
    return [member.name for member in kind.value_type] if is_structs else []


def _text(path: Path) -> Sample:
    lines, encoding = _lines(path)
    if not any(line.strip() for line in lines):
        raise Refused(f"{path} is empty; give a file that has rows")
    if any("\0" in line for line in lines):
        raise ValueError("it is no text")
    csv.field_size_limit(LONGEST_VALUE)
    found = layout(path, lines)
    rows = found.rows
    header = is_header(rows[0], rows[1:])
    names = rows[0] if header else [f"column_{i + 1}" for i in range(len(rows[0]))]
    cells = dict(zip(names, zip(*rows[header:], strict=True), strict=False))
    nulls = _nulls(cells.values())
    missing = {"", *nulls}
    columns = {name: [None if v in missing else v for v in c] for name, c in cells.items()}
    kind = LIKELY[found.delimiter]
    return Sample(path, kind, columns, found.delimiter, found.quote, header, encoding, nulls)


def _lines(path: Path) -> tuple[list[str], str]:
    """Return the first lines of a text file, without the few that are none, and its encoding."""
    lines = _head(path, "utf-8-sig")
    torn = [not is_text(line) for line in lines]
    if lines and lines[0].startswith(UTF_16):
        return _head(path, "utf-16"), "utf-16"
    # Columns of a header that is torn could not be named.
    if any(torn[:1]) or sum(torn) > TORN * len(lines):
        return _head(path, "latin-1"), "latin-1"
    return [line for line, is_torn in zip(lines, torn, strict=True) if not is_torn], "utf-8"


def _head(path: Path, encoding: str) -> list[str]:
    how = {"mode": "rt", "encoding": encoding, "errors": "surrogateescape", "newline": ""}
    with OPEN.get(path.suffix.lower(), open)(path, **how) as file:
        return list(islice(file, ROWS + 1))


def _nulls(columns: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the words that stand for a missing value in columns that have others."""
    found = set()
    for cells in columns:
        there = Counter(cells)
        words = {word for word in NULLS if word in there}
        if there.keys() - words - {""}:
            found |= words
    return tuple(word for word in NULLS if word in found)
