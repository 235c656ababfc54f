"""A Table as a Great Expectations suite, made from its column declarations alone.

Expectations about single values mean nothing on a list column, so each one names the view of the
table that it is judged on, in its `meta`:

    types      what the files say of themselves: one row a file, one cell a column, its type in
               words, or `missing`
    table      all rows at once, of the columns that only make sense together, such as the key
    rows       one row a row: the scalars, and `length_of_<name>` for every list
    <name>     one row an element: the lists of which <name> is the first and that run in parallel

In every view a NaN is an infinity, because pandas would take it for a null.
"""

import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# Read at import by versions that report their use to the makers of the package.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
import pyarrow as pa

from schemas.arrow import arrow_field
from schemas.table import Column, Table

TYPES, TABLE, ROWS = "types", "table", "rows"
MISSING = "missing"
LENGTH_OF = "length_of_"
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Subject:
    """What an expectation is about: a column (empty for the whole table) in one of its views."""

    view: str
    column: str

    def expect(
        self,
        kind: type[gxe.Expectation],
        expected: str,
        *,
        reads: Collection[str] = (),
        **arguments: object,
    ) -> gxe.Expectation:
        """Make an expectation that knows its words and the columns of the view that it reads."""
        meta = {
            "view": self.view,
            "column": self.column,
            "expected": expected,
            "reads": [*(reads or (self.column,))] if self.column else [],
        }
        return kind(meta=meta, **arguments)


def type_name(kind: pa.DataType) -> str:
    """Return a type in words that no writer's habits change, such as 'list of int64'."""
    if pa.types.is_list(kind):
        return f"list of {type_name(kind.value_type)}"
    if pa.types.is_timestamp(kind):
        return f"timestamp in {kind.tz or 'no time zone'}"
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))


def parallel_lists(table: Table) -> dict[str, tuple[Column, ...]]:
    """Group the list columns whose elements belong together, by the first one's name."""
    groups: dict[object, list[Column]] = {}
    for column in table.columns:
        if column.is_list:
            group = column.name if column.apart else column.shape
            groups.setdefault(group, []).append(column)
    return {columns[0].name: tuple(columns) for columns in groups.values()}


def expectation_suite(table: Table) -> gx.ExpectationSuite:
    """Render the table."""
    expectations = [*_of_table(table)]
    for column in table.columns:
        expectations.append(_of_type(column))
        if not column.is_list:
            expectations += _of_values(column, ROWS)
    for first, columns in parallel_lists(table).items():
        for column in columns:
            expectations += _of_length(column, first)
            expectations += _of_values(column, first)
    return gx.ExpectationSuite(name=table.name, expectations=expectations)


def _of_table(table: Table) -> Iterator[gxe.Expectation]:
    """Expect rows, because all else holds on an empty frame, and no key twice."""
    if not table.may_be_empty:
        count = Subject(TABLE, "")
        yield count.expect(gxe.ExpectTableRowCountToBeBetween, "at least one row", min_value=1)
    key = Subject(TABLE, ", ".join(table.key))
    words = f"each once: a row is {table.row}"
    if len(table.key) == 1:
        yield key.expect(gxe.ExpectColumnValuesToBeUnique, words, column=table.key[0])
    else:
        yield key.expect(
            gxe.ExpectCompoundColumnsToBeUnique,
            words,
            reads=table.key,
            column_list=list(table.key),
        )


def _of_type(column: Column) -> gxe.Expectation:
    """Expect the column in every file, under its declared type."""
    wanted = type_name(arrow_field(column).type)
    return Subject(TYPES, column.name).expect(
        gxe.ExpectColumnValuesToBeInSet,
        f"a column of type {wanted}",
        column=column.name,
        value_set=[wanted],
    )


def _of_length(column: Column, first: str) -> Iterator[gxe.Expectation]:
    """Expect a list in every row, as long as declared or as the lists beside it."""
    row, own, other = Subject(ROWS, column.name), LENGTH_OF + column.name, LENGTH_OF + first
    yield row.expect(
        gxe.ExpectColumnValuesToNotBeNull, "a list in every row", reads=[own], column=own
    )
    if column.length is not None:
        yield row.expect(
            gxe.ExpectColumnValuesToBeBetween,
            f"{column.length} values a row",
            reads=[own],
            column=own,
            min_value=column.length,
            max_value=column.length,
        )
    elif own != other:
        yield row.expect(
            gxe.ExpectColumnPairValuesToBeEqual,
            f"as many values as {first}",
            reads=[own, other],
            column_A=own,
            column_B=other,
            ignore_row_if="either_value_is_missing",
        )


def _of_values(column: Column, view: str) -> Iterator[gxe.Expectation]:
    """Expect what every single value must be."""
    value, low, high = Subject(view, column.name), column.low, column.high
    if not column.nullable:
        yield value.expect(gxe.ExpectColumnValuesToNotBeNull, "no null", column=column.name)
    span = [f"from {low:g}"] if low is not None else []
    span += [f"to {high:g}"] if high is not None else []
    if column.kind in ("float64", "float32"):
        yield value.expect(
            gxe.ExpectColumnValuesToBeBetween,
            " ".join(["finite numbers", *span]),
            column=column.name,
            min_value=-LARGEST if low is None else low,
            max_value=LARGEST if high is None else high,
        )
    elif (low, high) == (0, 1):
        yield value.expect(
            gxe.ExpectColumnValuesToBeInSet, "0 or 1", column=column.name, value_set=[0, 1]
        )
    elif span:
        yield value.expect(
            gxe.ExpectColumnValuesToBeBetween,
            " ".join(["values", *span]),
            column=column.name,
            min_value=low,
            max_value=high,
        )
