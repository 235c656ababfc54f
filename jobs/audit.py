"""What a written partition must be before it is published: its Table, value by value.

The rules come from the declaration alone (type, null rule, range, list lengths, key), so that no
step can publish what its table forbids. Great Expectations judges the published day afterwards.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.digest import ContentDigest, row_hashes
from jobs.errors import Refused
from schemas.arrow import arrow_schema
from schemas.table import Column, Table

FLAT_ROWS, LIST_ROWS = 65_536, 256
"""Rows read at once; with ragged lists of some hundred values each, what a cache holds."""


def check_schema(
    found: pa.Schema, table: Table, source: str, only: Collection[str] | None = None
) -> None:
    """Refuse missing columns and wrong types, all named at once; extra columns too.

    With `only`, whoever reads these columns does not mind what else is there.
    """
    wanted = [field for field in arrow_schema(table) if only is None or field.name in only]
    problems = [
        f"column {field.name!r} is missing"
        if field.name not in found.names
        else f"column {field.name!r} is {found.field(field.name).type}, not {field.type}"
        for field in wanted
        if field.name not in found.names or not same_type(found.field(field.name).type, field.type)
    ]
    problems += [
        f"column {name!r} is not declared"
        for name in found.names
        if only is None and name not in table.names
    ]
    if problems:
        raise Refused(
            f"{source} is not a {table.name} file: {'; '.join(problems)}. "
            f"Declared columns: {', '.join(table.names)}"
        )


def same_type(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether two types hold the same values, however lists and times are kept."""
    if pa.types.is_list(wanted):
        return pa.types.is_list(found) and same_type(found.value_type, wanted.value_type)
    if pa.types.is_timestamp(wanted):
        return pa.types.is_timestamp(found) and found.tz == wanted.tz
    return found.equals(wanted)


def _where(batch: pa.RecordBatch, table: Table, row: int) -> str:
    key = [name for name in table.key if name in batch.schema.names]
    return ", ".join(f"{name} {batch.column(name)[row].as_py()!r}" for name in key)


def _first(mask: pa.Array) -> int | None:
    hits = pc.indices_nonzero(pc.fill_null(mask, False))
    return hits[0].as_py() if len(hits) else None


def _bad_values(values: pa.Array, column: Column) -> Iterator[tuple[pa.Array, str]]:
    """Yield a mask and a sentence for each rule of the column."""
    if not column.nullable:
        yield values.is_null(), "is null"
    if column.kind in ("float64", "float32"):
        yield pc.invert(pc.is_finite(values)), "is NaN or infinite"
    if column.low is not None:
        yield pc.less(values, column.low), f"is below {column.low:g}"
    if column.high is not None:
        yield pc.greater(values, column.high), f"is above {column.high:g}"


def _is_allowed(values: pa.Array, column: Column) -> bool:
    """Whether a column holds nothing that it forbids; where it does, `_bad_values` finds it."""
    if values.null_count and not column.nullable:
        return False
    if column.kind.startswith("float"):
        known = values.drop_null() if values.null_count else values
        if not np.isfinite(known.to_numpy()).all():
            return False
    if column.low is None and column.high is None:
        return True
    low, high = pc.min_max(values).as_py().values()
    return low is None or (
        (column.low is None or low >= column.low) and (column.high is None or high <= column.high)
    )


def check_values(batch: pa.RecordBatch, table: Table, source: str) -> None:
    """Refuse the first value that its column forbids, naming the row by its key."""
    for column in table.columns:
        array = batch.column(column.name)
        if column.is_list:
            if array.null_count:
                row = _first(array.is_null())
                raise Refused(f"{source}: {column.name} is null at {_where(batch, table, row)}")
            parents = pc.list_parent_indices(array)
            values = array.flatten()
        else:
            parents, values = None, array
        if _is_allowed(values, column):
            continue
        for mask, rule in _bad_values(values, column):
            hit = _first(mask)
            if hit is None:
                continue
            row = hit if parents is None else parents[hit].as_py()
            raise Refused(
                f"{source}: {column.name} = {values[hit].as_py()!r} {rule} "
                f"at {_where(batch, table, row)}; {_allowed(column)}. Mend or remove that row"
            )
    _check_lengths(batch, table, source)


def _allowed(column: Column) -> str:
    span = f" from {column.low:g}" if column.low is not None else ""
    span += f" to {column.high:g}" if column.high is not None else ""
    finite = "finite " if column.kind.startswith("float") else ""
    return f"allowed: {finite}{column.kind}{span}{' or null' if column.nullable else ''}"


def _check_lengths(batch: pa.RecordBatch, table: Table, source: str) -> None:
    """Refuse lists of a wrong length, and per-candidate lists of unequal lengths in one row."""
    first: tuple[str, pa.Array] | None = None
    for column in table.columns:
        if not column.is_list:
            continue
        lengths = pc.list_value_length(batch.column(column.name))
        if column.length is not None:
            wanted, why = pa.scalar(column.length, lengths.type), f"{column.length} values"
        elif column.apart:
            continue
        elif first is None:
            first = (column.name, lengths)
            continue
        else:
            wanted, why = first[1], f"as many values as {first[0]}"
        hit = _first(pc.not_equal(lengths, wanted))
        if hit is not None:
            raise Refused(
                f"{source}: {column.name} has {lengths[hit].as_py()} values, not {why}, "
                f"at {_where(batch, table, hit)}"
            )


def check_keys(keys: pa.Table, table: Table, source: str) -> None:
    """Refuse a partition in which two rows share a key."""
    counts = keys.group_by(list(table.key)).aggregate([([], "count_all")])
    doubled = counts.filter(pc.greater(counts["count_all"], 1))
    if doubled.num_rows:
        row = doubled.slice(0, 1).to_pylist()[0]
        named = ", ".join(f"{name} {row[name]!r}" for name in table.key)
        raise Refused(
            f"{source}: {row['count_all']} rows have {named}; a {table.name} row is {table.row}. "
            f"Remove the doubled rows ({doubled.num_rows} keys are affected)"
        )


@dataclass(frozen=True, slots=True)
class FileAudit:
    """What is known of a file whose every row was read and found as its table declares."""

    path: Path
    digest: ContentDigest
    key_hashes: np.ndarray
    """[rows] uint64."""


def audit_file(path: Path, table: Table, source: str) -> FileAudit:
    """Read every row of a file; refuse what the table forbids, but for keys that are there twice.

    Of the keys only hashes are held, 8 bytes a row.
    """
    digest, key, hashes = ContentDigest(), list(table.key), [np.zeros(0, np.uint64)]
    rows = LIST_ROWS if any(column.length is None for column in table.columns) else FLAT_ROWS
    with pq.ParquetFile(path) as parquet:
        check_schema(parquet.schema_arrow, table, source)
        for batch in parquet.iter_batches(rows, columns=list(table.names)):
            check_values(batch, table, source)
            digest.update(batch.select(table.names))
            hashes.append(row_hashes(batch.select(key))[0])
    return FileAudit(path, digest, np.concatenate(hashes))


def audit_whole(audits: list[FileAudit], table: Table, source: str) -> ContentDigest:
    """Return the content digest of audited files; refuse no rows at all, and a key that is doubled.

    Where two hashes of keys agree, the rows that have them are read again and compared.
    """
    digest = ContentDigest()
    for audit in audits:
        digest.merge(audit.digest)
    if digest.rows == 0 and not table.may_be_empty:
        raise Refused(f"{source}: no rows; an empty {table.name} is never published")
    ordered = np.sort(np.concatenate([np.zeros(0, np.uint64), *(a.key_hashes for a in audits)]))
    again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(again):
        alike = [
            batch.filter(pa.array(np.isin(row_hashes(batch)[0], again)))
            for audit in audits
            for batch in pq.ParquetFile(audit.path).iter_batches(FLAT_ROWS, columns=list(table.key))
        ]
        check_keys(pa.Table.from_batches(alike), table, source)
    return digest
