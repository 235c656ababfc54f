"""Files that any reader can hold: row groups neither large nor many, no needless dictionary."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import parquet_file
from jobs.features import lists
from jobs.parquet_file import ROW_GROUP_BYTES, ROW_GROUP_ROWS, TableWriter, write_parquet
from schemas.table import Column, Table

FLAT = Table(
    name="flat",
    row="one row",
    key=("id",),
    columns=(
        Column("id", "int64", "A number."),
        Column("word", "string", "A word."),
        Column("value", "float64", "A value."),
    ),
)
RAGGED = Table(
    name="ragged",
    row="one row",
    key=("id",),
    columns=(
        Column("id", "string", "A name."),
        Column("words", "string", "Words.", shape=(None,)),
        Column("values", "float32", "Values.", shape=(None,)),
    ),
)


def flat(start: int, rows: int) -> pa.Table:
    ids = np.arange(start, start + rows)
    return pa.table({"id": ids, "word": [f"w{n % 7}" for n in ids], "value": ids / 3})


def ragged(counts: list[int]) -> pa.Table:
    n, total = len(counts), sum(counts)
    words = lists(pa.array([f"w{k % 3}" for k in range(total)]), np.array(counts))
    values = lists(pa.array(np.arange(total, dtype=np.float32)), np.array(counts))
    return pa.table({"id": [f"r{k}" for k in range(n)], "words": words, "values": values})


def groups(path: Path) -> list[int]:
    """Return the rows of each row group."""
    footer = pq.read_metadata(path)
    return [footer.row_group(n).num_rows for n in range(footer.num_row_groups)]


@given(
    st.lists(st.integers(0, 50), max_size=12),
    st.integers(1, 60),
    st.integers(100, 2_000),
)
@settings(max_examples=60)
def test_batches_of_any_size_become_full_row_groups(tmp_path_factory, sizes, rows, size):
    path = tmp_path_factory.mktemp("flat") / "one.parquet"
    starts = np.cumsum([0, *sizes])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_file, "ROW_GROUP_ROWS", rows)
        patch.setattr(parquet_file, "ROW_GROUP_BYTES", size)
        write_parquet(path, FLAT, [flat(start, n) for start, n in zip(starts, sizes, strict=False)])
    assert pq.read_table(path)["id"].to_pylist() == list(range(sum(sizes)))
    found = groups(path)
    assert all(0 < n <= rows for n in found)
    # A row takes 22 to 28 bytes; what is held is less than a row group, and so is what is added.
    assert all(22 * n < 2 * size + 56 for n in found)


def test_small_batches_are_joined(tmp_path):
    path = tmp_path / "one.parquet"
    write_parquet(path, FLAT, (flat(start, 100) for start in range(0, 100_000, 100)))
    assert len(groups(path)) <= 3
    assert max(groups(path)) == ROW_GROUP_ROWS


def test_a_batch_of_many_rows_is_cut(tmp_path):
    path = tmp_path / "one.parquet"
    write_parquet(path, FLAT, [flat(0, 200_000)])
    assert groups(path) == [ROW_GROUP_ROWS] * 3 + [200_000 - 3 * ROW_GROUP_ROWS]


@pytest.mark.parametrize("batch", [20, 600])
def test_rows_of_many_bytes_make_smaller_row_groups(batch, tmp_path):
    path = tmp_path / "one.parquet"
    rows = ragged([5_000] * 600)
    write_parquet(path, RAGGED, rows.to_batches(batch))
    found = groups(path)
    assert sum(found) == 600
    sizes = [n * rows.nbytes / 600 for n in found]
    assert all(0.9 * ROW_GROUP_BYTES < size < 2 * ROW_GROUP_BYTES for size in sizes[:-1])


def test_words_have_a_dictionary_and_numbers_have_none(tmp_path):
    for table, rows in ((FLAT, flat(0, 1_000)), (RAGGED, ragged([10] * 100))):
        path = tmp_path / f"{table.name}.parquet"
        write_parquet(path, table, [rows])
        group = pq.read_metadata(path).row_group(0)
        for n in range(group.num_columns):
            chunk = group.column(n)
            has_one = bool({"PLAIN_DICTIONARY", "RLE_DICTIONARY"} & set(chunk.encodings))
            assert has_one == (chunk.physical_type == "BYTE_ARRAY"), chunk.path_in_schema


def test_columns_take_the_declared_order_and_type_and_others_are_left_out(tmp_path):
    path = tmp_path / "one.parquet"
    rows = flat(0, 3).append_column("more", pa.array([1, 2, 3])).select([3, 2, 1, 0])
    with TableWriter(path, FLAT) as writer:
        writer.write(rows.to_batches()[0])
        writer.write(rows.set_column(3, "id", rows["id"].cast(pa.int32())))
    assert pq.read_schema(path).names == list(FLAT.names)
    assert pq.read_table(path)["id"].to_pylist() == [0, 1, 2] * 2


def test_a_writer_that_fails_closes_its_file(tmp_path):
    path = tmp_path / "one.parquet"
    with pytest.raises(KeyError, match="value"):
        write_parquet(path, FLAT, [flat(0, 3), flat(3, 3).drop_columns("value")])
    # Closed, so a whole file; of the rows nothing is promised.
    assert pq.read_schema(path).names == list(FLAT.names)
