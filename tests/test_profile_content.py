"""What sampled values are: lists, flags, numbers, times and ids."""

from datetime import UTC, datetime

import pytest

from jobs.profile.content import Content, id_kind


def test_a_list_in_a_string_has_parts_that_look_alike():
    assert Content("c", ["N1 N2 N3", "N4", "N5 N6"]).lists[0] == ["N1", "N2", "N3"]
    assert Content("c", ["1_2_3", "4_5"]).cut == "_"
    assert Content("c", ["1_2_3", "4_5"]).numbers == []
    for no_list in (["12_3", "45_6"], ["2026-01-01 10:00:00"], ["a b c"], ["Apollo 13 of 1995"]):
        assert Content("c", no_list).cut == ""


def test_parts_that_are_all_numbers_are_alike():
    assert Content("c", ["2.9|-0.4|1e-05", "12|0.25"]).lists[0] == ["2.9", "-0.4", "1e-05"]
    assert Content("c", ["-3,4.5,17", "2,-1"]).cut == ","
    assert Content("c", ["0.5|cheap|3"]).cut == ""


@pytest.mark.parametrize(
    ("values", "numbers", "decimal"),
    [
        (["38,21", "7", "-0,5"], [38.21, 7, -0.5], ","),
        (["0,125", "1,250"], [0.125, 1.25], ","),
        (["1,250", "12,500"], [], ""),
        (["38,21", "7.5"], [], ""),
        (["1.5", *["2"] * 30, "soon"], [1.5, *[2.0] * 30], ""),
        (["1.5", "2", "soon"], [], ""),
        ([True, 3, None], [1.0, 3.0], ""),
    ],
)
def test_numbers_have_one_decimal_mark_and_a_few_values_may_be_none(values, numbers, decimal):
    content = Content("c", values)
    assert (content.numbers, content.decimal) == (numbers, decimal)


@pytest.mark.parametrize("words", [("true", "False"), ("yes", "NO"), ("y", "n"), ("t", "f")])
def test_words_for_0_and_1_are_flags(words):
    assert Content("c", [*words, None]).flags == [1.0, 0.0]
    assert Content("c", [*words]).is_binary
    assert not Content("c", [*words, "maybe"]).flags


def test_the_click_of_an_item_is_0_or_1():
    assert Content("c", ["N1-0 N2-1 N3-0"]).token == "-"
    assert Content("c", ["N1-0 N2-2 N3-0"]).token == ""
    assert Content("c", ["1:0 2:1 3:1"]).token == ":"


def test_categories_are_apart_where_parts_come_again():
    assert Content("c", ["a|b", "b", "a", "b|a"]).separator == "|"
    assert Content("c", ["Food Drink", "Cars Bikes"]).separator == ""


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        (["1767225600", "1767225700"], {"unit": "s"}),
        ([1767225600000, 1767225700000], {"unit": "ms"}),
        (["1767225600000000", "1767225700000000"], {"unit": "us"}),
        ([datetime(2026, 1, 1, tzinfo=UTC)], {}),
        (["2026-01-01T00:00:00+01:00", "2026-01-02T00:00:00+01:00"], {}),
        (["2026-01-01 00:00:00", "2026-01-02 00:00:00"], {"zone": "UTC"}),
        (["1/31/2026 9:05:58 AM"], {"format": "%m/%d/%Y %I:%M:%S %p", "zone": "UTC"}),
        (["31.01.2026 10:00", "01.02.2026 11:00"], {"format": "%d.%m.%Y %H:%M", "zone": "UTC"}),
        (["31/01/2026 10:00", "01/02/2026 11:00"], {"format": "%d/%m/%Y %H:%M", "zone": "UTC"}),
        ([20260131, 20260201], {"format": "%Y%m%d", "zone": "UTC"}),
        (["01/02/2026 11:00"], {"format": "%m/%d/%Y %H:%M", "zone": "UTC"}),
    ],
)
def test_a_time_is_read_by_what_it_looks_like(values, keys):
    assert Content("c", values).time[0] == keys


def test_what_is_no_time_and_a_time_that_can_be_read_in_two_ways():
    for values in (["soon"], [17], [1767225600, 3], ["2026-01-01", "soon"], [None]):
        assert Content("c", values).time is None
    assert "(and %d/%m/%Y %H:%M)" in Content("c", ["01/02/2026 11:00"]).time[1]


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["1", "-9223372036854775808", 9223372036854775807], "int64"),
        (["1", "9223372036854775808"], "string"),
        (["1", "007"], "string"),
        (["1", "a1"], "string"),
        ([1.5], "string"),
    ],
)
def test_ids_are_int64_only_where_each_one_is_such_a_number(ids, kind):
    assert id_kind(ids)[0] == kind


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("2026-01-31T09:30:00Z", {}),
        ("31.01.2026 09:30", {"format": "%d.%m.%Y %H:%M", "zone": "UTC"}),
        (1769851800, {"unit": "s"}),
    ],
)
def test_a_few_values_that_are_no_times_do_not_hide_the_others(value, keys):
    found, why = Content("c", [*[value] * 39, "soon"]).time
    assert found == keys
    assert "1 of 40 values cannot be read so" in why
    assert Content("c", [*[value] * 9, "soon"]).time is None


def test_the_format_that_reads_most_values_tells_the_day_from_the_month():
    times = [*["01/02/2026 11:00"] * 39, "31/01/2026 11:00"]
    assert Content("c", times).time[0]["format"] == "%d/%m/%Y %H:%M"


def test_a_zone_is_needed_where_some_times_have_none():
    assert Content("c", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00"]).time[0] == {"zone": "UTC"}


def test_whole_numbers_of_a_column_with_gaps_are_integers():
    assert id_kind([7.0, 9.0])[0] == "int64"
    assert id_kind(["7.0", "7.5"])[0] == "string"
