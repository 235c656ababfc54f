"""The mapped file of item vectors: by id, an item's first vector, and none that is not finite."""

import math
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from candidate_sets import INTEGERS, STRINGS, place_in_order
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import Refused
from jobs.item_vectors import ItemVectors, first_of_each
from jobs.lake import Lake
from jobs.registry import Registry
from model.layout import ITEMS

DAY = date(2026, 1, 2)


def write(folder, name: str, ids: list, vectors: list, kind=None, **options):
    """Write one file of item_id and e; return its path."""
    path = folder / f"{name}.parquet"
    e = pa.array(vectors, pa.list_(pa.float32()))
    pq.write_table(pa.table({"item_id": pa.array(ids, kind), "e": e}), path, **options)
    return path


@pytest.mark.parametrize(("ids", "kind"), [(INTEGERS, pa.int64()), (STRINGS, pa.string())])
@given(data=st.data())
def test_of_each_item_the_first_vector_is_found(ids, kind, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("items")
    files = data.draw(st.lists(st.lists(ids, min_size=1, max_size=9), min_size=1, max_size=3))
    first, paths, count = {}, [], 0
    for number, own in enumerate(files):
        numbers = range(count, count + len(own))
        for item, n in zip(own, numbers, strict=True):
            first.setdefault(item, [n, -n])
        e = [[n, -n] for n in numbers]
        # Row groups of two: vectors are written as they are read, a batch after the other.
        paths.append(write(folder, f"part-{number}", own, e, kind, row_group_size=2))
        count += len(own)
    ItemVectors.write(paths, folder / "vectors")
    vectors = ItemVectors.read(folder / "vectors")
    known = list(first)
    assert vectors.e[vectors.rows(pa.array(known, kind))].tolist() == list(first.values())
    assert vectors.e.shape == (len(first), 2)
    # Rows stand in the order of the ids, so that the lower row wins a tie.
    in_order = sorted(known, key=place_in_order)
    assert vectors.rows(pa.array(in_order, kind)).tolist() == list(range(len(in_order)))


def test_they_are_what_a_kernel_reads(tmp_path):
    path = write(tmp_path, "known", [1, 2], [[1, 2, 3], [4, 5, 6]])
    ItemVectors.write([path], tmp_path / "vectors")
    e = ItemVectors.read(tmp_path / "vectors").e
    assert (e.dtype, e.flags.c_contiguous) == (np.float32, True)
    assert isinstance(e, np.memmap)
    assert not e.flags.writeable


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_vector_that_is_not_finite_is_refused_by_its_item(bad, tmp_path):
    known = write(tmp_path, "known", ["a", "b"], [[0, 1], [1, 0]])
    new = write(tmp_path, "new", ["c", "d'", "e"], [[0, 0], [1, bad], [bad, 0]])
    with pytest.raises(Refused) as refused:
        ItemVectors.write([known, new], tmp_path / "vectors")
    assert str(refused.value) == (
        'the vector of item "d\'" is not finite, so its model is of no use; '
        "promote another version or train again"
    )


def test_an_item_that_is_not_there_is_refused_by_its_id(tmp_path):
    path = write(tmp_path, "known", [1, 5], [[1.0], [2.0]])
    ItemVectors.write([path], tmp_path / "vectors")
    vectors = ItemVectors.read(tmp_path / "vectors")
    assert vectors.rows(pa.array([], pa.int64())).tolist() == []
    with pytest.raises(Refused, match="item 4 is a candidate and has no vector"):
        vectors.rows(pa.array([5, 4, 3]))


@given(st.lists(INTEGERS, max_size=20))
def test_the_first_of_each_value(drawn):
    ordered = sorted(drawn)
    found = first_of_each(pa.array(ordered, pa.int64()))
    assert found.tolist() == [at == ordered.index(value) for at, value in enumerate(ordered)]


# --- the same items as explain reads them: a request's alone


@pytest.fixture
def registry(tmp_path):
    folder = tmp_path / "models" / "m1" / ITEMS
    folder.mkdir(parents=True)
    write(folder, "dt=2026-01-02", ["c", "a"], [[3, 3], [9, 9]])
    write(folder, "dt=2026-01-03", ["c", "d"], [[4, 4], [5, 5]])
    write(folder, "known", ["b", "a", "z"], [[2, 2], [1, 1], [26, 26]])
    return Registry(Lake(tmp_path, {}))


def test_vectors_of_some_items_stand_in_their_order_and_are_null_where_there_is_none(registry):
    e = registry.vectors("m1", DAY, pa.array(["b", "no", "c", "b"]))
    assert e.to_pylist() == [[2, 2], None, [3, 3], [2, 2]]
    assert registry.vectors("m1", DAY, pa.array(["no"])).to_pylist() == [None]


def test_what_another_day_brought_is_nothing_to_a_day(registry):
    ids = pa.array(["a", "c", "d"])
    found = {day: registry.vectors("m1", date(2026, 1, day), ids).to_pylist() for day in (1, 2, 3)}
    assert found == {
        1: [[1, 1], None, None],
        2: [[1, 1], [3, 3], None],
        3: [[1, 1], [4, 4], [5, 5]],
    }


def test_of_an_item_that_is_there_twice_both_read_the_same(registry, tmp_path):
    files = registry.item_files("m1", DAY)
    ItemVectors.write(files, tmp_path / "vectors")
    vectors = ItemVectors.read(tmp_path / "vectors")
    ids = pa.array(["a", "b", "c", "z"])
    assert registry.vectors("m1", DAY, ids).to_pylist() == vectors.e[vectors.rows(ids)].tolist()


def test_the_rows_of_other_items_are_not_kept(registry, monkeypatch):
    kept = []
    index_in = pc.index_in

    def counted(values, value_set):
        kept.append(len(value_set))
        return index_in(values, value_set=value_set)

    monkeypatch.setattr(pc, "index_in", counted)
    registry.vectors("m1", DAY, pa.array(["z"]))
    assert kept == [1]
