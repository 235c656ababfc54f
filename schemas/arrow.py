"""A Table as a pyarrow schema, and the fingerprint by which a manifest remembers it."""

import hashlib

import numpy as np
import pyarrow as pa

from schemas.table import Column, Table

ARROW_TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_field(column: Column) -> pa.Field:
    """Render one column; lists are never null themselves, their elements are where allowed."""
    value = ARROW_TYPES[column.kind]
    if not column.is_list:
        return pa.field(column.name, value, nullable=column.nullable)
    element = pa.field("element", value, nullable=column.nullable)
    return pa.field(column.name, pa.list_(element), nullable=False)


def arrow_schema(table: Table) -> pa.Schema:
    """Render the table."""
    return pa.schema([arrow_field(column) for column in table.columns])


def list_array(rows: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Return the rows of a [rows, width] array as lists of this type."""
    elements = pa.array(rows.ravel()).cast(kind.value_type)
    return pa.FixedSizeListArray.from_arrays(elements, rows.shape[1]).cast(kind)


def fingerprint(table: Table) -> str:
    """Return 16 hex digits that change with any name, type or null rule of the table."""
    text = "\n".join(
        f"{c.name} {c.kind} {c.shape} {'null' if c.nullable else 'not null'}" for c in table.columns
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]
