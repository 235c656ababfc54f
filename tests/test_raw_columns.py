"""Columns of raw files from delivery to delivery: one may come, and nothing else may change."""

import gzip
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from delivered_folder import LOG, ONE, PROFILE, THREE, TWO, Deliveries
from raw_shop import FIRST, HEADER, SECOND, shop

from jobs.cli import REFUSED
from jobs.column_diff import column_diff
from jobs.errors import Refused
from jobs.profile.load import load_profile
from jobs.sources.raw_columns import FILE, kind_of, members


def changed(name: str, values: list | pa.Array) -> pa.Table:
    return LOG.set_column(LOG.column_names.index(name), name, pa.array(values))


def renamed(old: str, new: str) -> pa.Table:
    return LOG.rename_columns([new if name == old else name for name in LOG.column_names])


@pytest.fixture
def shelf(tmp_path) -> Deliveries:
    made = Deliveries(tmp_path)
    assert made.take(ONE, LOG) == []
    return made


def test_the_same_columns_in_any_order_and_width_are_no_news(shelf):
    assert shelf.take(TWO, LOG.select(LOG.column_names[::-1])) == []
    with_gap = changed("sku", pa.array([1.0, None, 1.0, 3.0]))
    assert shelf.take(THREE, with_gap) == []


@pytest.mark.parametrize("empty", [pa.nulls(4), pa.array([[]] * 4, pa.list_(pa.null()))])
def test_a_column_without_any_value_may_be_of_any_type_and_promises_none(shelf, empty):
    name = "shelf" if pa.types.is_null(empty.type) else "seen"
    assert shelf.take(TWO, changed(name, empty)) == []
    assert shelf.take(THREE, LOG) == []


def test_a_column_that_comes_is_accepted_and_said_once(shelf):
    more = LOG.append_column("colour", pa.array(["red"] * 4))
    (said,) = shelf.take(TWO, more)
    assert said == (
        f"{shelf.file(TWO)} has a new column, and is taken as it is: 'colour' (text); "
        "nothing reads it"
    )
    assert shelf.take(THREE, more) == []


def test_a_member_that_comes_is_a_column_too(shelf):
    devices = pa.array([{"kind": "phone", "width": 320}] * 4)
    (said,) = shelf.take(TWO, changed("device", devices))
    assert "'device.width' (number)" in said
    with pytest.raises(Refused, match=re.escape("'device.width': expected number, found nothing")):
        shelf.take(THREE, LOG)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (LOG.drop(["shelf"]), "'shelf': expected text, found nothing"),
        (renamed("shelf", "shelves"),
         "'shelf': expected text, found nothing (is it 'shelves' now?); "
         "'shelves': expected nothing, found text"),
        (changed("sku", ["a", "b", "a", "c"]), "'sku': expected number, found text"),
        (changed("bought", [True, False, False, True]), "'bought': expected number, found flag"),
        (changed("seen", ["1 2", "1", "", "3"]), "'seen': expected list of number, found text"),
        (changed("seen", [["1"]] * 4), "'seen': expected list of number, found list of text"),
        (LOG.drop(["shelf"]).append_column("more", pa.nulls(4)),
         "'shelf': expected text, found nothing; "
         "'more': expected nothing, found without any value"),
        (LOG.drop(["device", "seen"]),
         "'device': expected record, found nothing; 'device.kind': expected text, found nothing; "
         "'seen': expected list of number, found nothing"),
    ],
    ids=["gone", "renamed", "type", "flag", "no list", "other list", "swapped", "several"],
)  # fmt: skip
def test_anything_else_is_refused_in_a_line_with_every_difference(shelf, table, words):
    with pytest.raises(Refused) as refusal:
        shelf.take(TWO, table)
    assert str(refusal.value) == (
        f"{shelf.file(TWO)} has not the columns of the files imported for {ONE}: {words}. "
        "Mend the file or the profile's columns; or, if files are so from now on, import the day "
        "once with --accept-columns"
    )


def test_what_was_accepted_by_hand_is_expected_from_then_on(shelf):
    less = LOG.drop(["shelf"])
    assert shelf.take(TWO, less, accept=True) == []
    assert shelf.take(THREE, less) == []
    # The day before is compared with what came before it, not with what came later.
    with pytest.raises(Refused, match="'shelf': expected text"):
        shelf.take(ONE, less)


def test_a_day_delivered_again_is_held_against_its_own_first_delivery(shelf):
    with pytest.raises(Refused, match=f"imported for {ONE}: 'shelf': expected text"):
        shelf.take(ONE, LOG.drop(["shelf"]))


def test_every_file_of_a_day_has_to_have_them_and_the_one_that_has_not_is_named(tmp_path):
    made = Deliveries(tmp_path)
    text = PROFILE.replace('"log-{date}.parquet"', '["log-{date}.parquet", "log-{date}.*.parquet"]')
    (tmp_path / "daily.toml").write_text(text, encoding="utf-8")
    made.profile = load_profile(str(tmp_path / "daily.toml"))
    more = LOG.append_column("colour", pa.array(["red"] * 4))
    assert made.take(ONE, LOG, more) == []
    # Only one of the files has it, so it is not expected of all; but as text, where it is.
    assert made.take(TWO, more, LOG) == []
    with pytest.raises(Refused, match="'colour': expected text, found number"):
        made.take(THREE, LOG, LOG.append_column("colour", pa.array([1] * 4)))
    with pytest.raises(Refused, match=re.escape(f"{made.file(THREE, '.1')} has not the columns")):
        made.take(THREE, LOG, LOG.drop(["seen"]))


def test_files_that_differ_among_themselves_promise_no_type(tmp_path):
    made = Deliveries(tmp_path)
    text = PROFILE.replace('"log-{date}.parquet"', '["log-{date}.parquet", "log-{date}.*.parquet"]')
    (tmp_path / "daily.toml").write_text(text, encoding="utf-8")
    made.profile = load_profile(str(tmp_path / "daily.toml"))
    mixed = (LOG, changed("shelf", [1, 2, 3, 4]))
    for day in (ONE, TWO, THREE):
        assert made.take(day, *mixed) == []


def test_of_other_files_nothing_is_expected(shelf, tmp_path):
    text = PROFILE.replace("log-{date}", "clicks-{date}")
    (tmp_path / "daily.toml").write_text(text, encoding="utf-8")
    shelf.profile = load_profile(str(tmp_path / "daily.toml"))
    pq.write_table(LOG.drop(["shelf"]), shelf.source / f"clicks-{TWO}.parquet")
    assert shelf.take(TWO) == []


def test_a_day_that_tells_nothing_of_its_columns_is_passed_over(shelf):
    shelf.take(TWO, LOG)
    partition = shelf.lake.partition("request_logs", TWO)
    (partition.folder() / FILE).write_text("{")
    with pytest.raises(Refused, match=f"imported for {ONE}"):
        shelf.take(THREE, LOG.drop(["shelf"]))
    (partition.path / "_manifest.json").write_text("{")
    with pytest.raises(Refused, match=f"imported for {ONE}"):
        shelf.take(THREE, LOG.drop(["shelf"]))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (pa.int8(), "number"),
        (pa.float16(), "number"),
        (pa.decimal128(9, 2), "number"),
        (pa.large_string(), "text"),
        (pa.dictionary(pa.int8(), pa.string()), "text"),
        (pa.date32(), "time"),
        (pa.timestamp("ns", "UTC"), "time"),
        (pa.large_list(pa.list_(pa.int64())), "list of list of number"),
        (pa.binary(), "binary"),
    ],
    ids=str,
)
def test_a_type_is_of_a_kind(kind, words):
    assert kind_of(kind) == words


def test_the_members_of_lists_of_records_are_lists():
    found = members(pa.schema([("seen", pa.list_(pa.struct([("sku", pa.int64())])))]))
    assert {name: kind_of(kind) for name, kind in found.items()} == {
        "seen": "list of record",
        "seen.sku": "list of number",
    }


def test_a_difference_names_both_sides_of_every_column():
    expected = {"a": "text", "b": "number", "colour": "text"}
    assert column_diff(expected, expected) == ""
    assert column_diff(expected, {"a": "text", "b": "text", "color": "text"}) == (
        "'b': expected number, found text; "
        "'colour': expected text, found nothing (is it 'color' now?); "
        "'color': expected nothing, found text"
    )


# --- through the import itself


def tinted(text: str) -> str:
    """The rows of a file with one column more."""
    head, *rows = text.splitlines()
    return "\n".join([f"{head},tint", *(f"{row},x" for row in rows)]) + "\n"


@pytest.mark.usefixtures("spark")
def test_an_import_says_a_new_column_once_and_refuses_one_that_went_away(tmp_path, capsys):
    made = shop(tmp_path)
    assert made.run("2026-01-31") == 0
    first = made.manifest("request_logs", "2026-01-31")
    assert "is taken as it is" not in capsys.readouterr().out
    log, packed = made.source / "log-1.csv", made.source / "log-2.csv.gz"
    log.write_text(tinted(HEADER + FIRST))
    packed.write_bytes(gzip.compress(tinted(HEADER + SECOND).encode()))
    assert made.run("2026-01-31") == 0
    said = f"{log} has a new column, and is taken as it is: 'tint' (text); nothing reads it"
    assert capsys.readouterr().out.count(said) == 1
    again = made.manifest("request_logs", "2026-01-31")
    assert (again.digest, again.rows) == (first.digest, first.rows)
    assert again.inputs != first.inputs

    before = made.manifest("request_logs", "2026-01-31")
    items = made.source / "items.tsv"
    items.write_text(items.read_text().replace("sku\tcolour", "sku\tcolor"))
    assert made.run("2026-01-31") == REFUSED
    refused = capsys.readouterr().err
    assert (
        f"{items} has not the columns of the files imported for 2026-01-31: 'colour': expected "
        "text, found nothing (is it 'color' now?); 'color': expected nothing, found text. "
    ) in refused
    assert refused.count("\n") == 1
    assert made.manifest("request_logs", "2026-01-31") == before
    log.write_text(HEADER + FIRST)
    items.write_text(items.read_text().replace("sku\tcolor", "sku\tcolour"))
    assert made.run("2026-01-31") == REFUSED
    said = f"{log} has not the columns of the files imported for 2026-01-31: 'tint': expected text"
    assert said in capsys.readouterr().err
    assert made.run("2026-01-31", "--accept-columns") == 0
