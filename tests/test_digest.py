"""Digests say when two tables are the same."""

import itertools
from collections import Counter
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.digest import ContentDigest

ROWS = pa.schema(
    [
        ("number", pa.int64()),
        ("word", pa.string()),
        ("score", pa.float64()),
        ("small", pa.float32()),
        ("ts", pa.timestamp("us", tz="UTC")),
        pa.field("ranks", pa.list_(pa.int32()), nullable=False),
        pa.field("words", pa.list_(pa.string()), nullable=False),
    ]
)
# Few values each, so that equal cells, rows and tables are drawn often; 0.0 and -0.0 are not equal.
CELLS = {
    "number": st.sampled_from([None, 0, 1, -1, 2**62]),
    "word": st.sampled_from([None, "", "a", "A", "a\0", "é", "0"]),
    "score": st.sampled_from([None, 0.0, -0.0, 1.0, 1.0000000000000002]),
    "small": st.sampled_from([None, 0.0, 1.0]),
    "ts": st.sampled_from(
        [None, datetime(2026, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]
    ),
    "ranks": st.lists(st.sampled_from([None, 0, 1]), max_size=3),
    "words": st.lists(st.sampled_from([None, "", "a"]), max_size=2),
}
TABLES = st.lists(st.fixed_dictionaries(CELLS), max_size=6)


def digest(rows: list[dict], cuts: tuple[int, ...] = ()) -> str:
    """Return the digest of the rows, fed in pieces that share their buffers."""
    whole = pa.RecordBatch.from_pylist(rows, ROWS)
    content, ends = ContentDigest(), [0, *sorted(cuts), len(rows)]
    for begin, end in itertools.pairwise(ends):
        content.update(whole.slice(begin, end - begin))
    return content.hexdigest()


def as_multiset(rows: list[dict]) -> Counter:
    return Counter(repr(sorted(row.items())) for row in rows)


@given(TABLES, st.data())
def test_digest_is_free_of_order_and_of_splits(rows, data):
    shuffled = data.draw(st.permutations(rows))
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=3))
    assert digest(rows) == digest(shuffled, tuple(cuts))


@given(TABLES.filter(bool), st.data())
def test_digest_changes_with_any_cell(rows, data):
    changed = [dict(row) for row in rows]
    name = data.draw(st.sampled_from(list(CELLS)))
    changed[data.draw(st.integers(0, len(rows) - 1))][name] = data.draw(CELLS[name])
    assert (digest(rows) == digest(changed)) == (as_multiset(rows) == as_multiset(changed))


@given(TABLES, TABLES)
def test_digest_tells_tables_apart(one, other):
    assert (digest(one) == digest(other)) == (as_multiset(one) == as_multiset(other))


BLANK = {name: None for name in CELLS} | {"ranks": [], "words": []}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"ranks": [1], "words": []}], [{"ranks": [], "words": ["a"]}]),
        ([{"ranks": [1, 2]}, {"ranks": [3]}], [{"ranks": [1]}, {"ranks": [2, 3]}]),
        ([{"ranks": [1, 2]}], [{"ranks": [2, 1]}]),
        ([{"ranks": [None]}], [{"ranks": []}]),
        ([{"ranks": [None]}], [{"ranks": [0]}]),
        ([{"word": "a"}, {"word": None}], [{"word": None}, {"word": ""}]),
        ([{"number": 1, "score": 2.0}], [{"number": 2, "score": 1.0}]),
        (
            [{"number": 1, "word": "a"}, {"number": 2, "word": "b"}],
            [{"number": 1, "word": "b"}, {"number": 2, "word": "a"}],
        ),
        ([{"number": 1}], [{"number": 1}, {"number": 1}]),
        ([{"number": 1}, {"number": 1}], [{"number": 2}, {"number": 2}]),
        ([{}], []),
    ],
)
def test_digests_that_must_differ(one, other):
    assert digest([BLANK | row for row in one]) != digest([BLANK | row for row in other])


def test_digest_knows_column_names():
    one, other = ContentDigest(), ContentDigest()
    one.update(pa.RecordBatch.from_pydict({"a": [1], "b": [1]}))
    other.update(pa.RecordBatch.from_pydict({"a": [1], "c": [1]}))
    assert one.hexdigest() != other.hexdigest()
