"""python -m jobs.profile --sample: which files are read and how, and what the command refuses."""

import bz2
import gzip
import lzma
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from jobs.profile.__main__ import main
from jobs.profile.sample import read_sample

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize(
    ("text", "delimiter", "quote", "last"),
    [
        ('a,b\n"x, y",1\n"z",2\n', ",", '"', ["x, y", "z"]),
        ('a,b\n"two\nlines",1\n"z",2\n', ",", '"', ["two\nlines", "z"]),
        ('a\tb\n"x\t1\ny\t2\n"z\t3\n', "\t", "", ['"x', "y", '"z']),
        ("a;b\n1,5;1\n2,5;2\n", ";", '"', ["1,5", "2,5"]),
        ("a|b\nx|1\n\ny|2\n", "|", '"', ["x", "y"]),
        ("a\tb\n" + "x\t1\n" * 40 + '"y\t2"z\nw\t3\n', "\t", "", ["x"] * 40 + ['"y', "w"]),
        ("a,b\n" + "x,1\n" * 40 + '"y, z",2\n', ",", '"', ["x"] * 40 + ["y, z"]),
        ("a,b\n" + "x,1\n" * 40 + '"y\nz",2\n', ",", '"', ["x"] * 40 + ["y\nz"]),
    ],
    ids=[
        "quoted",
        "over lines",
        "quotes are text",
        "decimal commas",
        "a blank line",
        "a few quotes are text",
        "a few are quoted",
        "a few over lines",
    ],
)
def test_delimiter_and_quote_are_those_that_give_equal_rows(folder, text, delimiter, quote, last):
    (folder / "some.txt").write_text(text)
    sample = read_sample(folder / "some.txt")
    assert (sample.delimiter, sample.quote) == (delimiter, quote)
    assert sample.columns["a"] == last


def test_the_few_lines_that_are_no_text_are_left_out(folder):
    rows = [b"item,kind", *[b"N%d,news" % n for n in range(40)], b"N77,caf\xe9"]
    (folder / "some.csv").write_bytes(b"\n".join(rows))
    sample = read_sample(folder / "some.csv")
    assert (sample.encoding, sample.rows) == ("utf-8", 40)
    assert set(sample.columns["kind"]) == {"news"}


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        ("item,kind\nN1,café\nN2,tea\n".encode("latin-1"), "latin-1"),
        (("item,größe\n" + "N1,7\n" * 90).encode("latin-1"), "latin-1"),
        ("item,größe\nN1,café\n".encode("utf-16"), "utf-16"),
        ("item,größe\nN1,café\n".encode("utf-8-sig"), "utf-8"),
    ],
    ids=["many rows", "the header", "utf-16", "a byte order mark"],
)
def test_another_encoding_is_told_by_bytes_that_are_no_text(folder, rows, encoding):
    (folder / "some.csv").write_bytes(rows)
    sample = read_sample(folder / "some.csv")
    assert sample.encoding == encoding
    assert sample.columns["item"][0] == "N1"
    assert list(sample.columns)[1] in ("kind", "größe")
    assert next(iter(sample.columns.values()))[0] == "N1"


def test_words_beside_other_values_stand_for_missing_ones(folder):
    rows = "item,brand,all,price\n1,\\N,NULL,NA\n2,x,NULL,\n3,y,NULL,8\n"
    (folder / "some.csv").write_text(rows)
    sample = read_sample(folder / "some.csv")
    assert sample.nulls == ("\\N", "NA")
    assert sample.columns["brand"] == [None, "x", "y"]
    assert sample.columns["price"] == [None, None, "8"]
    assert sample.columns["all"] == ["NULL"] * 3


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
        ("item, kind\nN1, news\nN2, sport\n", True),
        ("@item,Übersicht,kind?,€ net\nN1,x,news,1\nN2,y,sport,2\n", True),
    ],
)
def test_a_header_is_told_from_a_row(folder, text, has_header):
    (folder / "some.csv").write_text(text)
    sample = read_sample(folder / "some.csv")
    assert sample.header is has_header
    assert "" not in sample.columns


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty; give a file that has rows"),
        ("a.csv", b"user_id,item_id\n", "has no rows; give a file that has some"),
        ("a.csv", b"one\ntwo\n", "none of ',', '\\t', ';', '|' cuts its lines into equally many"),
        ("a.csv", b"a,b\n\0,2\n", "cannot be read: it is no text; give a file of rows"),
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
    assert err.count("\n") == 1


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_file_is_read_and_one_that_is_cut_short_is_refused(folder, capsys, ending):
    text = "user_id,item_id\n" + "".join(f"{n},{n * n % 977}\n" for n in range(5000))
    packed = PACK[ending](text.encode())
    (folder / f"log.csv{ending}").write_bytes(packed)
    sample = read_sample(folder / f"log.csv{ending}")
    assert (sample.format, sample.rows, list(sample.columns)) == (
        "csv", 2000, ["user_id", "item_id"],
    )  # fmt: skip
    (folder / f"cut.csv{ending}").write_bytes(packed[:300])
    assert main(["--sample", f"raw/cut.csv{ending}"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"profile: refused: raw/cut.csv{ending} cannot be read: ")
    assert err.count("\n") == 1


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


def test_one_of_the_modes_is_asked_for_and_help_shows_all(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for flags, words in (
        ([], "one of the arguments --check --sample --keys is required"),
        (["--check", "a.toml", "--sample", "b.csv"], "not allowed with argument --check"),
        (
            ["--check", "toy", "--out", "a.toml"],
            "argument --out: only allowed with argument --sample",
        ),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(flags)
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    assert "examples:\n  python -m jobs.profile --keys source.logs\n" in printed
    assert "\n  python -m jobs.profile --check my.toml\n" in printed
    assert "  python -m jobs.profile --sample raw/clicks.csv --sample raw/items.csv" in printed
