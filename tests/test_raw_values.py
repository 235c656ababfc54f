"""Raw values: what can be used is used exactly, what cannot costs its own row and says why."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.sources.config import RawColumn
from jobs.sources.raw_times import moments
from jobs.sources.raw_values import (
    LONGEST_TEXT,
    Problem,
    elements,
    finite,
    ids,
    part_of,
    text,
    tokens,
    zero_or_one,
)


def reasons(found: list[Problem], rows: int) -> list[str | None]:
    """Return the first reason against each row."""
    said: list[str | None] = [None] * rows
    for at, reason in found:
        for place in at.tolist():
            said[place] = said[place] or reason
    return said


@given(
    st.lists(
        st.one_of(st.integers(-(2**65), 2**65), st.sampled_from(["", "x", "0x10", "1_0", "٣"]))
    )
)
def test_integers_are_exact_or_refused(values):
    raw = pa.array([str(value) for value in values], pa.string())
    result, found = ids(raw, "int64", "item_id")
    for value, got, reason in zip(
        values, result.to_pylist(), reasons(found, len(values)), strict=True
    ):
        if isinstance(value, int) and -(2**63) <= value < 2**63:
            assert (got, reason) == (value, None)
        else:
            assert got is None
            missing = value == ""
            assert reason.startswith("item_id is missing" if missing else "item_id is no 64-bit")


@pytest.mark.parametrize(("kind", "exact"), [(pa.float64(), 2**53), (pa.float32(), 2**24)])
def test_floating_ids_are_integers_that_are_still_exact(kind, exact):
    values = [1.0, exact, exact + 2.0, 1.5, None, float("nan")]
    result, found = ids(pa.array(values, kind), "int64", "user_id")
    assert result.to_pylist() == [1, exact, None, None, None, None]
    assert reasons(found, 6) == [
        None,
        None,
        f"user_id is beyond {exact:,}, where a floating number of its width is not exact",
        "user_id is no integer",
        "user_id is missing",
        "user_id is missing",
    ]


def test_unsigned_ids_beyond_64_bits():
    result, found = ids(pa.array([7, 2**64 - 1], pa.uint64()), "int64", "user_id")
    assert result.to_pylist() == [7, None]
    assert reasons(found, 2) == [None, "user_id is no 64-bit integer, as fields.user_id says"]


def test_text_ids_may_hold_anything_that_is_printed():
    values = ['it\'s "5"', "日本", " a b ", "x" * LONGEST_TEXT, "x" * 10_000, "a\nb", "", None]
    result, found = ids(pa.array(values), "string", "item_id")
    assert result.to_pylist()[:4] == values[:4]
    assert reasons(found, 8) == [
        *[None] * 4,
        f"item_id is longer than {LONGEST_TEXT} characters",
        "item_id holds a control character",
        "item_id is missing",
        "item_id is missing",
    ]


@given(st.lists(st.one_of(st.none(), st.floats(), st.just("x"))))
def test_finite_numbers_are_exact_or_refused(values):
    raw = pa.array([None if value is None else str(value) for value in values], pa.string())
    result, found = finite(raw, "score")
    for value, got, reason in zip(
        values, result.to_pylist(), reasons(found, len(values)), strict=True
    ):
        if value is None:
            assert reason == "score is missing"
        elif value == "x":
            assert reason == "score is no number"
        elif np.isfinite(value):
            assert (got, reason) == (value, None)
        else:
            assert reason == "score is NaN or infinite"


def test_flags():
    raw = pa.array(["0", "1", "1.0", "2", "", "maybe"])
    values, found = zero_or_one(raw, RawColumn(column="x"), "label")
    assert values.to_pylist() == [0, 1, 1, None, None, None]
    said = reasons(found, 6)
    assert said[3:] == ["label is neither 0 nor 1", None, "label is no number"]
    values, found = zero_or_one(
        pa.array([3.5, 4.0, 5.0, float("nan")]), RawColumn(column="x", at_least=4), "label"
    )
    assert values.to_pylist()[:3] == [0, 1, 1]
    assert values.to_pylist()[3] is None
    assert reasons(found, 4) == [None] * 4
    assert zero_or_one(pa.array([True, False]), RawColumn(), "exposed")[0].to_pylist() == [1, 0]
    words = pa.array(["True", "no", " F", "Y"])
    assert zero_or_one(words, RawColumn(column="x"), "label")[0].to_pylist() == [1, 0, 0, 1]
    kinds, clicks = pa.array(["click", "view", None]), RawColumn(column="x", equals=("click",))
    assert zero_or_one(kinds, clicks, "label")[0].to_pylist() == [1, 0, 0]
    there = RawColumn(column="x", presence=True)
    assert zero_or_one(kinds, there, "label")[0].to_pylist() == [1, 1, 0]


MOMENTS = st.datetimes(*map(datetime.fromisoformat, ("1970-01-01", "2200-01-01")))


def micros(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text))


@given(st.lists(MOMENTS, min_size=1, max_size=5), st.sampled_from(["us", "ms", "s"]))
def test_numbers_are_times_of_their_unit(values, unit):
    scale = {"us": 1, "ms": 1_000, "s": 1_000_000}[unit]
    raw = pa.array([micros(value) // scale for value in values])
    result, found = moments(raw, RawColumn(column="t", unit=unit))
    assert result.to_pylist() == [micros(value) // scale * scale for value in values]
    assert not found


@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_text_and_timestamps_are_the_same_times(values):
    wanted = [micros(value) for value in values]
    for raw in (
        pa.array([value.isoformat() + "Z" for value in values]),
        pa.array([value.isoformat(" ") + "+00:00" for value in values]),
        pa.array([value.replace(tzinfo=UTC) for value in values], pa.timestamp("us", "Asia/Tokyo")),
    ):
        assert moments(raw, RawColumn(column="t"))[0].to_pylist() == wanted
    naive = pa.array(values, pa.timestamp("us"))
    assert moments(naive, RawColumn(column="t", zone="UTC"))[0].to_pylist() == wanted


def test_zones_formats_and_what_is_no_time():
    oslo = RawColumn(column="t", zone="Europe/Oslo")
    # The clock goes back at 03:00 on 2023-10-29: 02:30 comes twice, and the first one is taken.
    result, found = moments(pa.array(["2023-07-01 12:00", "2023-10-29 02:30"]), oslo)
    assert result.to_pylist() == [
        at("2023-07-01 10:00"),
        at("2023-10-29 00:30"),
    ]
    assert not found
    american = RawColumn(column="t", format="%m/%d/%Y %I:%M:%S %p", zone="UTC")
    raw = pa.array(["11/15/2019 8:55:22 PM", "02/30/2019 1:00:00 PM", None, "x"])
    result, found = moments(raw, american)
    assert result.to_pylist() == [at("2019-11-15 20:55:22"), None, None, None]
    unreadable = "ts is missing or cannot be read as a time"
    assert reasons(found, 4) == [None, unreadable, unreadable, unreadable]
    for raw in (pa.array(["2023-07-01"]), pa.array([0], pa.timestamp("ns"))):
        result, found = moments(raw, RawColumn(column="t"))
        assert result.to_pylist() == [None]
        assert "names no zone, and neither does the profile" in reasons(found, 1)[0]
    for edge, zone in (
        ("0001-01-01 00:00", "Europe/Oslo"),
        ("9999-12-31 23:59", "America/New_York"),
    ):
        assert moments(pa.array([edge]), RawColumn(column="t", zone=zone))[0].null_count == 1
    result, found = moments(pa.array(["1e300", "nan", ""]), RawColumn(column="t", unit="s"))
    assert result.null_count == 3
    assert None not in reasons(found, 3)


def test_field_values_are_text_and_what_is_missing_says_so():
    raw = pa.array([3.0, 2.5, None])
    assert tokens(raw, RawColumn(column="x"), "x")[0].to_pylist() == ["3", "2.5", "unknown"]
    raw = pa.array(["red", "", None]).dictionary_encode()
    assert tokens(raw, RawColumn(column="x"), "x")[0].to_pylist() == ["red", "unknown", "unknown"]
    _, found = tokens(pa.array(["a b", "x" * 600]), RawColumn(column="x"), "x")
    assert reasons(found, 2) == [None, "x is longer than 512 characters"]
    edges = RawColumn(column="x", edges=(1.0, 10.0))
    values, found = tokens(pa.array(["0", "1", "9", "10", "", "x"]), edges, "x")
    assert values.to_pylist() == ["0", "1", "1", "2", "unknown", "unknown"]
    assert reasons(found, 6)[5] == "x is no number"
    there = RawColumn(column="x", presence=True)
    for raw in (pa.array(["a", ""]), pa.array([1, None])):
        assert tokens(raw, there, "x")[0].to_pylist() == ["yes", "no"]
    assert text(pa.array([True, None])).to_pylist() == ["true", None]


@pytest.mark.parametrize(
    ("raw", "spec", "values", "lengths"),
    [
        (["a  b ", "", None, "c"], {"split": " "}, ["a", "b", "c"], [2, 0, 0, 1]),
        (["1,,0", "", None, ","], {"split": ","}, ["1", "", "0", "", ""], [3, 0, 0, 2]),
        ([[1, 2], [], None, [3]], {}, [1, 2, 3], [2, 0, 0, 1]),
        (["[1, 2]", "[]", "(3)", None], {"split": ","}, ["1", "2", "3"], [2, 0, 1, 0]),
        (["['a', 'b']", '["c"]'], {"split": ","}, ["a", "b", "c"], [2, 1]),
        (["[0.5, nan, None, null]"], {"split": ","}, ["0.5", None, None, None], [4]),
        (["[ 1  2\n 3]"], {"split": " "}, ["1", "2", "3"], [3]),
        (["a, b", "'c'"], {"split": ","}, ["a", "b", "'c'"], [2, 1]),
        (["N1-0 N2-1"], {"split": " ", "token": "-", "part": 0}, ["N1", "N2"], [2]),
        (["N1-0 N2"], {"split": " ", "token": "-", "part": 1}, ["0", None], [2]),
        (["N1-0 N2"], {"split": " ", "token": "-", "part": -1}, ["0", "N2"], [2]),
        ([[[7, 8], [9, 8]]], {"part": 1}, [8, 8], [2]),
        ([[[7, 8], [9]]], {"part": 1}, [8, None], [2]),
    ],
)
def test_lists_and_parts_of_their_elements(raw, spec, values, lengths):
    column = RawColumn(column="x", **spec)
    for kind in ([pa.array(raw)], [pa.array([raw[0], *raw]).slice(1)]):
        found, sizes = elements(kind[0], column)
        assert part_of(found, column).to_pylist() == values
        assert sizes.tolist() == lengths
