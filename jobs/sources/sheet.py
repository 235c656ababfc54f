"""One batch of raw rows: its columns as the profile names them, and what is wrong with its rows."""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import RawColumn
from jobs.sources.raw_batch import RawBatch
from jobs.sources.raw_values import Problem, elements, part_of, plain, text

BETWEEN = "|"
"""Between several values of one field, where the profile names nothing."""
Rejected = tuple[int, str, str, str]
"""Position, reason, value and text of a source row that cannot be used."""
LONGEST_SHOWN = 200
"""Characters of each value that are kept of a rejected row, so that all of its columns are seen."""


class Unread(NamedTuple):
    """Values of a field that could not be read: they are `unknown`, and their rows are used."""

    reason: str
    count: int
    number: int
    """Position of the first one's source row."""
    value: str


def shown(value: pa.Scalar) -> str:
    """Return a value as a person reads it; a time beyond Python's years as its number."""
    if not value.is_valid:
        return ""
    try:
        return str(value.as_py())
    except (ValueError, OverflowError):
        return str(value)


class Rejects:
    """The first reason against each source row of a batch, and the value that gave it."""

    def __init__(self, rows: int) -> None:
        """Start with nothing against any."""
        self.reason: list[str | None] = [None] * rows
        self.value = [""] * rows

    def add(self, problems: list[Problem], row: np.ndarray, values: pa.Array) -> None:
        """Enter problems of values that belong to these source rows."""
        for at, reason in problems:
            for place in at.tolist():
                if self.reason[row[place]] is None:
                    self.reason[row[place]] = reason
                    self.value[row[place]] = shown(values[place])

    def add_rows(self, rows: np.ndarray, reason: str, value: Callable[[int], str]) -> None:
        """Enter a reason against whole source rows, and of each the value that gave it."""
        for row in rows.tolist():
            if self.reason[row] is None:
                self.reason[row], self.value[row] = reason, value(row)

    @property
    def usable(self) -> np.ndarray:
        """Which source rows have nothing against them."""
        return np.array([reason is None for reason in self.reason], bool)


class Sheet:
    """A raw batch and the rejects among its rows."""

    def __init__(self, raw: RawBatch) -> None:
        """Start with nothing against any row."""
        self.raw = raw
        self.rejects = Rejects(len(raw.number))
        self.every = np.arange(len(raw.number))
        self._unread: list[tuple[Problem, np.ndarray, pa.Array]] = []

    def is_list(self, spec: RawColumn) -> bool:
        """Whether a column holds a list in each row."""
        if not spec.column:
            return False
        return bool(spec.split) or pa.types.is_list(self.column(spec).type)

    def values(self, spec: RawColumn) -> pa.Array:
        """Return a column that has one value a row."""
        return part_of(self.column(spec), spec)

    def field(self, spec: RawColumn, separator: str) -> pa.Array:
        """Return a field's values, one a row; a list of several becomes one text."""
        if spec.token or spec.part is not None or not self.is_list(spec):
            return self.values(spec)
        values, lengths = elements(self.column(spec), spec)
        values = text(values)
        row = np.repeat(self.every, lengths)[values.is_valid().to_numpy(zero_copy_only=False)]
        ends = np.searchsorted(row, np.arange(len(lengths) + 1))
        listed = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values.drop_null())
        return pc.binary_join(listed, separator or BETWEEN)

    def lists(self, spec: RawColumn) -> tuple[pa.Array, np.ndarray]:
        """Return a column of lists as (values one after the other, length of each list)."""
        values, lengths = elements(self.column(spec), spec)
        return part_of(values, spec), lengths

    def column(self, spec: RawColumn) -> pa.Array:
        """Return a raw column; `list.member` is the list of a struct's members."""
        found = self._column(spec)
        if spec.decimal == "," and pa.types.is_string(found.type):
            return pc.replace_substring(found, ",", ".")
        return found

    def _column(self, spec: RawColumn) -> pa.Array:
        rows = self.raw.rows
        if not spec.column:
            return pa.array([spec.constant] * rows.num_rows)
        if spec.column in rows.schema.names:
            return plain(rows[spec.column])
        outer, _, member = spec.column.partition(".")
        found = plain(rows[outer])
        if pa.types.is_list(found.type):
            lengths = pc.fill_null(pc.list_value_length(found), 0).to_numpy(zero_copy_only=False)
            ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
            return pa.ListArray.from_arrays(ends, pc.struct_field(found.flatten(), member))
        return pc.struct_field(found, member)

    def add_unread(self, problems: list[Problem], row: np.ndarray, values: pa.Array) -> None:
        """Remember values of a field that could not be read, and belong to these source rows."""
        self._unread += [(found, row, values) for found in problems]

    def unread(self, among: np.ndarray) -> list[Unread]:
        """Return the fields' values that could not be read in the source rows `among` them."""
        told = []
        for found, row, values in self._unread:
            at = found.at[among[row[found.at]]]
            if len(at):
                number = self.raw.number[row[at[0]]]
                told.append(Unread(found.reason, len(at), number, shown(values[int(at[0])])))
        return told

    def rejected(self, among: np.ndarray | None = None) -> list[Rejected]:
        """Return number, reason, value and text of every rejected row, or of those `among` it."""
        return [
            (self.raw.number[at], reason, self.rejects.value[at], self._text(at))
            for at, reason in enumerate(self.rejects.reason)
            if reason is not None and (among is None or among[at])
        ]

    def _text(self, at: int) -> str:
        rows = self.raw.rows
        row = {name: shown(rows[name][at])[:LONGEST_SHOWN] for name in rows.schema.names}
        return json.dumps(row, ensure_ascii=False)
