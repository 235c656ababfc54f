"""What benchmarks.backfill_under_fire kills, and what it makes of the labels afterwards."""

import os
import subprocess
import sys
import time

import pytest
from conftest import DAYS

from benchmarks.backfill_under_fire import account, build_parser, labels
from benchmarks.killer import KINDS, Killer, commands, parent

SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
def command(tmp_path):
    """A process that is to all appearance a label task of a lake."""

    def start(day, lake=tmp_path):
        environment = os.environ | {"CDM_RUN_LAKE": str(lake), "CDM_RUN_DAY": day}
        process = subprocess.Popen(
            [sys.executable, "-c", SLEEPER, "-m", "jobs.label_candidates"],
            env=environment,
            stdout=subprocess.PIPE,
        )
        process.stdout.readline()
        started.append(process)
        return process

    started = []
    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_label_tasks_of_a_lake_are_found_and_no_others(command, tmp_path):
    one, two = command("2026-01-01"), command("2026-01-02")
    command("2026-01-03", tmp_path / "another")
    assert commands(tmp_path) == {"2026-01-01": one.pid, "2026-01-02": two.pid}
    assert parent(one.pid) == os.getpid()


def test_a_chosen_day_is_killed_once_and_the_others_live(command, tmp_path):
    killed, spared = command("2026-01-01"), command("2026-01-02")
    killer = Killer(tmp_path, {"2026-01-01": ("command", 0.2)})
    killer.start()
    assert killed.wait(60) == -9
    again = command("2026-01-01")
    time.sleep(0.5)
    killer.stop()
    assert (again.poll(), spared.poll()) == (None, None)
    (line,) = killer.told
    assert line.startswith("2026-01-01  command     killed 0.")


def test_what_ended_before_its_moment_is_told(command, tmp_path):
    process = command("2026-01-01")
    killer = Killer(tmp_path, {"2026-01-01": ("both", 600.0)})
    killer.start()
    time.sleep(0.5)
    process.kill()
    process.wait()
    killer.join(60)
    assert killer.told == ["2026-01-01  both        not killed, it had ended"]


def test_a_third_is_drawn_by_the_seed_and_every_kind_is_there(tmp_path):
    days = [f"2026-01-{n:02d}" for n in range(1, 15)]
    one, same, other = (Killer.drawn(tmp_path, days, 1 / 3, 30.0, seed) for seed in (1, 1, 2))
    assert one.delays == same.delays != other.delays
    assert len(one.delays) == 5
    assert {kind for kind, _ in one.delays.values()} == set(KINDS)
    assert all(0 <= delay <= 30 for _, delay in one.delays.values())


def test_labels_are_those_of_one_model_by_digest_rows_and_files(toy):
    version = toy.registry.promoted(DAYS[0])
    found = labels(toy.root, version)
    live = toy.partition("teacher_labels", DAYS[0])
    name, manifest = live.name, live.manifest()
    assert found[name] == (manifest.digest, manifest.rows, len(manifest.files))
    assert all(part.startswith(("teacher_labels/", "unlabelled/")) for part in found)
    assert labels(toy.root, "000000000000") == {}


def test_the_account_counts_what_is_the_same_and_what_is_not():
    tasks = [
        {"map_index": place, "try_number": tries, "state": "success"}
        for place, tries in ((-1, 1), (0, 1), (1, 2))
    ]
    told = [
        "2026-01-02  task  killed 1.0 s after its command was seen",
        "2026-01-01  x  not killed",
    ]
    peace = {"a": ["d1", 80, 1], "b": ["d2", 0, 1]}
    text = account(tasks, told, peace, {"a": ("d1", 80, 1), "b": ("d3", 0, 1), "c": ()}, "sqlite")
    assert "2 days, 1 of them killed, 3 tries in all:\n" in text
    assert "\n1 of 2 partitions have the digest, " in text
    assert "\n1 partitions that it has not\n" in text
    assert "  a: d1, 80 rows\n" in text


def test_the_example_is_one_that_the_parser_takes():
    parser = build_parser()
    words = parser.epilog.split("benchmarks.backfill_under_fire ")[1].split()
    assert parser.parse_args(words).days == 14
