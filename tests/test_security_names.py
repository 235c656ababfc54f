"""Names that others chose: none leaves its folder, runs as a command or moves a cursor."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DAYS
from explained_lake import DAY as EXPLAINED
from explained_lake import ExplainedLake
from raw_shop import HEADER
from raw_shop import shop as raw_shop
from shop_lake import ITEMS

from jobs import explain, status
from jobs.cli import REFUSED, parse_lake
from jobs.errors import Refused
from jobs.lake import parse_day
from jobs.printable import printable
from jobs.profile import __main__ as draft
from jobs.profile.load import load_profile

ROOT = Path(explain.__file__).parents[1]
ESCAPES = "\x1b[2J\x1b]0;owned\x07\r\n\u202egnp"
"""Clears a screen, renames a window, begins a line, and turns what follows around."""
TOY = (ROOT / "jobs" / "profiles" / "toy.toml").read_text(encoding="utf-8")


@pytest.fixture
def written(tmp_path):
    """Write the toy profile with a text of it changed; return what loading it says."""

    def says(old: str, new: str) -> str:
        assert old in TOY
        path = tmp_path / "my.toml"
        path.write_text(TOY.replace(old, new), encoding="utf-8")
        with pytest.raises(Refused) as refusal:
            load_profile(str(path))
        return str(refusal.value)

    return says


# --- fields are columns and files


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/x", "a/b", "..", "", "a b", "a\\nb", "$(touch x)", "a\\u0000b", "a.b"]
)
@pytest.mark.parametrize("line", ['item = ["category", "brand"]', 'context = ["query"]'])
def test_a_field_is_a_plain_word(written, name, line):
    said = written(line, line.replace('"]', f'", "{name}"]'))
    assert f"fields.{line.partition(' ')[0]} has " in said
    assert "; a name is letters, digits and _, a letter first" in said
    assert said.isprintable()


def test_a_dense_feature_is_a_plain_word(written):
    assert "fields.dense has '../x'; a name is " in written('dense = ["score"]', 'dense = ["../x"]')


@pytest.mark.parametrize("name", ["label", "dt", "SCORE", "dense_inputs", "n_candidates"])
def test_a_field_is_no_column_that_is_there_already(written, name):
    said = written('"brand"]', f'"{name}"]')
    assert f"fields.item has {name!r}, which the logs have already, or another field" in said


def test_a_field_comes_once_whatever_its_case(written):
    said = written('context = ["query"]', 'context = ["Brand"]')
    assert "fields.context has 'Brand', which the logs have already, or another field" in said


# --- dates, lakes and files


@pytest.mark.parametrize(
    "text",
    ["../../x", "2026-01-01/../..", "2026-01-01\n", " 2026-01-01", "$(touch x)", "2026-13-01"],
)
def test_a_date_is_parsed_and_never_glued(text):
    with pytest.raises(Refused, match="is no day of the calendar; write it as 2026-01-31"):
        parse_day(text)


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2J", "a\0b", "a*", "${HOME}", ""])
def test_a_lake_is_a_folder_that_can_be_printed(text):
    with pytest.raises(Refused, match="is no folder that every engine can read"):
        parse_lake(text)


@pytest.mark.parametrize("name", ["../toy", "toy/../toy", "/etc/passwd", "$(touch x)", "toy\n"])
def test_a_profile_is_one_that_is_shipped_or_a_toml_file(name):
    with pytest.raises(Refused, match="is not shipped"):
        load_profile(name)


def test_what_a_shell_would_run_is_a_name(tmp_path):
    """Lake, profile and raw files of a name that is a command: the folder of that name is used."""
    name = "a; touch $(touch canary) `touch canary` & b"
    work = tmp_path / name
    work.mkdir()
    (work / "my.toml").write_text(TOY, encoding="utf-8")
    command = [sys.executable, "-m", "jobs.ingest", "--lake", str(work / "lake")]
    command += ["--date", str(DAYS[0]), "--profile", str(work / "my.toml")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (work / "lake" / "request_logs" / f"dt={DAYS[0]}").is_dir()
    assert not list(tmp_path.rglob("canary"))


# --- what a terminal is given


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\u202eabc\u200b", r"\u202eabc\u200b"),
        ("\u2028\x85\x9b", r"\u2028\x85\x9b"),
        ("\udc80", r"\udc80"),
        ("Größe 寿司 \N{NO-BREAK SPACE}é", "Größe 寿司 \N{NO-BREAK SPACE}é"),
    ],
)
def test_what_moves_the_cursor_is_shown(text, shown):
    assert printable(text) == shown


def harmless(printed: str) -> bool:
    return printable(printed, keep="\n") == printed


def test_explain_shows_hostile_ids_and_queries(tmp_path, capsys):
    shop = ExplainedLake(tmp_path)
    shop.sets(EXPLAINED, ["r1", f"r2{ESCAPES}"], dict(zip(ITEMS, [ESCAPES, *"abcde"], strict=True)))
    shop.label()
    assert shop.explain("--request", "r1") == 0
    assert shop.explain() == 0
    printed = capsys.readouterr().out
    assert harmless(printed)
    assert printable(ESCAPES)[:10] in printed
    assert shop.explain("--request", f"x{ESCAPES}") == REFUSED
    said = capsys.readouterr().err
    assert harmless(said)
    assert said.count("\n") == 1


def test_an_import_and_a_draft_show_hostile_values(tmp_path, capsys, spark):
    made = raw_shop(tmp_path)
    hostile = ESCAPES.replace("\n", "").replace("\r", "")
    log = made.source / f"log-{hostile}.csv"
    log.write_text(f"{HEADER}r9{hostile},ann,home,2026-01-31 10:00,x,{hostile},1,0\n")
    made.run("2026-01-31")
    told = capsys.readouterr()
    assert harmless(told.out)
    assert harmless(told.err)
    assert printable(hostile) in told.out
    assert draft.main(["--sample", str(log)]) in (0, REFUSED)
    told = capsys.readouterr()
    assert harmless(told.out.replace("\t", ""))
    assert harmless(told.err)


def test_status_shows_a_hostile_folder(tmp_path, capsys):
    folder = tmp_path / f"x{ESCAPES.replace(chr(10), '')}"
    assert status.main(["--lake", str(folder), "--profile", "toy"]) == REFUSED
    assert harmless(capsys.readouterr().err)
    assert status.main(["--lake", str(tmp_path), "--profile", ESCAPES]) == REFUSED
    said = capsys.readouterr().err
    assert harmless(said)
    assert said.count("\n") == 1
