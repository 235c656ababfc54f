"""python -m jobs.profile --sample: which files are read and how, and what the command refuses."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from jobs.profile.__main__ import main
from jobs.profile.content import Content, id_kind
from jobs.profile.sample import read_sample


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with a folder of raw files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def test_a_gzipped_file_is_read_and_of_a_long_one_only_its_head(folder):
    text = "user_id,item_id\n" + "1,2\n" * 5000
    (folder / "log.csv.gz").write_bytes(gzip.compress(text.encode()))
    sample = read_sample(folder / "log.csv.gz")
    assert (sample.format, sample.rows, list(sample.columns)) == (
        "csv", 2000, ["user_id", "item_id"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "delimiter", "quote", "last"),
    [
        ('a,b\n"x, y",1\n"z",2\n', ",", '"', ["x, y", "z"]),
        ('a,b\n"two\nlines",1\n"z",2\n', ",", '"', ["two\nlines", "z"]),
        ('a\tb\n"x\t1\ny\t2\n"z\t3\n', "\t", "", ['"x', "y", '"z']),
        ("a;b\n1,5;1\n2,5;2\n", ";", '"', ["1,5", "2,5"]),
        ("a|b\nx|1\n\ny|2\n", "|", '"', ["x", "y"]),
    ],
    ids=["quoted", "over lines", "quotes are text", "decimal commas", "a blank line"],
)
def test_delimiter_and_quote_are_those_that_give_equal_rows(folder, text, delimiter, quote, last):
    (folder / "some.txt").write_text(text)
    sample = read_sample(folder / "some.txt")
    assert (sample.delimiter, sample.quote) == (delimiter, quote)
    assert sample.columns["a"] == last


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_list_of_structs_is_a_list_for_each_member(folder, kind):
    shown = pa.array([[{"item": 3, "click": 1}, None], None])
    write = {"parquet": pq.write_table, "feather": feather.write_feather}[kind]
    write(pa.table({"shown": shown}), folder / f"log.{kind}")
    sample = read_sample(folder / f"log.{kind}")
    assert (sample.format, sample.rows) == (kind, 2)
    assert sample.columns == {"shown.item": [[3, None], None], "shown.click": [[1, None], None]}


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("item,kind\nN1,news\nN2,sport\n", True),
        ("N9,weather\nN1,news\nN2,sport\n", False),
        ("one,sport\ntwo,news\nthree,sport\n", False),
        ("1,news\n2,sport\n", False),
        ("name,name\nx,y\n", False),
        (",item,kind\n0,N1,news\n1,N2,sport\n", True),
    ],
)
def test_a_header_is_told_from_a_row(folder, text, has_header):
    (folder / "some.csv").write_text(text)
    sample = read_sample(folder / "some.csv")
    assert sample.header is has_header
    assert "" not in sample.columns


def test_a_list_in_a_string_has_parts_that_look_alike():
    assert Content("c", ["N1 N2 N3", "N4", "N5 N6"]).lists[0] == ["N1", "N2", "N3"]
    assert Content("c", ["1_2_3", "4_5"]).cut == "_"
    assert Content("c", ["1_2_3", "4_5"]).numbers == []
    for no_list in (["12_3", "45_6"], ["2026-01-01 10:00:00"], ["a b c"], ["Apollo 13 of 1995"]):
        assert Content("c", no_list).cut == ""


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
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty; give a file that has rows"),
        ("a.csv", b"user_id,item_id\n", "has no rows; give a file that has some"),
        ("a.csv", b"one\ntwo\n", "none of ',', '\\t', ';', '|' cuts its lines into equally many"),
        ("a.csv", b"a,b\n\xff,2\n", "cannot be read: 'utf-8' codec can't decode byte 0xff"),
        ("a.parquet", b"PAR1", "cannot be read: "),
        ("a.csv.gz", b"a,b\n1,2\n", "cannot be read: Not a gzipped file"),
    ],
)
def test_a_file_that_is_no_sample_is_refused(folder, capsys, name, content, words):
    (folder / name).write_bytes(content)
    assert main(["--sample", f"raw/{name}"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"profile: refused: raw/{name}")
    assert words in err


def test_a_draft_never_replaces_a_file_and_is_a_toml_file(folder, capsys):
    (folder / "log.csv").write_text("user_id,item_id\n1,2\n")
    Path("my.toml").write_text("name = 1\n")
    flags = ["--sample", "raw/log.csv", "--out"]
    assert main([*flags, "my.toml"]) == 2
    assert (
        "my.toml is there already; give another --out, or move it away" in capsys.readouterr().err
    )
    assert Path("my.toml").read_text() == "name = 1\n"
    assert main([*flags, "my.txt"]) == 2
    assert "my.txt would be no profile; give an --out that ends in .toml" in capsys.readouterr().err
    assert not Path("my.txt").exists()


def test_one_of_the_two_modes_is_asked_for_and_help_shows_both(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for flags, words in (
        ([], "one of the arguments --check --sample is required"),
        (["--check", "a.toml", "--sample", "b.csv"], "not allowed with argument --check"),
        (
            ["--check", "toy", "--out", "a.toml"],
            "argument --out: not allowed with argument --check",
        ),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(flags)
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    assert "examples:\n  python -m jobs.profile --check my.toml\n" in printed
    assert "  python -m jobs.profile --sample raw/clicks.csv --sample raw/items.csv" in printed
