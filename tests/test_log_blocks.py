"""Log rows cut into blocks and joined again: every row once, a request's rows in one part."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from candidate_sets import INTEGERS, STRINGS
from hypothesis import given
from hypothesis import strategies as st

from jobs import log_blocks
from jobs.candidate_pieces import Piece
from jobs.log_blocks import BlockTask, part_of, shuffled, unpacked

KINDS = pytest.mark.parametrize(("ids", "kind"), [(INTEGERS, pa.int64()), (STRINGS, pa.string())])


@KINDS
@given(data=st.data(), parts=st.integers(1, 400))
def test_a_request_has_one_part_whatever_stands_beside_it(ids, kind, data, parts):
    drawn = data.draw(st.lists(ids, min_size=1, max_size=30))
    found = part_of(pa.array(drawn, kind), parts)
    assert found.max() < parts
    alone = [int(part_of(pa.array([one], kind), parts)[0]) for one in drawn]
    assert found.tolist() == alone


def write(path, requests: int) -> pa.Table:
    """Write rows of requests, mixed, in small row groups."""
    draw = np.random.default_rng(3)
    request = draw.permutation(np.repeat(np.arange(requests), 7))
    rows = pa.table(
        {
            "request_id": [f"r{number}" for number in request],
            "item_id": np.arange(len(request)),
            "label": pa.array(
                draw.integers(0, 2, len(request)), mask=draw.random(len(request)) < 0.5
            ),
        }
    )
    pq.write_table(rows, path, row_group_size=50)
    return rows


def test_blocks_hold_every_row_once_and_a_part_its_requests_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(log_blocks, "READ_ROWS", 64)
    rows = write(tmp_path / "logs.parquet", 40)
    groups = range(pq.read_metadata(tmp_path / "logs.parquet").num_row_groups)
    task = BlockTask(
        (Piece(tmp_path / "logs.parquet", tuple(groups)),), tuple(rows.column_names), 6
    )
    numbers = pa.RecordBatch.from_pydict({"id": [0]})
    found, parts = [], defaultdict(set)
    for block in task(iter([numbers])):
        held = unpacked(block)
        found += held.to_pylist()
        for request in held["request_id"].to_pylist():
            parts[request].add(block["part"][0].as_py())
    key = lambda row: row["item_id"]  # noqa: E731
    assert sorted(found, key=key) == rows.to_pylist()
    assert all(len(own) == 1 for own in parts.values())
    assert len({*map(frozenset, parts.values())}) > 1


def test_spark_brings_all_blocks_of_a_part_together(spark, tmp_path):
    rows = write(tmp_path / "logs.parquet", 60)
    groups = range(pq.read_metadata(tmp_path / "logs.parquet").num_row_groups)
    pieces = tuple(Piece(tmp_path / "logs.parquet", (group,)) for group in groups)
    frame = shuffled(spark, BlockTask(pieces, ("request_id", "item_id"), 24), 3)
    assert frame.rdd.getNumPartitions() == 3

    def tell(batches):
        held = [unpacked(batch)["request_id"].unique() for batch in batches]
        if held:
            ids = pa.concat_arrays(chunk for ids in held for chunk in [ids]).unique()
            yield pa.RecordBatch.from_arrays([ids], ["request_id"])

    told = [row.request_id for row in frame.mapInArrow(tell, "request_id string").collect()]
    assert sorted(told) == sorted(set(rows["request_id"].to_pylist()))
