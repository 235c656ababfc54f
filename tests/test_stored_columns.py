"""Tables stored under other columns than are declared: what can be read of them, and what not."""

import dataclasses

import pyarrow as pa
import pytest
from test_lake import DAY, TABLE, publication

from jobs.errors import Refused
from jobs.lake import Lake, Partition
from schemas.table import Column


@pytest.fixture
def partition(tmp_path) -> Partition:
    return Lake(tmp_path, {"numbers": TABLE}).partition("numbers", DAY)


def stored_under(partition: Partition, *columns: Column) -> None:
    """Publish rows under other columns than the partition's table declares."""
    table = dataclasses.replace(TABLE, columns=columns)
    other = dataclasses.replace(partition, table=table)
    values = {"number": [1, 2], "version": [7, 7], "parts": [[1], [2]], "more": ["x", "y"]}
    values |= {"versions": [7, 7], "vector": [[1.0, 2.0], [3.0, 4.0]]}
    rows = pa.table({column.name: values[column.name] for column in columns})
    publication(other).publish_rows([rows], {})


NUMBER, VERSION, PARTS = TABLE.columns
MORE = Column("more", "string", "What a later version adds.")


def test_what_is_stored_beyond_the_declared_columns_is_nothing_to_a_reader(partition):
    stored_under(partition, MORE, NUMBER, PARTS, VERSION)
    assert partition.read().to_pylist() == [
        {"number": 1, "version": 7, "parts": [1]},
        {"number": 2, "version": 7, "parts": [2]},
    ]
    assert partition.row("number", 2).column_names == ["number", "version", "parts"]
    assert partition.read(["version"]).column_names == ["version"]


def test_of_other_columns_those_that_are_as_declared_can_be_read_and_no_others(partition):
    stored_under(partition, NUMBER, Column("version", "string", "Text."), PARTS)
    assert partition.read(["number", "parts"]).num_rows == 2
    for columns in (None, ["version"], ["number", "version"]):
        with pytest.raises(Refused):
            partition.read(columns)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ((NUMBER, PARTS), "'version': expected int64, found nothing"),
        (
            (NUMBER, Column("versions", "int64", "The same."), PARTS),
            "'version': expected int64, found nothing (is it 'versions' now?); "
            "'versions': expected nothing, found int64",
        ),
        (
            (NUMBER, Column("version", "int32", "Short."), PARTS, MORE),
            "'version': expected int64, found int32; 'more': expected nothing, found string",
        ),
        (
            (NUMBER, VERSION, Column("parts", "int64", "Long.", shape=(None,), nullable=True)),
            "'parts': expected list of int32, found list of int64",
        ),
        (
            (NUMBER, Column("version", "int64", "Any.", nullable=True), PARTS),
            "the same names and types, but other lengths of lists or null rules",
        ),
    ],
    ids=["gone", "renamed", "type", "type in lists", "nulls"],
)
def test_a_partition_under_other_columns_is_refused_with_the_difference(partition, columns, words):
    stored_under(partition, *columns)
    with pytest.raises(Refused) as refusal:
        partition.files()
    assert str(refusal.value) == (
        f"{partition.path} was written under other columns than the profile declares now: "
        f"{words}; make it again with python -m jobs.count ... --force"
    )


def test_lists_of_another_length_are_not_taken_for_those_declared(partition):
    two = Column("vector", "float64", "A vector.", shape=(2,))
    stored_under(partition, NUMBER, two)
    three = dataclasses.replace(TABLE, columns=(NUMBER, dataclasses.replace(two, shape=(3,))))
    with pytest.raises(Refused, match="but other lengths of lists or null rules"):
        dataclasses.replace(partition, table=three).read()
    assert dataclasses.replace(partition, table=three).read(["number"]).num_rows == 2
