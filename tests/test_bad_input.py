"""Bad input to a command: one message that says what to do, and nothing published or lost."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from ebnerd_folder import behaviors, write_folder

from jobs import import_logs, ingest
from jobs.cli import REFUSED
from jobs.errors import Refused
from jobs.lake import Lake, parse_day
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
    """Return every file under the lake."""
    return {path: path.read_bytes() for path in lake.rglob("*") if path.is_file()}


# --- the raw files; what is in them is test_raw_files' and test_log_rows' concern


def test_a_folder_that_is_not_there(refused, tmp_path):
    said = refused("--source", str(tmp_path / "nowhere"))
    assert f"{tmp_path / 'nowhere'} is no folder" in said
    assert "--source DIR or as source.path in the profile" in said


def test_a_file_that_is_not_there(refused, source):
    (source / "behaviors.parquet").unlink()
    said = refused()
    assert f"{source / 'behaviors.parquet'}: there is no such file; put it there, or" in said


def test_a_column_that_is_not_there(refused, source, spark):
    write_folder(source, behaviors=behaviors().drop(["user_id"]))
    said = refused()
    assert f"{source / 'behaviors.parquet'}: column 'user_id' is not there; the file has" in said


def test_too_many_rows_that_cannot_be_used(refused, source, spark):
    bad = behaviors()
    users = pa.array([None, *bad["user_id"].to_pylist()[1:]], pa.uint32())
    at = bad.schema.get_field_index("user_id")
    write_folder(source, behaviors=bad.set_column(at, "user_id", users))
    said = refused()
    assert (
        "1 of 8 source rows of the day (besides 4 of requests with too few candidates) cannot"
        in said
    )
    assert "more than source.max_quarantined = " in said
    assert "1 quarantined: user_id is missing (first behaviors.parquet:1)" in said


def test_a_refusal_leaves_the_published_day_as_it_was(refused, source, tmp_path, spark):
    flags = ["--lake", str(tmp_path / "lake"), "--date", "2023-05-18", "--profile", "ebnerd"]
    assert import_logs.main([*flags, "--source", str(source)]) == 0
    assert published(tmp_path / "lake")
    (source / "history.parquet").write_bytes(b"")
    assert "history.parquet is empty; fetch it again" in refused()
    refused("--force", "--source", str(source))


def test_a_simulated_profile_is_not_imported(tmp_path, capsys):
    flags = ["--lake", str(tmp_path), "--date", "2026-01-01", "--profile", "jingdong"]
    assert import_logs.main(flags) == REFUSED
    assert "source.kind = 'simulated'; run python -m jobs.simulate_logs" in capsys.readouterr().err


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
