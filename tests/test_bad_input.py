"""Every kind of bad input: one message that names file, column and value; nothing published."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ebnerd_folder import IMPRESSIONS, behaviors, tables, write_folder

from jobs import import_logs, ingest
from jobs.cli import REFUSED
from jobs.errors import Refused
from jobs.lake import Lake, parse_day
from jobs.profile.load import load_profile
from schemas.table import Fields
from schemas.tables import declare

DAY = parse_day("2023-05-18")
FIELDS = Fields(request_id="int64", item=("brand",), context=("tab",), dense=("score",))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "raw")


@pytest.fixture
def refused(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture):
    """Import the folder; return the one message, once nothing of the lake has changed."""

    def message(*flags: str, profile: str = "ebnerd", day: str = "2023-05-18") -> str:
        lake = tmp_path / "lake"
        before = published(lake)
        given = flags or ("--source", str(source))
        rc = ingest.main(["--lake", str(lake), "--date", day, "--profile", profile, *given])
        printed = capsys.readouterr().err
        assert rc == REFUSED
        assert published(lake) == before
        assert printed.startswith("import_logs: refused: ")
        assert printed.count("\n") == 1
        return printed

    return message


def published(lake: Path) -> dict[Path, bytes]:
    """Return every file under the lake, and every version folder."""
    return {p: p.read_bytes() if p.is_file() else b"" for p in lake.rglob("*")}


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


# --- the raw files


def test_a_folder_that_is_not_there(refused, tmp_path):
    said = refused("--source", str(tmp_path / "nowhere"))
    assert f"{tmp_path / 'nowhere'} is no folder" in said
    assert "--source DIR or as source.path in the profile" in said


def test_missing_files_are_named_together(refused, source):
    (source / "behaviors.parquet").unlink()
    (source / "premium_articles.from_x.parquet").unlink()
    said = refused()
    assert f"{source}: behaviors.parquet is missing; premium_articles*.parquet is missing" in said
    assert "name another folder with --source DIR" in said


def test_two_files_for_one_role(refused, source):
    (source / "premium_articles.parquet").write_bytes(b"")
    fits = "premium_articles.from_x.parquet, premium_articles.parquet; keep one of them"
    assert f"premium_articles*.parquet fits {fits}" in refused()


def test_missing_columns_and_wrong_types_are_named_together(refused, source):
    bad = behaviors().drop(["user_id"])
    bad = with_column(bad, "impression_time", pc.cast(bad["impression_time"], pa.string()))
    bad = with_column(bad, "impression_id", pc.cast(bad["impression_id"], pa.float64()))
    write_folder(source, behaviors=bad)
    said = refused()
    assert f"{source / 'behaviors.parquet'}: " in said
    assert "column 'impression_id' is double, not integer" in said
    assert "column 'user_id' is missing" in said
    assert "column 'impression_time' is string, not timestamp" in said
    assert "Found are impression_id, article_id, impression_time, read_time" in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("behaviors", lambda whole: b""),
        ("behaviors", lambda whole: whole[: len(whole) // 2]),
        ("behaviors", lambda whole: b"PK34" + whole[4:-4] + b"PK34"),
        ("behaviors", lambda whole: whole[:4] + b"\x00" * (len(whole) - 8) + whole[-4:]),
        ("behaviors", lambda whole: whole.replace(b"user_id", b"us\xff\xff_id")),
        ("history", lambda whole: whole[:-1]),
        ("article_length.from_x", lambda whole: b"article_id,article_length\n1,2\n"),
    ],
    ids=[
        "zero bytes",
        "cut in half",
        "wrong magic",
        "zeroed",
        "garbled name",
        "one byte short",
        "a csv",
    ],
)
def test_damaged_parquet(refused, source, name, content):
    path = source / f"{name}.parquet"
    path.write_bytes(content(path.read_bytes()))
    said = refused()
    assert f"{path} ({path.stat().st_size:,} bytes) is damaged or no parquet file: " in said
    assert said.endswith("Fetch it again\n")


def test_overwritten_data_pages_are_refused_or_read_but_never_crash(source, tmp_path):
    path = source / "behaviors.parquet"
    whole = path.read_bytes()
    flags = ["--date", "2023-05-18", "--profile", "ebnerd", "--source", str(source)]
    for at in range(4, len(whole) - 8, 151):
        path.write_bytes(whole[:at] + bytes(b ^ 0xFF for b in whole[at : at + 9]) + whole[at + 9 :])
        assert import_logs.main(["--lake", str(tmp_path / f"at{at}"), *flags]) in (0, REFUSED)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("premium", float("nan"), "row 1: nan is not a finite number. Allowed: finite number or"),
        ("premium", float("inf"), "row 1: inf is not a finite number."),
        ("premium", float("-inf"), "row 1: -inf is not a finite number."),
        ("premium", 0.5, "row 1: 0.5 is neither 0 nor 1. Mend or remove that row"),
    ],
)
def test_a_value_that_is_no_number(refused, source, column, value, words):
    table = tables()["premium_articles.from_x.parquet"]
    values = table[column].to_pylist()
    values[1] = value
    write_folder(source, premium=with_column(table, column, pa.array(values, pa.float64())))
    assert f"premium_articles.from_x.parquet: column '{column}', {words}" in refused()


def test_a_negative_length(refused, source):
    table = pa.table({"article_id": [1, 2], "article_length": [10, -3]})
    write_folder(source, article=table)
    assert "column 'article_length', row 1: -3.0 is below 0" in refused()


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("user_id", [None] + [1] * 8, "row 0: None is not allowed. Allowed: integer."),
        ("impression_id", [7, 8, 7, 9, 10, 11, 12, 13, 14], "row 0: 7 stands in 2 rows."),
        ("article_ids_inview", [[1]] * 3 + [[None]] + [[1]] * 5, "row 3: None is in the list"),
        ("article_ids_inview", [[1]] * 8 + [None], "row 8: None is not allowed"),
    ],
)
def test_nulls_and_doubled_ids(refused, source, column, values, words):
    bad = behaviors()
    kind = bad.schema.field(column).type
    write_folder(source, behaviors=with_column(bad, column, pa.array(values, kind)))
    assert f"behaviors.parquet: column '{column}', {words}" in refused()


def test_an_id_beyond_64_bits(refused, source):
    bad = with_column(behaviors(), "user_id", pa.array([2**64 - 1] + [1] * 8, pa.uint64()))
    write_folder(source, behaviors=bad)
    said = refused()
    assert "column 'user_id' holds a value that is no integer of 64 bits" in said
    assert "18446744073709551615" in said


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((105, 2, "2023-05-18 08:10:00", [4, 5, 4], []), "inview', row 8: 4 is shown twice"),
        ((105, 2, "2023-05-18 08:10:00", [4, 5], [6]), "clicked', row 8: 6 was clicked but is not"),
    ],
)
def test_lists_that_contradict_themselves(refused, source, row, words):
    write_folder(source, behaviors=behaviors([*IMPRESSIONS[1:], row]))
    assert f"behaviors.parquet: column 'article_ids_{words}" in refused()


def test_an_item_that_is_described_twice(refused, source):
    table = pa.table({"article_id": [1, 2, 1], "premium": [1.0, 0.0, 0.0]})
    write_folder(source, premium=table)
    assert "column 'article_id', row 0: 1 stands in 2 rows. Every row needs its own" in refused()


def test_an_empty_day_and_an_empty_file(refused, source):
    said = refused(day="2023-05-30")
    assert "behaviors.parquet: column 'impression_time' has nothing on 2023-05-30" in said
    assert "it holds 2023-05-18T07:00 to 2023-05-19T07:00. Give another --date" in said
    write_folder(source, behaviors=behaviors([]))
    assert "it holds no rows at all" in refused()
    assert "has nothing on 9999-12-31 (24 hours from 07:00 UTC on)" in refused(day="9999-12-31")


def test_a_day_without_any_candidates(refused, source):
    write_folder(source, behaviors=behaviors(IMPRESSIONS[1:2]))
    said = refused()
    assert "no impression of 2023-05-18 has two candidates from the 60 minutes before it" in said


def test_a_refusal_leaves_the_published_day_as_it_was(refused, source, tmp_path):
    flags = ["--lake", str(tmp_path / "lake"), "--date", "2023-05-18", "--profile", "ebnerd"]
    assert import_logs.main([*flags, "--source", str(source)]) == 0
    assert published(tmp_path / "lake")
    (source / "history.parquet").write_bytes(b"")
    refused()
    refused("--force", "--source", str(source))


# --- the command's own arguments


@pytest.mark.parametrize("day", ["2026-02-30", "../x", "2026-1-1", "20260101", "", "2026-01-01/.."])
def test_a_date_that_is_none(day, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        ingest.main(["--lake", str(tmp_path), "--date", day, "--profile", "ebnerd"])
    assert stop.value.code == REFUSED
    words = f"argument --date: date {day!r} is no day of the calendar; write it as 2026-01-31"
    assert words in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("lake", ["", "  ", "a\0b"])
def test_a_lake_that_is_no_name(lake, capsys):
    with pytest.raises(SystemExit) as stop:
        ingest.main(["--lake", lake, "--date", "2023-05-18", "--profile", "ebnerd"])
    assert stop.value.code == REFUSED
    assert f"argument --lake: lake {lake!r} is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("below", ["", "deep/er"])
def test_a_lake_where_a_file_is(below, source, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    flags = ["--lake", str(tmp_path / "file" / below), "--date", "2023-05-18"]
    assert import_logs.main([*flags, "--profile", "ebnerd", "--source", str(source)]) == REFUSED
    assert f"{tmp_path / 'file'} is a file; give a folder as --lake" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_lake_name_that_is_too_long(source, capsys):
    flags = ["--lake", "x" * 300, "--date", "2023-05-18", "--profile", "ebnerd"]
    assert import_logs.main([*flags, "--source", str(source)]) == REFUSED
    assert "cannot be a folder (File name too long); give another --lake" in capsys.readouterr().err


def test_partition_keys_cannot_leave_the_lake(tmp_path):
    lake = Lake(tmp_path, declare(FIELDS, 8))
    for value in ("../../x", "a/b", "", "."):
        with pytest.raises(Refused, match=re.escape(f"teacher_id {value!r} may hold only")):
            lake.partition("teacher_labels", DAY, teacher_id=value)


def profile_file(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    fields = '[fields]\nrequest_id = "int64"\n'
    path.write_text(f'name = "mine"\n{fields}{text}', encoding="utf-8")
    return str(path)


def test_a_profile_without_a_source(refused, tmp_path):
    profile = profile_file(tmp_path, '[source]\nkind = "ebnerd"\n')
    said = refused("--force", profile=profile)
    assert "profile 'mine' names no source.path; give the folder of the raw files" in said


def test_a_profile_whose_fields_the_source_has_not(refused, source, tmp_path):
    profile = profile_file(tmp_path, 'item = ["brand"]\n[source]\nkind = "ebnerd"\n')
    said = refused("--source", str(source), profile=profile)
    assert "fields.item has 'brand', which a source of kind 'ebnerd' has not" in said
    assert "it has premium, article_length" in said


def test_a_simulated_profile_is_not_imported(tmp_path, capsys):
    flags = ["--lake", str(tmp_path), "--date", "2026-01-01", "--profile", "jingdong"]
    assert import_logs.main(flags) == REFUSED
    assert "source.kind = 'simulated'; run python -m jobs.simulate_logs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[source]\nkind = "mind"\n', "source.kind = 'mind' is not allowed; it must be one of"),
        ("[source]\npool_minutes = 0\n", "source.pool_minutes = 0 is not allowed; it must be from"),
        ('[source]\npool_minutes = "60"\n', "source.pool_minutes = '60' must be"),
        ('[source]\npaths = "x"\n', "unknown key source.paths; did you mean source.path?"),
    ],
)
def test_a_source_section_that_is_wrong(tmp_path, text, words):
    with pytest.raises(Refused, match=re.escape(words)):
        load_profile(profile_file(tmp_path, text))
