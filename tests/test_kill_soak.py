"""A dozen kills of steps without Spark, and what the soak tells of lakes that are wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DAYS, World

from benchmarks.kill_points import Points, run_step
from benchmarks.kill_soak import Known, summary
from benchmarks.kill_verdict import broken, differences, files, shown, visible

DAY = ("--profile", "toy", "--date", str(DAYS[1]))
SCENARIOS = {
    "ingest-again": ("ingest", (*DAY, "--requests", "70"), None),
    "score-fresh": ("score", DAY, "rankings"),
    "validate-fresh": ("validate", (*DAY, "--table", "metrics"), "validations"),
    "promote-by-hand": (
        "promote",
        (*DAY, "--decision", "hold", "--who", "ann", "--why", "x", "--when", "2026-01-03T09:00Z"),
        None,
    ),
    "train-again": ("train", (*DAY, "--force"), None),
    "report-fresh": ("report", DAY, "reports"),
}


def test_a_dozen_kills_leave_nothing_wrong(toy, tmp_path):
    made = []
    for name, (step, flags, missing) in SCENARIOS.items():
        world = toy.copy(tmp_path / name / "lake")
        if missing == "reports":
            shutil.rmtree(world.root / missing)
        elif missing:
            shutil.rmtree(world.root / missing / f"dt={DAYS[1]}")
        made.append([name, step, flags, str(tmp_path / name)])
    (tmp_path / "scenarios.json").write_text(json.dumps(made))
    command = [sys.executable, "-m", "benchmarks.kill_soak", "--out", str(tmp_path), "--kills"]
    for kills in ("5", "12"):  # The second goes on with the first.
        done = subprocess.run([*command, kills], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in (tmp_path / "kills.jsonl").read_text().splitlines()]
    assert [line["scenario"] for line in lines] == [*SCENARIOS] * 2
    assert {line["verdict"] for line in lines} == {"ok"}
    assert done.stdout.count("12 kills of live steps, 0 left anything wrong") == 1


@pytest.fixture
def day(tmp_path) -> World:
    """A simulated day."""
    world = World(tmp_path / "lake")
    assert world.run("simulate_logs", DAYS[0]) == 0
    return world


def test_a_step_ends_at_the_point_that_it_is_to_end_at(tmp_path):
    flags = ["--profile", "toy", "--date", str(DAYS[0])]
    met, lake = tmp_path / "points", tmp_path / "lake"
    argv = ["--lake", str(lake), *flags]
    log = tmp_path / "log"
    assert run_step("simulate_logs", argv, log, Points(lake, met)).code == 0
    points = met.read_text().splitlines()
    pointer = "truth_requests/dt=2026-01-01/_manifest.json"
    place = f"truth_requests/dt=2026-01-01/.lease/*/_manifest.json.part to {pointer}"
    for when, is_there in (("before", False), ("after", True)):
        shutil.rmtree(lake)
        at = points.index(f"{when} replace {place}") + 1
        assert run_step("simulate_logs", argv, log, Points(lake, met, at)).code == -9
        assert met.read_text() == f"{when} replace {place}"
        assert (lake / pointer).exists() is is_there
    shutil.rmtree(lake)
    assert run_step("simulate_logs", argv, log, kill_after=0.0).code == -9
    assert not lake.exists() or not list(lake.rglob("_manifest.json"))


def damage(folder: Path) -> None:
    (folder / "part-0.parquet").write_bytes(b"PAR1")


def stray(folder: Path) -> None:
    (folder / "part-1.parquet").write_bytes(b"PAR1")


def lose(folder: Path) -> None:
    """A manifest that says of the files what is so, and of their rows what is not."""
    path = folder.parent / "_manifest.json"
    made = json.loads(path.read_text())
    path.write_text(json.dumps(made | {"rows": made["rows"] + 1}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (damage, "is damaged"),
        (stray, "files that its manifest does not name"),
        (lose, "the rows are not those of its manifest"),
    ],
)
def test_what_is_wrong_with_a_live_version_is_told(day, change, words):
    before = shown(day.root)
    assert broken(day.root, {}) == []
    change(day.partition("request_logs", DAYS[0]).folder())
    (wrong,) = broken(day.root, before)
    assert wrong.startswith("request_logs/dt=2026-01-01: ")
    assert words in wrong


def test_a_version_is_none_old_or_new_and_anything_else_is_wrong(day):
    old = shown(day.root)
    assert day.run("simulate_logs", DAYS[0], "--requests", "70") == 0
    new = shown(day.root)
    assert visible(old, old, new) == (dict.fromkeys(old, "old"), [])
    assert visible(new, old, new) == (dict.fromkeys(old, "new"), [])
    assert visible({}, {}, new) == (dict.fromkeys(old, "none"), [])
    assert len(visible({}, old, new)[1]) == 3
    assert visible(old, {}, new)[1][0].endswith(" is neither what it was nor what it is to be")
    assert differences(new, new) == []
    assert len(differences(old, new)) == 3


def test_a_version_folder_too_many_is_counted(day):
    there = files(day.root)
    live = day.partition("request_logs", DAYS[0]).folder()
    shutil.copytree(live, live.with_name("v=0123456789ab"))
    assert files(day.root) - there == {"request_logs/dt=2026-01-01/v=*/part-0.parquet": 1}


def test_the_summary_counts_what_readers_saw():
    known = Known.__new__(Known)
    known.scenario = type("Named", (), {"name": "score-fresh"})()
    known.no_op = 0.25
    lines = [
        {"scenario": "score-fresh", "at": "after replace x", "visible": {"a": "old"}},
        {"scenario": "score-fresh", "at": "0.50 of its time", "visible": {"a": "old", "b": "new"}},
    ]
    text = summary([{**line, "verdict": "ok"} for line in lines], [known])
    assert text.startswith("2 kills of live steps, 0 left anything wrong")
    assert "score-fresh      2      1     0    1    0      1      0      0.2" in text
    text = summary([{**line, "verdict": "b differs"} for line in lines], [known])
    assert text.startswith("2 kills of live steps, 2 left anything wrong")
