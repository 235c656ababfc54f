"""A training that is cut off ends at the same bits; a state of another, or damaged, is ignored."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from candidate_sets import batch
from test_training import QUICK, equal, learnable, make_model, weights

from model.batch import CandidateBatch
from model.cdm import CDM
from model.epochs import Epoch
from model.learning_config import TrainingConfig
from model.training import Diverged, fit
from model.training_run import TrainingRun
from model.unfinished import Unfinished

BATCHES = [learnable(seed) for seed in range(3)]
CONFIG = replace(QUICK, epochs=6, patience=6)


class Killed(BaseException):
    """What no code of ours may catch."""


class Place:
    """A folder of states and what was said about them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder / "unfinished", []

    def open(self, recipe: str = "r") -> Unfinished:
        return Unfinished(self.folder, recipe, self.said.append)

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    def train(
        self,
        config: TrainingConfig = CONFIG,
        report: Callable[[Epoch], None] = lambda epoch: None,
        recipe: str = "r",
        training: Callable[[int], list[CandidateBatch]] = lambda epoch: BATCHES,
        seed: int = 0,
    ) -> tuple[CDM, list[Epoch], list[int]]:
        """Train here; return the model, its history and the epochs that were trained."""
        model, trained = make_model(seed=seed), []

        def counted(epoch: int) -> list[CandidateBatch]:
            trained.append(epoch)
            return training(epoch)

        held_out = [batch([8, 5, 1], seed=9)]
        history = fit(
            model, counted, lambda: held_out, config, report, 3, unfinished=self.open(recipe)
        )
        return model, history, trained


def killed_in(epoch: int) -> Callable[[int], list[CandidateBatch]]:
    def training(number: int) -> list[CandidateBatch]:
        if number == epoch:
            raise Killed
        return BATCHES

    return training


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("epoch", [2, 5])
def test_a_run_that_was_cut_off_ends_at_the_same_bits(place, tmp_path, epoch, precision):
    config = replace(CONFIG, precision=precision)
    whole, history, _ = Place(tmp_path / "whole").train(config)
    with pytest.raises(Killed):
        place.train(config, training=killed_in(epoch))
    # Another process has other weights and another random stream until it goes on.
    torch.manual_seed(99)
    resumed, found, trained = place.train(config, seed=7)
    assert trained == list(range(epoch, 7))
    assert place.said == [f"an earlier run was cut off; going on after its epoch {epoch - 1}"]
    assert equal(weights(resumed), weights(whole))
    assert found == history


def test_a_run_cut_off_after_its_last_epoch_trains_no_more(place):
    config = replace(CONFIG, patience=2, learning_rate=0.3)
    whole, history, trained = place.train(config)
    assert len(trained) < config.epochs, "the case is about early stopping"
    resumed, found, again = place.train(config, seed=7)
    assert again == []
    assert equal(weights(resumed), weights(whole))
    assert found == history


def test_one_state_is_kept_and_it_is_no_pickle(place):
    for epoch in (2, 4):
        with pytest.raises(Killed):
            place.train(training=killed_in(epoch))
    (path,) = place.files()
    # Eight bytes of the header's length, then JSON.
    assert path.read_bytes()[8:9] == b"{"
    place.open().clear()
    assert not place.folder.exists()
    place.open().clear()


def test_a_kill_between_two_states_leaves_the_newer(place, monkeypatch):
    """Both files are there, as after a kill between rename and removal."""
    with pytest.raises(Killed):
        place.train(training=killed_in(2))
    (first,) = place.files()
    content = first.read_bytes()
    with pytest.raises(Killed):
        place.train(training=killed_in(4))
    first.write_bytes(content)
    (place.folder / ".half").write_bytes(b"not yet renamed")
    place.said.clear()
    _, _, trained = place.train()
    assert trained == [4, 5, 6]
    assert len(place.files()) == 1, "what a kill left lies there for good"


def test_a_state_of_another_recipe_is_named_and_ignored(place, tmp_path):
    with pytest.raises(Killed):
        place.train(training=killed_in(3), recipe="other")
    (path,) = place.files()
    model, _, trained = place.train()
    assert place.said == [f"{path} is left of another training, and ignored"]
    assert trained == [1, 2, 3, 4, 5, 6]
    assert equal(weights(model), weights(Place(tmp_path / "whole").train()[0]))


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "pickle"])
def test_a_damaged_state_is_named_and_ignored(place, tmp_path, harm):
    with pytest.raises(Killed):
        place.train(training=killed_in(3))
    (path,) = place.files()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    canary = tmp_path / "canary"
    harmful = pickle.dumps(Malicious(canary))
    path.write_bytes({"flip": content, "cut": content[:-9], "empty": b"", "pickle": harmful}[harm])
    _, _, trained = place.train()
    assert place.said == [
        f"{path} is damaged (its checksum is not the one in its name), and ignored"
    ]
    assert trained == [1, 2, 3, 4, 5, 6]
    assert not canary.exists()


def test_a_pickle_under_the_right_name_is_never_executed(place, tmp_path):
    place.folder.mkdir()
    canary = tmp_path / "canary"
    harmful = pickle.dumps(Malicious(canary))
    path = place.folder / f"{sha256(harmful).hexdigest()}.safetensors"
    path.write_bytes(harmful)
    assert place.train()[2] == [1, 2, 3, 4, 5, 6]
    (said,) = place.said
    assert said.startswith(f"{path} is damaged (")
    assert not canary.exists()
    pickle.loads(harmful)
    assert canary.exists(), "the case tests nothing"


class Malicious:
    """Writes a file wherever it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple:
        return Path.write_text, (self.canary, "executed")


def test_a_loss_that_is_nan_leaves_the_last_good_weights(place):
    broken = replace(BATCHES[0], dense=BATCHES[0].dense * float("nan"))

    def training(epoch: int) -> list[CandidateBatch]:
        return [BATCHES[0], broken] if epoch == 3 else BATCHES

    good, unfinished = [], place.open()
    model = make_model()
    with pytest.raises(Diverged, match="batch 2 of epoch 3"):
        fit(
            model, training, lambda: BATCHES, CONFIG,
            lambda epoch: good.append(weights(model)), 3, unfinished=unfinished,
        )  # fmt: skip
    assert unfinished.epoch == 2
    other = make_model(seed=7)
    fit(
        other, training, lambda: BATCHES, replace(CONFIG, epochs=2), lambda epoch: None, 3,
        unfinished=place.open(),
    )  # fmt: skip
    assert equal(weights(other), good[1])


def test_the_scale_of_half_precision_comes_back():
    """A power of two, so weights tell of it only once gradients have overflown."""
    config = replace(CONFIG, precision="float16")
    one, other = (TrainingRun(make_model(), config) for _ in range(2))
    one.scaler.load_state_dict(one.scaler.state_dict() | {"scale": 512.0, "_growth_tracker": 7})
    other.restore(one.tensors(), one.facts())
    assert other.scaler.state_dict() == one.scaler.state_dict()
    assert other.scaler.state_dict()["scale"] == 512.0
