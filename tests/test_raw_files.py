"""Raw files: found by name, read in any format with every row's position, refused when damaged."""

import bz2
import gzip
import lzma
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from jobs.errors import Refused
from jobs.sources.config import RawColumn, RawFiles
from jobs.sources.patterns import find, named_for
from jobs.sources.raw_files import pieces, read
from jobs.sources.text_files import SWALLOWED

DAY = date(2026, 1, 31)
PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
# Line 3 is short, 4 and 5 are one row, 6 is blank, 7 is no text, 8 is long.
TEXT = b'a\tb\tc\n1\t2\t3\n4\t5\n6\t"x\ny"\t7\n\n8\t\xff\xfe\t9\n10\t11\t12\t13\n14\t\t16\n'


def files(*names: str, columns: tuple[str, ...] = ("a", "b"), **rest) -> RawFiles:
    return RawFiles(files=names, columns={name: RawColumn(column=name) for name in columns}, **rest)


def rows_of(raw: RawFiles, folder: Path, rows: int = 2) -> tuple[list[tuple], list[tuple]]:
    """Return (position, values) of the rows that are read, and the torn ones."""
    found, torn = [], []
    for piece in pieces(raw, find(raw, folder, DAY)):
        for batch in read(raw, piece, rows):
            assert len(batch.number) <= rows
            values = [tuple(row.values()) for row in batch.rows.to_pylist()]
            found += zip(batch.number, values, strict=True)
            torn += batch.torn
    return found, torn


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_text_with_lines_and_torn_rows(tmp_path, packed, rows):
    (tmp_path / f"x.tsv{packed}").write_bytes(PACK[packed](TEXT))
    found, torn = rows_of(files("x.tsv*"), tmp_path, rows)
    assert found == [(2, ("1", "2")), (4, ("6", "x\ny")), (9, ("14", ""))]
    assert torn == [
        (3, "not 3 columns", "2", "4 | 5"),
        (7, "bytes that are no text", "", "8 | \\udcff\\udcfe | 9"),
        (8, "not 3 columns", "4", "10 | 11 | 12 | 13"),
    ]


def test_a_byte_order_mark_other_delimiters_and_no_header(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbfa;b\n1;'2;3'\n")
    assert rows_of(files("x.csv", delimiter=";", quote="'"), tmp_path)[0] == [(2, ("1", "2;3"))]
    (tmp_path / "x.log").write_bytes(b'1|"2\n')
    raw = files("x.log", delimiter="|", quote="", header=False, names=("a", "b"))
    assert rows_of(raw, tmp_path)[0] == [(1, ("1", '"2'))]


def table() -> pa.Table:
    return pa.table({"a": range(7), "other": ["x"] * 7, "b": [str(n) for n in range(7)]})


def test_blocks_keep_the_rows_of_the_whole_file(tmp_path):
    pq.write_table(table(), tmp_path / "x.parquet", row_group_size=3)
    feather.write_feather(table(), tmp_path / "x.feather", chunksize=3)
    wanted = [(n + 1, (n, str(n))) for n in range(7)]
    for name in ("x.parquet", "x.feather"):
        assert len(pieces(files(name), [tmp_path / name])) == 3
        assert rows_of(files(name), tmp_path)[0] == wanted


def test_several_files_and_those_of_the_days_before(tmp_path):
    for name in ("logs-2026-01-31.csv", "logs-2026-01-29.csv", "logs-2026-01-30.csv", "b.csv"):
        (tmp_path / name).write_text("a,b\n")
    names = [path.name for path in find(files("b.csv", "logs-{date}.csv"), tmp_path, DAY, 1)]
    assert names == ["b.csv", "logs-2026-01-30.csv", "logs-2026-01-31.csv"]
    with pytest.raises(Refused, match=r"logs-2026-02-01.csv: there is no such file; put it there"):
        find(files("logs-{date}.csv"), tmp_path, date(2026, 2, 1))


def refusal(raw: RawFiles, folder: Path) -> str:
    with pytest.raises(Refused) as refused:
        rows_of(raw, folder)
    return str(refused.value)


def test_a_column_that_is_not_there(tmp_path):
    (tmp_path / "x.csv").write_text("a,bb\n1,2\n")
    pq.write_table(table(), tmp_path / "x.parquet")
    said = refusal(files("x.csv"), tmp_path)
    assert "x.csv: column 'b' is not there; the file has 'a', 'bb'. Change the profile's" in said
    assert "column 'c', 'd.e'" in refusal(files("x.parquet", columns=("c", "d.e")), tmp_path)


def test_a_wrong_delimiter_is_told_with_the_right_one(tmp_path):
    (tmp_path / "x.csv").write_text("a;b\n1;2\n")
    said = refusal(files("x.csv"), tmp_path)
    assert "x.csv: its first line, 'a;b', is one column here; write delimiter = ';'" in said
    assert len(pieces(files("x.csv", columns=("a;b",)), [tmp_path / "x.csv"])) == 1


def test_words_that_stand_for_a_missing_value(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n\\N,NULL\n,2\n")
    raw = files("x.csv", nulls=("\\N", "NULL"))
    assert rows_of(raw, tmp_path)[0] == [(2, (None, None)), (3, ("", "2"))]


def test_bytes_that_are_no_text_matter_only_where_they_are_read(tmp_path):
    (tmp_path / "x.csv").write_bytes("a,b,title\n1,2,ç\n".encode("latin-1"))
    assert rows_of(files("x.csv"), tmp_path) == ([(2, ("1", "2"))], [])
    wanted = ("a", "title")
    assert rows_of(files("x.csv", columns=wanted), tmp_path)[1][0][1] == "bytes that are no text"
    latin = files("x.csv", columns=wanted, encoding="latin-1")
    assert rows_of(latin, tmp_path) == ([(2, ("1", "ç"))], [])


@pytest.mark.parametrize("closing", ['3,4,"y"', '3,4",y'])
def test_rows_that_a_stray_quote_joins_are_told_line_by_line(tmp_path, closing):
    text = f'a,b,c\n1,"2,x\n{closing}\n5,"6\n7",8\n"9 ""or"" 10",11,12\n'
    (tmp_path / "x.csv").write_text(text)
    read_rows, torn = rows_of(files("x.csv"), tmp_path)
    assert read_rows == [(4, ("5", "6\n7")), (6, ('9 "or" 10', "11"))]
    assert [(line, text.strip()) for line, _, _, text in torn] == [(2, '1,"2,x'), (3, closing)]
    assert {reason for _, reason, _, _ in torn} == {SWALLOWED}


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "items.parquet").mkdir()
    said = refusal(files("items.parquet"), tmp_path)
    assert "there is no such file; it is a folder: items.parquet/*.parquet?" in said


def test_dates_in_names_are_written_as_the_profile_says(tmp_path):
    for name in ("20260131", "20260130"):
        (tmp_path / f"x{name}.csv").write_text("a,b\n1,2\n")
    raw = files("x{date}.csv", date_format="%Y%m%d")
    assert [path.name for path in find(raw, tmp_path, DAY)] == ["x20260131.csv"]
    assert named_for(raw, tmp_path, DAY) == {str(tmp_path / "x20260131.csv")}


def test_a_name_that_does_not_say_its_format(tmp_path):
    (tmp_path / "x.txt").write_text("a,b\n")
    assert "give format = parquet, feather, csv or tsv" in refusal(files("x.txt"), tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"", "is empty; fetch it again"),
        ("x.parquet", b"PAR1 and nothing PAR1", "is damaged or not of the format"),
        ("x.parquet", b"a,b\n1,2\n", "is damaged or not of the format"),
        ("x.feather", b"ARROW1\0\0 and nothing", "is damaged or not of the format"),
        ("x.csv.gz", b"a,b\n1,2\n", "is damaged or not of the format that the profile says: Not a"),
        ("x.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 999, mtime=0)[:-9], "is damaged"),
        ("x.csv", b'a,b\n1,"2\n' + b"3,4\n" * 1_200, "a quote is opened in line 2 and not closed"),
        ("x.csv", b'a,b\n0,0\n1,"2\n3,4\n5,6\n', "opened in line 3 and not closed at the end"),
        ("x.csv", b"a,b,b\n1,2,3\n", "column 'b' is there twice"),
    ],
)
def test_damage_names_the_file(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    said = refusal(files(name), tmp_path)
    assert said.startswith(str(tmp_path / name))
    assert words in said


def test_overwritten_parquet_is_refused_or_read_but_never_crashes(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(table(), path)
    whole = path.read_bytes()
    outcomes = set()
    for at in range(4, len(whole) - 8, 31):
        path.write_bytes(whole[:at] + bytes(b ^ 0xFF for b in whole[at : at + 9]) + whole[at + 9 :])
        try:
            rows_of(files("x.parquet"), tmp_path)
            outcomes.add("read")
        except Refused as refused:
            outcomes.add(str(refused).startswith(str(path)))
    assert outcomes == {"read", True}
