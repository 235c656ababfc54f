"""Unknown items of a day: each once, and the least fields where the day contradicts itself."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.candidate_pieces import Piece, pieces
from jobs.errors import Refused
from jobs.item_vectors import ItemVectors
from jobs.new_items import NewItemsTask, new_items
from schemas.table import Fields

FIELDS = Fields(item_id="string", item=("brand", "kind"))


@pytest.fixture
def task(tmp_path):
    """What finds the items of some files of candidate sets that are neither 'a' nor 'b'."""
    known = tmp_path / "known.parquet"
    pq.write_table(pa.table({"item_id": ["b", "a"], "e": [[1.0], [2.0]]}), known)
    ItemVectors.write([known], tmp_path / "vectors")

    def of(*files: list[list[tuple[str, str, str]]]) -> NewItemsTask:
        paths = []
        for number, requests in enumerate(files):
            columns = {
                name: [[item[place] for item in items] for items in requests]
                for place, name in enumerate(("item_id", "brand", "kind"))
            }
            paths.append(tmp_path / f"sets-{number}.parquet")
            pq.write_table(pa.table(columns), paths[-1], row_group_size=1)
        return NewItemsTask(tmp_path / "vectors", FIELDS, tuple(pieces(paths)))

    return of


def test_each_unknown_item_is_found_once_with_the_least_of_its_fields(spark, task):
    one = [
        [("a", "x", "p"), ("z", "x", "q"), ("é", "x", "p")],
        [("z", "x", "p"), ("b", "x", "p"), ("c", "B", "z")],
    ]
    two = [
        [("z", "y", "a"), ("c", "b", "a")],
        [("c", "B", "z"), ("\N{GRINNING FACE}", "x", "p"), ("\uff5e", "x", "p")],
    ]
    found = new_items(spark, task(one, two))
    # By UTF-8 bytes, B comes before b, and U+FF5E before what takes two units in UTF-16.
    assert found.to_pylist() == [
        {"item_id": item, "brand": brand, "kind": kind}
        for item, brand, kind in (
            ("c", "B", "z"), ("z", "x", "p"), ("é", "x", "p"), ("\uff5e", "x", "p"),
            ("\N{GRINNING FACE}", "x", "p"),
        )
    ]  # fmt: skip
    assert new_items(spark, task(two, one)).equals(found)


def test_where_every_item_is_known_there_is_none(spark, task):
    found = new_items(spark, task([[("a", "x", "p"), ("b", "", "")]]))
    assert found.num_rows == 0
    assert found.column_names == ["item_id", "brand", "kind"]


def test_a_piece_tells_each_row_of_fields_once(task):
    """What goes to the driver grows with the new items, not with the candidates."""
    work = task([[("z", "x", "p"), ("c", "x", "p"), ("z", "y", "p")]] * 50)
    (batch,) = work.find(Piece(work.pieces[0].path, tuple(range(50))))
    assert batch.num_rows == 3


def test_a_refusal_of_a_worker_is_the_commands_own(spark, task):
    class Refusing(NewItemsTask):
        def find(self, piece):
            raise Refused("the file is damaged; make it again")

    found = task([[("a", "x", "p")]])
    with pytest.raises(Refused, match=r"^the file is damaged; make it again$"):
        new_items(spark, Refusing(found.known, found.fields, found.pieces))
