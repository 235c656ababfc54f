"""The first rows of a raw file, and how the file is laid out: format, delimiter, quotes, header."""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow.dataset import dataset

from jobs.errors import Refused
from jobs.sources.raw_values import is_list

ROWS = 2000
DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
"""What may stand between columns, and the format that is then read."""
SNIFFED = 1 << 16
"""Characters that a delimiter is guessed from."""
MOSTLY = 0.95
"""Share of the lines that must have equally many columns; the others are torn."""
LONGEST_VALUE = 1 << 26
"""Characters of a list in one string."""
LONGEST_NAME = 60
NAME = re.compile(rf"[A-Za-z_][\w :.()/-]{{0,{LONGEST_NAME - 1}}}")
"""What a column is called; a value that is a name too is told apart by the rows below it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one file by column, None where a value is missing."""

    path: Path
    format: str
    columns: dict[str, list[object]]
    delimiter: str = ""
    quote: str = '"'
    header: bool = True

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))


def read_sample(path: Path) -> Sample:
    """Return the first rows of a raw file; refuse one that cannot be read, or has no rows."""
    try:
        is_arrow = path.suffix in (".parquet", ".feather")
        sample = _arrow(path, path.suffix.removeprefix(".")) if is_arrow else _text(path)
    except (pa.ArrowException, OSError, ValueError, EOFError, csv.Error, zlib.error) as error:
        raise Refused(
            f"{path} cannot be read: {str(error).splitlines()[0]}; give a file of rows: parquet, "
            "feather, or UTF-8 text such as csv or tsv, gzipped or not"
        ) from error
    # What has no name cannot be mapped.
    sample.columns.pop("", None)
    if not sample.columns or not sample.rows:
        raise Refused(f"{path} has no rows; give a file that has some")
    return sample


def shape(text: str) -> str:
    """Return what a value looks like: every run of digits as 9, of letters as a."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))


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
    is_zipped = path.suffix == ".gz"
    with (gzip.open if is_zipped else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
        lines = list(islice(file, ROWS + 1))
    if not any(line.strip() for line in lines):
        raise Refused(f"{path} is empty; give a file that has rows")
    csv.field_size_limit(LONGEST_VALUE)
    delimiter, quote, rows = _layout(path, lines)
    header = _is_header(rows[0], rows[1:])
    names = rows[0] if header else [f"column_{i + 1}" for i in range(len(rows[0]))]
    cells = zip(*rows[header:], strict=True)
    columns = {n: [cell or None for cell in c] for n, c in zip(names, cells, strict=False)}
    return Sample(path, DELIMITERS[delimiter], columns, delimiter, quote, header)


def _layout(path: Path, lines: list[str]) -> tuple[str, str, list[list[str]]]:
    """Return the delimiter and the quote that give every line the same columns, and the rows."""
    for delimiter in dict.fromkeys([*_sniffed(lines), *DELIMITERS]):
        # A quote that is only text swallows lines, so quotes over several lines are the last guess.
        for quote, over_lines in (('"', False), ("", False), ('"', True)):
            rows, covered = _rows(lines, delimiter, quote)
            is_whole = over_lines or len(rows) == len(lines)
            blank = covered.pop(0, 0)
            width, count = covered.most_common()[0]
            rows = [row for row in rows if row]
            if is_whole and 1 < width == len(rows[0]) and count >= MOSTLY * (len(lines) - blank):
                return delimiter, quote, [row for row in rows if len(row) == width]
    named = ", ".join(map(repr, DELIMITERS))
    raise Refused(
        f"{path}: none of {named} cuts its lines into equally many columns; give a file of rows "
        "and columns, parquet, csv or tsv"
    )


def _sniffed(lines: list[str]) -> list[str]:
    try:
        found = csv.Sniffer().sniff("".join(lines)[:SNIFFED], "".join(DELIMITERS)).delimiter
    except csv.Error:
        return []
    return [found] if found in DELIMITERS else []


def _rows(lines: list[str], delimiter: str, quote: str) -> tuple[list[list[str]], Counter[int]]:
    """Return the rows, and by number of columns how many lines are in such rows."""
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote or None, quoting=quoting)
    rows, covered, read = [], Counter(), 0
    for row in reader:
        covered[len(row)] += reader.line_num - read
        read = reader.line_num
        rows.append(row)
    return rows, covered


def _is_header(first: list[str], rest: Iterable[list[str]]) -> bool:
    """Whether the first line names the columns: all are names, and none looks like a value."""
    # The column of row numbers that pandas writes has no name.
    if len(set(first)) < len(first) or not all(NAME.fullmatch(name) for name in first if name):
        return False
    below = list(zip(*rest, strict=True))
    return not any(_is_like(name, values) for name, values in zip(first, below, strict=False))


def _is_like(name: str, values: tuple[str, ...]) -> bool:
    if name in values:
        return True
    has_digit = any(character.isdigit() for character in name)
    alike = sum(shape(name) == shape(value) for value in values)
    return has_digit and alike > len(values) / 2
