"""`jobs.train` in two real processes: the curve of one, equal steps, one line where one fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World

from jobs import train_rank
from jobs.build_examples import ITEMS, TRAINING, VALIDATION, VOCABULARY
from jobs.cli import FAILED, REFUSED
from jobs.lake import Partition
from jobs.publish import Publication
from model.layout import HISTORY
from model.vocabulary import Vocabulary

pytestmark = pytest.mark.processes
ROOT = Path(train_rank.__file__).parents[1]
SHARES = (0.02, 0.4, 0.1, 0.03, 0.45)
"""Of the rows, to five files: one of two processes has half as many as the other, or less."""
TOLERANCE = 0.01
"""Of a loss; two seeds of one process differ by four to seven times as much."""


def make_uneven(partition: Partition, fields) -> None:
    """Publish the examples again, in files of very different sizes."""
    folder, files = partition.folder(), partition.files()
    names = fields.user_tokens + fields.item_tokens
    inputs = partition.require("build_examples").inputs
    output = Publication(partition, step="by hand", inputs=inputs, parameters={})
    with output.attempt() as fresh:
        for split in (TRAINING, VALIDATION):
            rows = pa.concat_tables([pq.read_table(p) for p in files if p.name.startswith(split)])
            ends = np.round(np.cumsum((0, *SHARES)) * len(rows)).astype(int)
            for number, size in enumerate(np.diff(ends)):
                part = rows.slice(ends[number], size)
                pq.write_table(part, fresh / f"{split}-{number}.parquet")
        Vocabulary.load(folder / VOCABULARY, names).save(fresh / VOCABULARY)
        pq.write_table(pq.read_table(folder / ITEMS), fresh / ITEMS)
        output.publish(fresh, {})


@pytest.fixture(scope="module")
def uneven(toy, tmp_path_factory) -> World:
    world = toy.copy(tmp_path_factory.mktemp("uneven") / "lake")
    make_uneven(world.partition("examples", DAYS[2]), world.profile.fields)
    return world


def curve(world: World) -> list[float]:
    path = world.registry.folder(world.trained(DAYS[2])) / HISTORY
    epochs = json.loads(path.read_text())
    splits = [epoch[split] for epoch in epochs for split in ("training", "validation")]
    return [loss for split in splits for loss in split.values()]


def command(world: World, *flags: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the command with two processes; a hang would end it in four minutes."""
    where = ["--lake", str(world.root), "--profile", world.profile_name, "--date", str(DAYS[2])]
    paths = filter(None, [environment.pop("PYTHONPATH", ""), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "jobs.train", *where, "--processes", "2", *flags],
        env=os.environ | environment | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_two_processes_have_the_curve_of_one_by_either_launcher(uneven, spark, capsys):
    assert uneven.run("train", DAYS[2], "--force") == 0
    alone, first = uneven.trained(DAYS[2]), curve(uneven)
    done = command(uneven)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    assert [line.partition(": ")[2].partition(" ")[0] for line in said[:-1]] == ["epoch"] * 3 + [
        "cdm"
    ]
    together = uneven.trained(DAYS[2])
    assert together != alone
    assert curve(uneven) == pytest.approx(first, rel=TOLERANCE)
    assert uneven.run("train", DAYS[2], "--processes", "2") == 0
    assert f"unchanged: model {together}" in capsys.readouterr().out
    # The launcher is none of the model's business.
    assert (
        uneven.run("train", DAYS[2], "--processes", "2", "--distributor", "spark", "--force") == 0
    )
    assert uneven.trained(DAYS[2]) == together


def test_a_loss_that_diverges_is_one_line_and_publishes_nothing(uneven, tmp_path):
    text = Path(ROOT / "jobs" / "profiles" / "toy.toml").read_text()
    wild = tmp_path / "wild.toml"
    wild.write_text(text.replace("[training]", "[training]\nlearning_rate = 1e30"))
    before = uneven.trained(DAYS[2])
    done = command(World(uneven.root, wild))
    assert (done.returncode, done.stdout) == (REFUSED, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("train: refused: examples/dt=2026-01-03/teacher_id=mmr-")
    assert "the loss is nan in batch 2 of epoch 1; " in line
    assert line.endswith("several processes keep no state; lower training.learning_rate")
    assert uneven.trained(DAYS[2]) == before


ONE_DIES = """
import os

if os.environ.get("RANK") == "1":
    from torch import distributed

    join = distributed.init_process_group

    def joined_and_killed(*args, **options):
        join(*args, **options)
        os.kill(os.getpid(), 9)

    distributed.init_process_group = joined_and_killed
"""


def test_a_process_that_is_killed_ends_the_other_with_one_line(uneven, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ONE_DIES)
    before = uneven.trained(DAYS[2])
    done = command(uneven, "--force", PYTHONPATH=str(tmp_path))
    assert done.returncode == FAILED
    assert done.stderr == (
        "train: failed: a process of the training ended without a word; is there memory for them "
        "all?; nothing is half published\n"
    )
    assert uneven.trained(DAYS[2]) == before


@pytest.mark.parametrize("processes", [0, 17])
def test_more_processes_than_a_batch_has_requests_are_refused(toy, capsys, processes):
    assert toy.run("train", DAYS[2], "--processes", str(processes)) == REFUSED
    assert capsys.readouterr().err == (
        f"train: refused: --processes {processes} is not from 1 to 16, which is "
        "training.batch_size: each has a part of a batch. Give fewer or raise that\n"
    )
