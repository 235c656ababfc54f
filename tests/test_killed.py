"""Processes of a Spark step killed in mid-run: what was live stays, a rerun makes the rest.

Each script runs the real step; its first task to have written its file kills one process before the
driver hears of that file.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DAYS, World

from jobs.lake import Partition

SCRIPT = """
import sys
from pathlib import Path

import psutil

import jobs.{step} as step


class Killing(step.{task}):
    def __call__(self, batches):
        for told in super().__call__(batches):
            try:
                Path({mark!r}).touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                {victim}.kill()
            yield told


step.{task} = Killing
sys.exit(step.main())
"""
WORKER, JVM, DRIVER = (
    "psutil.Process()",
    "psutil.Process().parents()[1]",
    "psutil.Process().parents()[2]",
)
"""A worker is forked by a daemon, which a JVM started; on one machine the driver started that."""
STEPS = pytest.mark.parametrize(
    ("step", "task", "table"),
    [
        ("build_candidates", "CandidateTask", "candidate_sets"),
        ("label_candidates", "LabelTask", "teacher_labels"),
    ],
)


def flags(world: World) -> list[str]:
    return ["--lake", str(world.root), "--profile", "toy", "--date", str(DAYS[1]), "--force"]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def killing(world: World, folder: Path, step: str, task: str, victim: str, master: str):
    """Run a step of which one process is killed."""
    script, mark = folder / "killing.py", folder / "killed"
    script.write_text(SCRIPT.format(step=step, task=task, victim=victim, mark=str(mark)))
    done = run([sys.executable, str(script), *flags(world), "--master", master], folder)
    assert mark.exists(), done.stderr
    return done


def assert_made_again(world: World, toy: World, table: str) -> None:
    """Another version is live than in the copied lake, of the same content and no other files."""
    made, before = world.partition(table, DAYS[1]), toy.partition(table, DAYS[1])
    assert made.manifest().folder != before.manifest().folder
    assert made.manifest().digest == before.manifest().digest
    assert_only_its_own_files(made)


def assert_only_its_own_files(partition: Partition) -> None:
    live = partition.manifest()
    there = [path for path in (partition.path / live.folder).rglob("*") if path.is_file()]
    assert len(there) == len(live.files)


@STEPS
def test_an_executor_that_is_killed_costs_time_alone(toy, tmp_path, step, task, table):
    world = toy.copy(tmp_path / "lake")
    done = killing(world, tmp_path, step, task, JVM, "local-cluster[2,1,1024]")
    assert done.returncode == 0, done.stderr
    assert_made_again(world, toy, table)


@STEPS
def test_a_driver_that_is_killed_publishes_nothing_and_a_rerun_makes_it(
    toy, tmp_path, step, task, table
):
    world = toy.copy(tmp_path / "lake")
    done = killing(world, tmp_path, step, task, DRIVER, "local[2]")
    assert done.returncode == -9
    live = world.partition(table, DAYS[1]).manifest()
    assert live == toy.partition(table, DAYS[1]).manifest()
    assert run([sys.executable, "-m", f"jobs.{step}", *flags(world)], tmp_path).returncode == 0
    assert_made_again(world, toy, table)


def test_a_worker_that_is_killed_is_one_message(toy, tmp_path):
    world = toy.copy(tmp_path / "lake")
    done = killing(world, tmp_path, "label_candidates", "LabelTask", WORKER, "local[2]")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "label_candidates: failed: a Python worker of Spark ended without a word, most likely "
        "killed for want of memory; run the step again, and if it dies again with --master "
        "'local[1]'; nothing is half published"
    )
    live = world.partition("teacher_labels", DAYS[1]).manifest()
    assert live == toy.partition("teacher_labels", DAYS[1]).manifest()
