"""How a text file is laid out: delimiter, quotes, and whether its first line is a header."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import Refused
from jobs.profile.content import shape
from jobs.sources.raw_batch import LIKELY

SNIFFED = 1 << 16
"""Characters that a delimiter is guessed from."""
MOSTLY = 0.95
"""Share of the lines that must have equally many columns; the others are torn."""
LONGEST_NAME = 60
NAME = re.compile(rf"\s*[@#$€]?\s*[^\W\d][\w\s:.()/@#%&$€?+-]{{0,{LONGEST_NAME - 1}}}")
"""What a column is called; a value that is a name too is told apart by the rows below it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of a text file as one delimiter and quote give them."""

    delimiter: str
    quote: str
    rows: list[list[str]]
    """Those of the common number of columns."""
    lines: int
    """How many lines these rows are made of."""


def layout(path: Path, lines: list[str]) -> Layout:
    """Return the delimiter and the quote that give most lines the same columns, and the rows."""
    filled = sum(bool(line.strip()) for line in lines)
    for delimiter in dict.fromkeys([*_sniffed(lines), *LIKELY]):
        # A quote that is only text swallows lines, so quotes over several lines are the last guess.
        ways = (('"', False), ("", False), ('"', True))
        read = [_read(lines, delimiter, quote, over_lines) for quote, over_lines in ways]
        best = max(read, key=lambda layout: layout.lines)
        if best.lines >= MOSTLY * filled:
            return best
    named = ", ".join(map(repr, LIKELY))
    raise Refused(
        f"{path}: none of {named} cuts its lines into equally many columns; give a file of rows "
        "and columns, parquet, csv or tsv"
    )


def is_header(first: list[str], rest: Iterable[list[str]]) -> bool:
    """Whether the first line names the columns: all are names, and none looks like a value."""
    # The column of row numbers that pandas writes has no name.
    if len(set(first)) < len(first) or not all(NAME.fullmatch(name) for name in first if name):
        return False
    below = list(zip(*rest, strict=True))
    return not any(_is_like(name, values) for name, values in zip(first, below, strict=False))


def _sniffed(lines: list[str]) -> list[str]:
    try:
        found = csv.Sniffer().sniff("".join(lines)[:SNIFFED], "".join(LIKELY)).delimiter
    except csv.Error:
        return []
    return [found] if found in LIKELY else []


def _read(lines: list[str], delimiter: str, quote: str, over_lines: bool) -> Layout:
    """Return the rows of the common width; none where the first line is not of that width."""
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote or None, quoting=quoting)
    rows, covered, before = [], Counter(), 0
    for row in reader:
        count, before = reader.line_num - before, reader.line_num
        if row and (over_lines or count == 1):
            covered[len(row)] += count
            rows.append(row)
    width, count = covered.most_common(1)[0] if covered else (0, 0)
    if not 1 < width == len(rows[0]):
        return Layout(delimiter, quote, [], 0)
    return Layout(delimiter, quote, [row for row in rows if len(row) == width], count)


def _is_like(name: str, values: tuple[str, ...]) -> bool:
    if name in values:
        return True
    has_digit = any(character.isdigit() for character in name)
    alike = sum(shape(name) == shape(value) for value in values)
    return has_digit and alike > len(values) / 2
