"""Every table, rendered for each engine: the same names, types and values in all of them."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.audit import audit_file, audit_whole
from jobs.parquet_file import write_parquet
from jobs.spark_session import write_version
from model.batch import from_examples, tensors
from schemas.arrow import ARROW_TYPES, arrow_schema, fingerprint
from schemas.expectations import expectation_suite
from schemas.spark import SPARK_TYPES, spark_schema
from schemas.table import Column, Fields, Kind, Table
from schemas.tables import declare

N = 4
INTEGERS = Fields(
    item=("category", "brand"), context=("query",), dense=("score", "price"), category="category"
)
STRINGS = Fields(user_id="string", item_id="string", context=("tab", "page"), dense=("score",))
BARE = Fields(request_id="int64")
TABLES = {
    f"{table.name}-{kind}": table
    for kind, fields in (("integers", INTEGERS), ("strings", STRINGS), ("bare", BARE))
    for table in declare(fields, N).values()
}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
FIELDED = {name: table for name, table in TABLES.items() if not name.endswith("-bare")}

# The awkward values of each type, within the range of every column of that type.
VALUES = {
    "string": ["a", "é", "\U0001f600", "with\nline", "0"],
    "int64": [2**53 + 1, 2**63 - 1, 1, 7, 0],
    "int32": [1, 1, 1, 1, 1],
    "float64": [0.1, 1.0, 5e-324, 0.0, 1 / 3],
    "float32": [float(np.float32(0.1)), 1.0, 1.401298464324817e-45, 0.0, 0.5],
    "timestamp": [datetime(2026, 1, 1, 23, 59, 59, 999_999, UTC), datetime(1970, 1, 1, tzinfo=UTC)],
}


def row(table: Table, number: int) -> dict[str, object]:
    """Make a row that the table allows; each has its own key."""

    def value(column: Column, place: int) -> object:
        if column.nullable and (number + place) % 3 == 0:
            return None
        values = VALUES[column.kind]
        return values[(number + place) % len(values)]

    made: dict[str, object] = {}
    for column in table.columns:
        length = number + 1 if column.length is None else column.length
        cells = [value(column, place) for place in range(length)]
        made[column.name] = cells if column.is_list else cells[0]
    name = table.key[-1]
    made[name] = number + 1 if table[name].kind != "string" else f"{made[name]}{number}"
    return made


def rows(table: Table) -> pa.Table:
    return pa.Table.from_pylist([row(table, number) for number in range(4)], arrow_schema(table))


def test_every_kind_is_rendered_by_every_engine():
    assert set(ARROW_TYPES) == set(get_args(Kind)) == set(SPARK_TYPES) == set(VALUES)


@every_table
def test_arrow_and_spark_agree_on_names_types_and_order(table):
    arrow, spark = arrow_schema(table), spark_schema(table)
    assert tuple(arrow.names) == tuple(spark.names) == table.names
    assert from_arrow_schema(arrow).simpleString() == spark.simpleString()
    for column in table.columns:
        element = arrow.field(column.name).type
        holds_null = element.value_field.nullable if column.is_list else spark[column.name].nullable
        assert holds_null == column.nullable
        if column.is_list:
            assert spark[column.name].dataType.containsNull == column.nullable


@pytest.mark.parametrize("table", FIELDED.values(), ids=FIELDED)
def test_what_arrow_writes_spark_reads_and_the_other_way(table, spark, tmp_path: Path):
    made = rows(table)
    write_parquet(tmp_path / "arrow.parquet", table, [made])
    read = spark.read.schema(spark_schema(table)).parquet(str(tmp_path / "arrow.parquet"))
    assert read.schema.simpleString() == spark_schema(table).simpleString()
    (tmp_path / "spark").mkdir()
    write_version(read.coalesce(1), table, tmp_path / "spark")
    files = sorted((tmp_path / "spark").glob("*.parquet"))
    back = pa.concat_tables([pq.read_table(path) for path in files])
    assert back.sort_by(table.key[-1]).to_pylist() == made.sort_by(table.key[-1]).to_pylist()
    # Bit by bit, and allowed by the declaration.
    sides = [[tmp_path / "arrow.parquet"], files]
    audits = [[audit_file(path, table, "here") for path in side] for side in sides]
    arrow, spark_ = (audit_whole(side, table, "here").hexdigest() for side in audits)
    assert arrow == spark_


@every_table
def test_gx_knows_each_column_and_no_other(table):
    suite = expectation_suite(table)
    whole = {"", ", ".join(table.key)} - set(table.names)
    assert {e.meta["column"] for e in suite.expectations} - whole == set(table.names)
    words = {(e.meta["column"], e.meta["expected"]) for e in suite.expectations}
    for column in table.columns:
        assert ((column.name, "no null") in words) == (not column.nullable)


def test_each_table_declares_its_key_and_keeps_its_partition_apart():
    for table in TABLES.values():
        assert set(table.key) <= set(table.names)
        assert not set(table.partition) & set(table.names)
        assert len(set(table.names)) == len(table.names)
        assert all(column.meaning.endswith(".") for column in table.columns)


def test_an_unknown_column_names_the_known_ones():
    with pytest.raises(KeyError, match=r"promotions has no column 'why'; .*decision, reason"):
        TABLES["promotions-bare"]["why"]


# --- the fingerprint


def changed(table: Table, **columns: object) -> Table:
    first, *rest = table.columns
    return dataclasses.replace(
        table, columns=(dataclasses.replace(first, **columns), *rest) if columns else tuple(rest)
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda t: changed(t),
        lambda t: changed(t, name="other"),
        lambda t: changed(t, kind="int32"),
        lambda t: changed(t, nullable=True),
        lambda t: changed(t, shape=(None,)),
        lambda t: changed(t, shape=(2,)),
        lambda t: dataclasses.replace(t, columns=t.columns[::-1]),
        lambda t: dataclasses.replace(t, columns=(*t.columns, Column("new", "int64", "New."))),
    ],
)
def test_the_fingerprint_changes_with_any_name_type_shape_null_rule_or_order(change):
    table = TABLES["candidate_sets-integers"]
    assert fingerprint(change(table)) != fingerprint(table)


def test_the_fingerprint_is_of_what_is_stored_and_not_of_what_it_means():
    table = TABLES["candidate_sets-integers"]
    assert fingerprint(changed(table, meaning="Otherwise.", unit="x")) == fingerprint(table)
    assert fingerprint(declare(INTEGERS, N)["candidate_sets"]) == fingerprint(table)


def test_no_two_tables_share_a_fingerprint():
    # The same columns under other profiles are the same table.
    by_print = {}
    for name, table in TABLES.items():
        by_print.setdefault(fingerprint(table), set()).add(name.partition("-")[0])
    assert all(len(names) == 1 for names in by_print.values())


# --- the torch batch


@pytest.mark.parametrize("fields", [INTEGERS, STRINGS, BARE], ids=["integers", "strings", "bare"])
def test_the_torch_batch_has_the_declared_shapes_and_the_values_row_by_row(fields):
    table = declare(fields, N)["examples"]
    made = rows(table)
    columns = {
        name: np.array(made[name].to_pylist()) for name in table.names if name != "request_id"
    }
    rendered = tensors(table, columns)
    for column in table.columns:
        if column.kind == "string":
            continue
        if column.name == "request_id":
            continue
        got = rendered[column.name]
        assert tuple(got.shape) == (4, *column.shape)
        assert got.reshape(4, -1).tolist() == columns[column.name].reshape(4, -1).tolist()
        assert got.dtype.is_floating_point == column.kind.startswith("float")
    batch = from_examples(table, columns)
    assert batch.user_tokens.shape == (4, len(fields.user_tokens))
    assert batch.item_tokens.shape == (4, N, len(fields.item_tokens))
    assert batch.dense.shape == (4, N, len(fields.dense))
    assert batch.valid.tolist() == [[True] + [False] * (N - 1)] * 4


def test_a_matrix_is_stored_row_by_row():
    fields = Fields(item=("category",))
    table = declare(fields, 3)["examples"]
    one = row(table, 0) | {"item_tokens": [11, 12, 21, 22, 31, 32], "n_candidates": 3}
    batch = from_examples(table, {name: np.array([value]) for name, value in one.items()})
    assert batch.item_tokens.tolist() == [[[11, 12], [21, 22], [31, 32]]]
    assert batch.valid.tolist() == [[True] * 3]
