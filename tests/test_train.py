"""The training command: it can be killed, goes on to the same weights, and refuses in one line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import World
from examples_lake import DAY, PROMOTED, ExamplesLake
from safetensors import SafetensorError

from jobs import train
from jobs.cli import FAILED, REFUSED
from jobs.errors import Refused
from jobs.load_model import open_model
from jobs.petastorm_feed import PetastormFeed
from jobs.scalars import values_of
from jobs.teacher import teacher_id
from model import unfinished
from model.batch import CandidateBatch
from model.epochs import Epoch, Losses, Quality
from model.learning_config import TrainingConfig

LONG = {"epochs": "40", "patience": "40"}
WAIT_S = 120


@pytest.fixture
def make_lake(tmp_path, profile_with) -> Callable[..., ExamplesLake]:
    """A lake of examples under the toy profile with some keys changed."""

    def make(name: str = "lake", **changed: str) -> ExamplesLake:
        return ExamplesLake(tmp_path / name, profile_with(**changed))

    return make


@pytest.fixture
def refused(capsys) -> Callable[..., str]:
    """Train; return the one line of the refusal, once no model is there."""

    def message(lake: ExamplesLake, *flags: str) -> str:
        assert train.main(lake.flags(*flags)) == REFUSED
        assert not lake.registry.trained(DAY)
        models = lake.lake.models
        left = [path for path in models.rglob("*") if path.is_file()] if models.exists() else []
        assert all(".unfinished" in path.parts for path in left)
        said = capsys.readouterr().err
        assert said.startswith("train: refused: ")
        assert said.count("\n") == 1
        return said

    return message


def test_a_model_is_trained_and_its_curve_told(make_lake, capsys):
    lake = make_lake()
    lake.put_examples()
    assert train.main(lake.flags()) == 0
    said = capsys.readouterr().out
    assert "train 2026-01-01: epoch 1 of at most 3: loss " in said
    folder = lake.registry.folder(lake.trained(DAY))
    history = json.loads((folder / "history.json").read_text())
    assert [epoch["epoch"] for epoch in history] == [1, 2, 3]
    for epoch in history:
        quality = epoch["quality"]
        assert set(quality) == set(Quality.__slots__)
        assert 0 <= min(quality["click_auc"], quality["win_auc"]) <= 1
        assert min(quality["click_calibration"], quality["win_calibration"]) > 0
    assert not list(lake.lake.models.glob(".unfinished/*")), "what is over leaves a state"
    assert train.main(lake.flags()) == 0
    assert "unchanged: model" in capsys.readouterr().out


def test_a_rerun_that_changes_nothing_does_without_torch(make_lake):
    lake = make_lake()
    lake.put_examples()
    assert train.main(lake.flags()) == 0
    script = f"""
import sys
from jobs import train
assert train.main({lake.flags()!r}) == 0
assert not {{"torch", "pyspark", "petastorm"}} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "unchanged: model" in done.stdout


def test_a_base_dcn_has_nothing_to_say_of_wins(make_lake):
    lake = make_lake()
    lake.put_examples(bootstrap=True)
    assert train.main(lake.flags("--bootstrap")) == 0
    version = lake.registry.trained(DAY, bootstrap=True).parameters["version"]
    history = json.loads((lake.registry.folder(version) / "history.json").read_text())
    assert history[0]["quality"]["win_auc"] is None
    assert history[0]["quality"]["click_auc"] is not None


# --- cut off


def states(lake: World) -> list[Path]:
    return sorted(lake.lake.models.glob(".unfinished/*/*.safetensors"))


def killed(lake: ExamplesLake, states_before: int) -> subprocess.Popen:
    """Start the command and kill it once it has kept so many states."""
    command = [sys.executable, "-m", "jobs.train", *lake.flags()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen, deadline = set(), time.monotonic() + WAIT_S
    while len(seen) < states_before and process.poll() is None and time.monotonic() < deadline:
        seen.update(states(lake))
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    return process


def test_a_process_that_is_killed_goes_on_to_the_same_version(make_lake, capsys):
    whole, cut = make_lake("whole", **LONG), make_lake("cut", **LONG)
    whole.put_examples()
    assert train.main(whole.flags()) == 0
    cut.put_examples()
    killed(cut, 2)
    assert not cut.registry.trained(DAY)
    assert states(cut)
    killed(cut, 2)
    capsys.readouterr()
    assert train.main(cut.flags()) == 0
    said = capsys.readouterr().out
    assert "train 2026-01-01: an earlier run was cut off; going on after its epoch " in said
    assert "epoch 1 of at most 40" not in said
    assert cut.trained(DAY) == whole.trained(DAY)
    histories = [
        (lake.registry.folder(lake.trained(DAY)) / "history.json").read_text()
        for lake in (whole, cut)
    ]
    assert histories[0] == histories[1]
    assert not states(cut)


def interrupted(lake: ExamplesLake, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Train until an epoch begins."""
    begin = PetastormFeed.epoch

    def stopping(feed: PetastormFeed, number: int, *, shuffle: bool) -> Iterator[CandidateBatch]:
        if shuffle and number == epoch:
            raise KeyboardInterrupt
        return begin(feed, number, shuffle=shuffle)

    with monkeypatch.context() as patch:
        patch.setattr(PetastormFeed, "epoch", stopping)
        with pytest.raises(KeyboardInterrupt):
            train.main(lake.flags())


def test_a_state_of_other_settings_or_damaged_is_named_and_ignored(make_lake, monkeypatch, capsys):
    lake, other = make_lake(), make_lake(batch_size="8")
    lake.put_examples()
    interrupted(other, monkeypatch, 3)
    (path,) = states(lake)
    interrupted(lake, monkeypatch, 3)
    assert f"{path} is left of another training, and ignored" in capsys.readouterr().out
    (path,) = states(lake)
    path.write_bytes(path.read_bytes()[:-1])
    assert train.main(lake.flags()) == 0
    said = capsys.readouterr().out
    assert f"{path} is damaged (its checksum is not the one in its name), and ignored" in said
    assert "epoch 1 of at most 3" in said
    assert not states(lake)


def test_a_state_of_the_same_rows_in_other_files_is_ignored(make_lake, monkeypatch, capsys):
    """Their digest is the same, and their order is not."""
    lake = make_lake()
    digest = lake.put_examples().manifest().digest
    interrupted(lake, monkeypatch, 3)
    (path,) = states(lake)
    assert lake.put_examples().manifest().digest == digest
    assert train.main(lake.flags()) == 0
    assert f"{path} is left of another training, and ignored" in capsys.readouterr().out


# --- refusals


def test_a_loss_that_is_nan_names_the_batch_the_feature_and_what_is_kept(
    make_lake, monkeypatch, refused
):
    lake = make_lake()
    lake.put_examples()
    begin = PetastormFeed.epoch

    def broken(feed: PetastormFeed, number: int, *, shuffle: bool) -> Iterator[CandidateBatch]:
        for at, batch in enumerate(begin(feed, number, shuffle=shuffle), start=1):
            harmed = shuffle and (number, at) == (3, 2)
            yield replace(batch, dense=batch.dense * float("nan")) if harmed else batch

    monkeypatch.setattr(PetastormFeed, "epoch", broken)
    said = refused(lake)
    place = lake.lake.models / ".unfinished" / "2026-01-01"
    assert said.endswith(
        "the loss is nan in batch 2 of epoch 3; not finite there: dense feature 'score'; the "
        f"weights after epoch 2 are kept in {place}; build the examples again\n"
    )
    assert len(states(lake)) == 1


def test_a_loss_that_runs_away_says_that_the_input_is_fine(make_lake, refused):
    lake = make_lake(epochs="3\nlearning_rate = 1e30")
    lake.put_examples()
    said = refused(lake)
    assert "in batch 2 of epoch 1; every value in it is finite; no epoch was over" in said
    assert said.endswith("so no weights are kept; lower training.learning_rate\n")


def test_a_model_is_not_read_with_a_dense_feature_of_another_name(make_lake):
    lake = make_lake()
    lake.put_examples()
    assert train.main(lake.flags()) == 0
    folder, fields = lake.registry.folder(lake.trained(DAY)), lake.profile.fields
    assert open_model(folder, fields)
    with pytest.raises(Refused) as refusal:
        open_model(folder, replace(fields, dense=("price",)))
    assert str(refusal.value) == (
        f"{folder} was trained on the dense features ('score',), and the profile has ('price',); "
        "train again under this profile"
    )


def test_examples_of_other_labels_than_configured_are_refused(make_lake, refused):
    lake = make_lake()
    examples = lake.put_examples(labels="mmr-ffffffffff")
    name = teacher_id(lake.profile.teacher, lake.profile.policy, PROMOTED)
    said = refused(lake)
    assert f"{examples.name} was not made from teacher_labels/dt=2026-01-01/teacher_id={name}" in (
        said
    )
    assert f"under model {PROMOTED}; make it again: python -m jobs.build_examples" in said


def test_examples_of_another_promoted_model_are_not_taken(make_lake, refused):
    lake = make_lake()
    lake.put_examples()
    lake.promote("ba9876543210")
    name = teacher_id(lake.profile.teacher, lake.profile.policy, "ba9876543210")
    assert f"examples/dt=2026-01-01/teacher_id={name} is not in" in refused(lake)


@pytest.mark.parametrize(("winners", "told"), [(None, "every candidate"), (0, "no candidate")])
def test_labels_without_a_choice_are_refused(make_lake, refused, winners, told):
    """As where no request has more than K candidates."""
    lake = make_lake()
    lake.put_examples(winners=winners)
    assert f"the teacher picked {told} of " in refused(lake)


@pytest.mark.parametrize("selection", ["hard", "relaxed", "straight_through", "threshold"])
def test_requests_with_fewer_candidates_than_k_are_learned_from(make_lake, selection):
    """Contexts of four and five picks, of requests of one to three candidates."""
    lake = make_lake(context_size=f'4\nselection = "{selection}"')
    lake.put_examples(candidates=(1, 3), winners=1)
    assert train.main(lake.flags()) == 0
    assert lake.registry.trained(DAY).counts["epochs"] == 3


def test_a_gpu_that_is_not_there_is_refused(make_lake, refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    lake = make_lake(epochs='3\ndevice = "cuda"')
    lake.put_examples()
    assert "training.device = 'cuda' is not available here" in refused(lake)


def test_half_precision_is_another_model(make_lake):
    versions = set()
    for precision in ("float32", "bfloat16", "float16"):
        lake = make_lake(precision, epochs=f'3\nprecision = "{precision}"')
        lake.put_examples()
        assert train.main(lake.flags()) == 0
        versions.add(lake.trained(DAY))
    assert len(versions) == 3


def test_a_state_that_cannot_be_written_is_one_line(make_lake, monkeypatch, capsys):
    def full(*args: object, **kwargs: object) -> None:
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(unfinished, "save_file", full)
    lake = make_lake()
    lake.put_examples()
    assert train.main(lake.flags()) == FAILED
    said = capsys.readouterr().err
    assert "cannot be written (No space left on device); free are " in said
    assert said.count("\n") == 1
    assert not lake.registry.trained(DAY)


# --- TensorBoard


def test_scalars_are_every_number_of_an_epoch():
    epoch = Epoch(1, Losses(1.0, 2.0, 4.0), Losses(2.0, 3.0, 5.0), Quality(1.25, 0.75))
    assert values_of(epoch, TrainingConfig(beta_kd=0.5, beta_nce=0.25)) == {
        "loss_click/training": 1.0,
        "loss_distillation/training": 2.0,
        "loss_contrastive/training": 4.0,
        "loss_total/training": 3.0,
        "loss_click/held_out": 2.0,
        "loss_distillation/held_out": 3.0,
        "loss_contrastive/held_out": 5.0,
        "loss_total/held_out": 4.75,
        "calibration/click": 1.25,
        "auc/click": 0.75,
    }


def test_without_tensorboard_the_flag_is_refused(make_lake, refused, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    lake = make_lake()
    lake.put_examples()
    said = refused(lake, "--tensorboard", str(tmp_path / "board"))
    assert f"--tensorboard {tmp_path / 'board'}: tensorboard is not installed" in said
    assert "pip install tensorboard, or leave the flag out" in said
    assert not (tmp_path / "board").exists()


def test_tensorboard_reads_what_was_written(make_lake, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    lake = make_lake()
    lake.put_examples()
    assert train.main(lake.flags("--tensorboard", str(tmp_path / "board"))) == 0
    board = EventAccumulator(str(tmp_path / "board"))
    board.Reload()
    history = json.loads((lake.registry.folder(lake.trained(DAY)) / "history.json").read_text())
    found = [(event.step, event.value) for event in board.Scalars("auc/click")]
    assert found == [
        (epoch["epoch"], pytest.approx(epoch["quality"]["click_auc"])) for epoch in history
    ]
