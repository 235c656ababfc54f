"""The command: every part of the day, reruns, words, exit codes, and what it leaves behind."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from planted_lake import (
    DAY,
    GOOD,
    LOGS,
    failed,
    part,
    plant_rows,
    results,
    run,
    toy_lake,
)

from jobs.lake import Lake
from jobs.publish import Publication
from jobs.table_results import TableResults

NAN = float("nan")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return toy_lake(tmp_path)


# --- more than one fault, file, part, chunk


def test_all_faults_are_printed_and_the_first_is_the_message(lake, capsys):
    rows = copy.deepcopy(LOGS)
    for row in rows:
        row |= {"score": NAN, "user_id": None}
    plant_rows(lake, "request_logs", rows)
    assert run(lake, "request_logs") == 2
    told = capsys.readouterr()
    lines = [line for line in told.out.splitlines() if "FAILED" in line]
    assert [line.split(" found ")[1].split(":")[0] for line in lines] == ["5 of 5 not so"] * 2
    assert lines[0].startswith(f"validate {DAY}: FAILED request_logs.user_id: expected no null, ")
    assert told.err.count("\n") == 1
    assert "2 of 35 expectations do not hold" in told.err
    assert "(and 1 more, printed above)" in told.err
    assert told.err.count("null at request_id") == 3, "three examples are enough"
    remake = (
        f"python -m jobs.make_request_logs --lake {lake.root} --date {DAY} --profile ... --force"
    )
    assert remake in told.err


def test_of_several_tables_each_is_judged_and_each_fault_is_told(lake, capsys):
    bad = copy.deepcopy(LOGS)
    bad[0]["score"] = NAN
    plant_rows(lake, "request_logs", bad)
    plant_rows(lake, "rankings", GOOD["rankings"])
    tables = ("request_logs", "metrics", "rankings")
    assert run(lake, *tables) == 2
    told = capsys.readouterr()
    assert results(lake, "request_logs")
    assert f"rows in validations/dt={DAY}/of=rankings" in told.out
    assert told.err.startswith(f"validate: refused: request_logs/dt={DAY}: 1 of ")
    plant_rows(lake, "candidate_sets", [{**GOOD["candidate_sets"][0], "n_candidates": -1}])
    assert run(lake, "request_logs", "candidate_sets") == 2
    assert f"\ncandidate_sets/dt={DAY}: " in capsys.readouterr().err


def test_every_part_of_the_day_is_judged(lake, capsys):
    plant_rows(lake, "examples", GOOD["examples"], "none")
    plant_rows(lake, "examples", GOOD["examples"][:1], "mmr-1")
    assert run(lake, "examples") == 0
    rows = {(row["column"], row["expectation"]): row["rows"] for row in results(lake, "examples")}
    assert rows["request_id", "no null"] == 3, "the same request may stand in both parts"
    bad = copy.deepcopy(GOOD["examples"])
    bad[0]["n_candidates"] = None
    plant_rows(lake, "examples", bad, "none")
    assert run(lake, "examples") == 2
    assert failed(lake, "examples") == [("n_candidates", "no null")]
    assert "request_id 'r1', teacher_id none" in capsys.readouterr().err


def test_one_empty_part_is_not_hidden_by_the_other(lake):
    plant_rows(lake, "teacher_labels", GOOD["teacher_labels"], "a")
    plant_rows(lake, "teacher_labels", [], "b")
    assert run(lake, "teacher_labels") == 2
    assert failed(lake, "teacher_labels") == [("", "at least one row")]
    (row,) = [row for row in results(lake, "teacher_labels") if row["success"] == 0]
    assert row["observed"] == "0"


# --- reruns, days without the table, manners


def test_a_rerun_does_nothing_and_a_change_is_judged_again(lake, capsys, monkeypatch):
    plant_rows(lake, "promotions", GOOD["promotions"])
    assert run(lake, "promotions") == 0
    made = lake.partition("validations", DAY, of="promotions").manifest()
    with monkeypatch.context() as patch:
        patch.setattr(TableResults, "make", lambda *_: pytest.fail("judged again"))
        assert run(lake, "promotions") == 0
    assert lake.partition("validations", DAY, of="promotions").manifest() == made
    assert "unchanged" in capsys.readouterr().out
    assert run(lake, "promotions", "--force") == 0
    again_made = lake.partition("validations", DAY, of="promotions").manifest()
    assert (again_made.digest, again_made.recipe) == (made.digest, made.recipe)
    plant_rows(lake, "promotions", [GOOD["promotions"][0] | {"decision": "maybe"}])
    assert run(lake, "promotions") == 2


def test_a_failure_fails_again_in_the_same_words_until_it_is_mended(lake, capsys, monkeypatch):
    bad = [GOOD["promotions"][0] | {"decision": "maybe"}]
    plant_rows(lake, "promotions", bad)
    assert run(lake, "promotions") == 2
    first = capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr(TableResults, "make", lambda *_: pytest.fail("judged again"))
        assert run(lake, "promotions") == 2
    assert capsys.readouterr().err == first
    plant_rows(lake, "promotions", GOOD["promotions"])
    assert run(lake, "promotions") == 0


def test_what_the_steps_publish_passes(lake):
    for name in ("candidate_sets", "rankings"):
        output = Publication(part(lake, name), step="test", inputs={}, parameters={})
        output.publish_rows([pa.Table.from_pylist(GOOD[name])], {})
        assert run(lake, name) == 0


def test_a_day_without_the_table_is_nothing_to_do(lake, capsys):
    for name in ("rankings", "teacher_labels"):
        assert run(lake, name) == 99
    assert "there is no teacher_labels on 2026-01-31" in capsys.readouterr().out
    assert not lake.root.exists()


def test_a_damaged_file_is_named_and_nothing_is_published(lake, capsys):
    plant_rows(lake, "promotions", GOOD["promotions"])
    folder = part(lake, "promotions").folder()
    (folder / "part-0.parquet").write_bytes(b"not parquet")
    assert run(lake, "promotions") == 2
    assert "part-0.parquet is damaged" in capsys.readouterr().err
    assert not (lake.root / "validations").exists()


@pytest.mark.parametrize("name", ["validations", "models", "request_log", "../request_logs"])
def test_other_tables_are_refused_by_the_parser(name, lake, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(lake, name)
    assert "invalid choice" in capsys.readouterr().err


def test_a_run_is_quiet_leaves_nothing_behind_and_a_rerun_is_light(lake, tmp_path):
    plant_rows(lake, "promotions", GOOD["promotions"])
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    env = os.environ | {"HOME": str(home), "TMPDIR": str(temporary)}
    env.pop("GX_ANALYTICS_ENABLED", None)
    code = (
        "import sys; from jobs import validate; code = validate.main(sys.argv[1:]);"
        "print('gx' if 'great_expectations' in sys.modules else 'light'); sys.exit(code)"
    )
    flags = ["--lake", lake.root, "--date", DAY, "--profile", tmp_path / "toy.toml"]
    command = [sys.executable, "-c", code, *map(str, flags), "--table", "promotions"]
    for last in ("gx", "light"):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1] == last
    assert len(done.stdout.splitlines()) == 3
    assert [*home.rglob("*")] == [*temporary.rglob("*")] == []
