"""Log rows in every layout: the candidates that they give, and the reason where they give none."""

from pathlib import Path

import pyarrow as pa
import pytest

from jobs.sources.config import LogFiles, RawColumn
from jobs.sources.log_rows import LogRows
from jobs.sources.raw_batch import RawBatch
from schemas.table import Fields

C = RawColumn
FIELDS = Fields(request_id="int64", item=("brand",), context=("tab",), dense=("score", "age"))
NAMES = ("request_id", "user_id", "item_id", "score", "exposed", "shown_rank", "label")


def logs(rows: str, **columns: RawColumn) -> LogFiles:
    known = {"request_id": C(column="r"), "user_id": C(column="u"), "ts": C(column="t", unit="s")}
    return LogFiles(files=("x",), rows=rows, columns=known | columns)


def read(spec: LogFiles, raw: dict[str, list], fields: Fields = FIELDS) -> LogRows:
    n = len(next(iter(raw.values())))
    raw = {"r": [1] * n, "u": [7] * n, "t": [60] * n} | raw
    batch = pa.RecordBatch.from_pydict(raw)
    raw_batch = RawBatch("some/day/x.csv", batch, list(range(2, n + 2)), [])
    return LogRows(fields, spec, raw_batch, Path("some"))


def candidates(found: LogRows) -> list[tuple]:
    """Return the columns of the candidates whose rows have nothing against them."""
    usable = found.sheet.rejects.usable
    columns = [
        found.columns[name].to_pylist() if name in found.columns else [None] * len(found.row)
        for name in NAMES
    ]
    rows = zip(*columns, strict=True)
    return [row for row, source in zip(rows, found.row, strict=True) if usable[source]]


def rejected(found: LogRows) -> list[tuple]:
    """Return (position, reason, value) of the others."""
    return [(number, reason, value) for number, reason, value, _ in found.sheet.rejected()]


A_ROW_EACH = logs(
    "candidates",
    item_id=C(column="i"),
    score=C(column="s"),
    exposed=C(column="e"),
    shown_rank=C(column="k"),
    label=C(column="l"),
)


def test_a_row_a_candidate():
    raw = {"i": [5, 6, 7], "s": [0.5, 2, -1], "e": [1, 0, 1], "k": [1, None, 2], "l": [1, None, 0]}
    found = read(A_ROW_EACH, raw)
    assert candidates(found) == [
        (1, 7, 5, 0.5, 1, 1, 1),
        (1, 7, 6, 2.0, 0, None, None),
        (1, 7, 7, -1.0, 1, 2, 0),
    ]
    assert found.columns["ts"].to_pylist() == [60_000_000] * 3
    assert rejected(found) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"i": "x"}, "item_id is no 64-bit integer, as fields.item_id says"),
        ({"i": ""}, "item_id is missing"),
        ({"r": "9e9"}, "request_id is no 64-bit integer, as fields.request_id says"),
        ({"u": ""}, "user_id is missing"),
        ({"t": "soon"}, "ts is no number"),
        ({"s": "nan"}, "score is NaN or infinite"),
        ({"s": "-inf"}, "score is NaN or infinite"),
        ({"s": ""}, "score is missing"),
        ({"s": "high"}, "score is no number"),
        ({"e": "2"}, "exposed is neither 0 nor 1"),
        ({"e": ""}, "exposed is missing"),
        ({"e": "0", "l": "1"}, "clicked but not exposed"),
        ({"l": ""}, "exposed without a label"),
        ({"l": "3"}, "label is neither 0 nor 1"),
        ({"k": "0"}, "shown_rank is no place from 1 on"),
        ({"k": "1.5"}, "shown_rank is no place from 1 on"),
    ],
)
def test_one_bad_value_costs_its_row_and_no_other(changed, reason):
    good = {"r": "1", "u": "7", "t": "60", "i": "5", "s": "1", "e": "1", "k": "1", "l": "0"}
    raw = {name: [good[name], (good | changed)[name], good[name]] for name in good}
    found = read(A_ROW_EACH, raw)
    assert [row[:3] for row in rejected(found)] == [(3, reason, list(changed.values())[-1])] or (
        [row[:2] for row in rejected(found)] == [(3, reason)]
    )
    assert len(candidates(found)) == 2


def test_parallel_lists():
    spec = logs(
        "requests",
        item_id=C(column="i"),
        score=C(column="s", smaller_is_better=True),
        label=C(column="l", at_least=4),
        shown_rank=C(derive="position"),
    )
    raw = {"i": [[5, 6], [7], [], [8, 8], [9, 1]], "s": [[1, 2], [3], [], [1, 2], [1]]}
    found = read(spec, raw | {"l": [[5, 3], [4], [], [1, 1], [1, 1]]})
    assert candidates(found) == [
        (1, 7, 5, -1.0, 1, 1, 1),
        (1, 7, 6, -2.0, 1, 2, 0),
        (1, 7, 7, -3.0, 1, 1, 1),
    ]
    assert rejected(found) == [
        (4, "no candidates", ""),
        (5, "a candidate is in the list twice", "8"),
        (6, "score and item_id are lists of different lengths", "1 and 2"),
    ]


def test_one_string_a_request_with_labels_in_its_tokens():
    spec = logs(
        "requests",
        item_id=C(column="i", split=" ", token="-", part=0),
        label=C(column="i", split=" ", token="-", part=1),
        score=C(derive="position"),
    )
    fields = Fields(request_id="int64", item_id="string")
    found = read(spec, {"i": ["N1-0 N2-1", "N1-0 N2", "N1-0 N2-1 N3-x"]}, fields)
    assert candidates(found) == [(1, 7, "N1", 0.0, 1, None, 0), (1, 7, "N2", -1.0, 1, None, 1)]
    assert rejected(found) == [
        (3, "exposed without a label", "N2"),
        (4, "label is no number", "x"),
    ]


def test_lists_of_what_was_shown_and_clicked():
    spec = logs(
        "requests",
        item_id=C(column="i"),
        exposed=C(among=C(column="shown")),
        label=C(among=C(column="clicked")),
        shown_rank=C(derive="position"),
        score=C(constant=0.5),
    )
    raw = {
        "i": [[5, 6, 7], [5, 6], [5, 6], [5, 6]],
        "shown": [[7, 5], [5], [5, 9], []],
        "clicked": [[7, 7], [6], [5], []],
    }
    found = read(spec, raw)
    assert candidates(found) == [
        (1, 7, 5, 0.5, 1, 1, 0),
        (1, 7, 6, 0.5, 0, None, None),
        (1, 7, 7, 0.5, 1, 2, 1),
        (1, 7, 5, 0.5, 0, None, None),
        (1, 7, 6, 0.5, 0, None, None),
    ]
    assert rejected(found) == [
        (3, "clicked but not exposed", "6"),
        (4, "shown has an item that is no candidate", "9"),
    ]


def test_a_row_each_with_the_list_of_all_clicks():
    spec = logs(
        "candidates", item_id=C(column="i"), label=C(among=C(column="c")), score=C(constant=1)
    )
    assert [row[-1] for row in candidates(read(spec, {"i": [5, 6], "c": [[6, 9], [6, 9]]}))] == [
        0,
        1,
    ]


def test_labels_that_run_parallel_to_the_shown_items_alone():
    target = C(column="targets", part=0)
    spec = logs(
        "requests",
        item_id=C(column="queue", part=0),
        brand=C(column="queue", part=1),
        exposed=C(among=target),
        label=C(column="labels", of=target),
        score=C(derive="position"),
    )
    raw = {
        "queue": [[[5, 50], [6, 60], [7, 70]], [[5, 50], [6, 60]]],
        "targets": [[[7, 70], [5, 50]], [[5, 50]]],
        "labels": [[1, 0], [0, 0]],
    }
    found = read(spec, raw, Fields(request_id="int64", item=("brand",)))
    assert candidates(found) == [
        (1, 7, 5, 0.0, 1, None, 0),
        (1, 7, 6, -1.0, 0, None, None),
        (1, 7, 7, -2.0, 1, None, 1),
    ]
    assert found.columns["brand"].to_pylist() == ["50", "60", "70", "50", "60"]
    assert rejected(found) == [(3, "labels and targets are lists of different lengths", "2 and 1")]


def test_members_of_a_list_of_structs():
    spec = logs("requests", item_id=C(column="c.id"), label=C(column="c.y"), score=C(column="c.s"))
    raw = {"c": [[{"id": 5, "y": 1, "s": 2.0}, {"id": 6, "y": 0, "s": 1.0}]]}
    found = read(spec, raw)
    assert candidates(found) == [(1, 7, 5, 2.0, 1, None, 1), (1, 7, 6, 1.0, 1, None, 0)]


def test_what_a_request_has_once_goes_to_each_of_its_candidates():
    spec = logs(
        "requests",
        request_id=C(row_number=True),
        item_id=C(column="i"),
        label=C(constant=0),
        tab=C(column="tab"),
        brand=C(column="b"),
        age=C(column="age"),
        ts=C(constant="2026-01-01T00:00:00Z"),
    )
    raw = {"i": [[5, 6], [7]], "tab": ["home", ""], "b": [["x", None], ["z"]], "age": [3, 4]}
    found = read(spec, raw, Fields(**(vars_of(FIELDS) | {"request_id": "string"})))
    assert found.columns["request_id"].to_pylist() == ["day/x.csv:2", "day/x.csv:2", "day/x.csv:3"]
    assert found.columns["tab"].to_pylist() == ["home", "home", "unknown"]
    assert found.columns["brand"].to_pylist() == ["x", "unknown", "z"]
    assert found.columns["age"].to_pylist() == [3.0, 3.0, 4.0]
    assert set(found.columns["ts"].to_pylist()) == {1_767_225_600_000_000}


def vars_of(fields: Fields) -> dict:
    return {name: getattr(fields, name) for name in fields.__slots__}


def test_the_text_of_a_rejected_row_is_kept():
    found = read(A_ROW_EACH, {"i": ["x"], "s": [1], "e": [1], "k": [1], "l": [0]})
    [(number, _, value, text)] = found.sheet.rejected()
    assert (number, value) == (2, "x")
    assert '"i": "x"' in text


@pytest.mark.parametrize(
    ("spec", "raw", "expected"),
    [
        ({}, [["red", "blue"], [], None, ["x"]], ["red|blue", "unknown", "unknown", "x"]),
        ({"split": ","}, ["['red', 'blue']", "[]", None, "x"], ["red|blue", *["unknown"] * 2, "x"]),
        ({"part": 0}, [["red", "blue"], [], None, ["x"]], ["red", "unknown", "unknown", "x"]),
        ({"token": " > ", "part": -1}, ["a > b", "a", None, ""], ["b", "a", *["unknown"] * 2]),
    ],
)
def test_a_field_of_several_values_is_one_text(spec, raw, expected):
    found = read(
        logs("candidates", item_id=C(column="i"), label=C(constant=0), brand=C(column="b", **spec)),
        {"i": [1, 2, 3, 4], "b": raw},
    )
    assert found.columns["brand"].to_pylist() == expected
