"""Raw parquet files as a publisher hands them out: opened, checked and read, or refused."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.errors import Refused


def _is_list_of_integers(found: pa.DataType) -> bool:
    is_list = pa.types.is_list(found) or pa.types.is_large_list(found)
    return is_list and pa.types.is_integer(found.value_type)


def _is_number(found: pa.DataType) -> bool:
    return pa.types.is_integer(found) or pa.types.is_floating(found)


MEND = "Mend or remove that row"
ACCEPTS: dict[str, tuple[Callable[[pa.DataType], bool], pa.DataType]] = {
    "integer": (pa.types.is_integer, pa.int64()),
    "finite number": (_is_number, pa.float64()),
    "boolean": (pa.types.is_boolean, pa.bool_()),
    "timestamp": (pa.types.is_timestamp, pa.timestamp("us", tz="UTC")),
    "list of integers": (_is_list_of_integers, pa.list_(pa.int64())),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawColumn:
    """A column that a source needs: what it may be, and whether it may be null."""

    name: str
    kind: str
    nullable: bool = False
    unique: bool = False


def read_raw(path: Path, columns: tuple[RawColumn, ...]) -> pa.Table:
    """Return the columns with one type per kind; refuse what they do not allow.

    A timestamp without a zone is taken as UTC.
    """
    try:
        with pq.ParquetFile(path) as parquet:
            _check_columns(path, parquet.schema_arrow, columns)
            raw = parquet.read([column.name for column in columns])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise Refused(
            f"{path} ({path.stat().st_size:,} bytes) is damaged or no parquet file: {reason}. "
            "Fetch it again"
        ) from error
    return pa.table({column.name: _checked(path, raw, column) for column in columns})


def refuse_row(path: Path, column: str, row: int, value: Any, rule: str, move: str) -> NoReturn:  # noqa: ANN401 - any value
    """Refuse a value, naming its file, column and row (from 0)."""
    raise Refused(f"{path}: column {column!r}, row {row}: {value!r} {rule}. {move}")


def _check_columns(path: Path, found: pa.Schema, columns: tuple[RawColumn, ...]) -> None:
    problems = []
    for column in columns:
        accepts, _ = ACCEPTS[column.kind]
        if column.name not in found.names:
            problems.append(f"column {column.name!r} is missing")
        elif not accepts(kind := found.field(column.name).type):
            problems.append(f"column {column.name!r} is {kind}, not {column.kind}")
    if problems:
        raise Refused(
            f"{path}: {'; '.join(problems)}. Found are {', '.join(found.names)}; "
            "give a file with these columns, under these names"
        )


def _checked(path: Path, raw: pa.Table, column: RawColumn) -> pa.Array:
    """Return the column in its kind's type; refuse nulls, NaN, infinities and doubles in it."""
    values = raw[column.name].combine_chunks()
    try:
        # Nanoseconds may be cut; an integer that does not fit may not.
        values = values.cast(ACCEPTS[column.kind][1], safe=column.kind != "timestamp")
    except pa.ArrowInvalid as error:
        raise Refused(
            f"{path}: column {column.name!r} holds a value that is no {column.kind} of 64 bits "
            f"({error}). {MEND}"
        ) from error
    if not column.nullable:
        _refuse_first(path, column, values, values.is_null(), "is not allowed")
    if pa.types.is_list(values.type):
        inner = values.flatten()
        if inner.null_count:
            row = pc.list_parent_indices(values)[pc.index(inner.is_null(), True).as_py()].as_py()
            refuse_row(path, column.name, row, None, "is in the list, which holds integers", MEND)
    if pa.types.is_floating(values.type):
        infinite = pc.invert(pc.is_finite(values))
        _refuse_first(path, column, values, infinite, "is not a finite number")
    if column.unique:
        counts = pc.value_counts(values)
        often = pc.greater(counts.field("counts"), 1)
        if (at := pc.index(often, True).as_py()) >= 0:
            value = counts.field("values")[at]
            row = pc.index(values, value).as_py()
            times = counts.field("counts")[at].as_py()
            move = "Every row needs its own; remove the doubled rows"
            refuse_row(path, column.name, row, value.as_py(), f"stands in {times} rows", move)
    return values


def _refuse_first(
    path: Path, column: RawColumn, values: pa.Array, mask: pa.Array, rule: str
) -> None:
    row = pc.index(pc.fill_null(mask, False), True).as_py()
    if row >= 0:
        move = f"Allowed: {column.kind}{' or null' if column.nullable else ''}. {MEND}"
        refuse_row(path, column.name, row, values[row].as_py(), rule, move)
