"""Log rows as candidate sets: the one order, every row once, and the first request that is torn."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from candidate_sets import INTEGERS, STRINGS, place_in_order
from hypothesis import given
from hypothesis import strategies as st

from jobs.candidate_task import grouped
from model.ordering import best_first
from schemas.arrow import arrow_schema
from schemas.table import Fields
from schemas.tables import declare

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
# Few, so that ties are drawn often; both zeros tie, and a step of the smallest size does not.
SCORES = st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 0.5, 0.5 + 2**-53, -1e300, 1e300])
KINDS = pytest.mark.parametrize(("ids", "kind"), [(INTEGERS, "int64"), (STRINGS, "string")])


def tables(kind: str):
    """Return the declarations of logs and of sets with ids of one kind."""
    fields = Fields(request_id=kind, item_id=kind, item=("brand",), context=("tab",))
    found = declare(fields, 1)
    return arrow_schema(found["request_logs"]), found["candidate_sets"]


def row(request: object, item: object, score: float, **changed: object) -> dict:
    return {
        "request_id": request, "user_id": 7, "ts": NOON, "tab": "t", "missed_positives": 0,
        "item_id": item, "brand": f"of {item}", "score": score, "exposed": 0,
        "shown_rank": None, "label": None, "derived": 0,
    } | changed  # fmt: skip


@st.composite
def logs(draw: st.DrawFn, ids: st.SearchStrategy) -> list[dict]:
    """Draw the rows of some requests, shuffled."""
    rows = []
    for request in draw(st.lists(ids, min_size=1, max_size=5, unique=True)):
        items = draw(st.lists(ids, min_size=1, max_size=7, unique=True))
        rows += [row(request, item, draw(SCORES)) for item in items]
    return draw(st.permutations(rows))


@KINDS
@given(data=st.data())
def test_requests_go_by_id_and_candidates_in_the_one_order(ids, kind, data):
    rows = data.draw(logs(ids))
    schema, table = tables(kind)
    sets, torn = grouped(pa.Table.from_pylist(rows, schema), table)
    assert torn is None
    assert sets.schema == arrow_schema(table)
    requests = sorted({one["request_id"] for one in rows}, key=place_in_order)
    assert sets["request_id"].to_pylist() == requests
    for found in sets.to_pylist():
        own = [one for one in rows if one["request_id"] == found["request_id"]]
        dtype = object if kind == "string" else np.int64
        item_id = np.array([one["item_id"] for one in own], dtype)
        order = best_first(np.array([one["score"] for one in own]), item_id)
        for name in ("item_id", "brand", "score", "exposed", "label"):
            assert found[name] == [own[i][name] for i in order]
        assert found["n_candidates"] == len(own)
        assert (found["user_id"], found["ts"], found["tab"]) == (7, NOON, "t")


@KINDS
@given(data=st.data())
def test_the_order_and_the_pieces_of_the_rows_do_not_matter(ids, kind, data):
    rows = data.draw(logs(ids))
    schema, table = tables(kind)
    one, _ = grouped(pa.Table.from_pylist(rows, schema), table)
    halves = [pa.Table.from_pylist(part, schema) for part in (rows[::2], rows[1::2])]
    two, _ = grouped(pa.concat_tables(halves), table)
    assert one.equals(two)


OTHERS = [{"user_id": 8}, {"ts": NOON.replace(minute=1)}, {"tab": "T"}, {"missed_positives": 1}]


@KINDS
@given(data=st.data())
def test_the_first_torn_request_is_named(ids, kind, data):
    rows = data.draw(logs(ids))
    counts = {}
    for one in rows:
        counts.setdefault(one["request_id"], []).append(one)
    several = [request for request, own in counts.items() if len(own) > 1]
    torn = data.draw(st.lists(st.sampled_from(several), unique=True)) if several else []
    for request in torn:
        data.draw(st.sampled_from(counts[request])).update(data.draw(st.sampled_from(OTHERS)))
    schema, table = tables(kind)
    _, found = grouped(pa.Table.from_pylist(rows, schema), table)
    assert found == min(torn, key=place_in_order, default=None)


def test_requests_may_differ_in_all_that_a_request_has_one_of():
    schema, table = tables("int64")
    rows = [row(n, 1, 0.0, **other) for n, other in enumerate([{}, *OTHERS])]
    sets, torn = grouped(pa.Table.from_pylist(rows, schema), table)
    assert torn is None
    assert sets["user_id"].to_pylist() == [7, 8, 7, 7, 7]
