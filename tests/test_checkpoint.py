"""A model version on disk: the same model comes back, or one message that names the folder."""

import io
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from candidate_sets import ITEM_SIZES, USER_SIZES, batch, shape

from model import checkpoint
from model.cdm import CDM
from model.checkpoint import BadCheckpoint, load, version_of
from model.learning_config import ModelConfig
from model.vocabulary import Vocabulary

USER, ITEM = ("user_id", "query"), ("item_id", "category")
CONFIG = ModelConfig(embedding_width=4, width=6, hidden=(8, 8), context_size=3, embedding_std=0.5)
ABOUT = {"kind": "cdm", "day": "2026-01-01", "user_tokens": USER, "item_tokens": ITEM}


def make_vocabulary(**other: pa.Array) -> Vocabulary:
    tokens = {
        "user_id": pa.array(range(USER_SIZES[0] - 2), pa.int64()),
        "query": pa.array(["shoes", "tea"]),
        "item_id": pa.array(range(100, 98 + ITEM_SIZES[0]), pa.int64()),
        "category": pa.array([f"c{i}" for i in range(ITEM_SIZES[1] - 2)]),
    }
    return Vocabulary(tokens | other, np.array([0.5, -2.0]), np.array([1.0, 3.0]))


def make_model(win_rate: float = 0.2, seed: int = 0) -> CDM:
    torch.manual_seed(seed)
    return CDM(shape(win_rate), CONFIG)


def save(
    tmp_path: Path,
    model: CDM | None = None,
    config: ModelConfig = CONFIG,
    vocabulary: Vocabulary | None = None,
    about: dict | None = None,
    history: tuple = (),
    win_rate: float = 0.2,
) -> Path:
    """Write a checkpoint under its version, as the registry does."""
    folder = tmp_path / "attempt"
    version = checkpoint.save(
        folder,
        model or make_model(win_rate),
        shape(win_rate),
        config,
        vocabulary or make_vocabulary(),
        about or ABOUT,
        list(history),
    )
    return folder.rename(tmp_path / version)


def renamed(folder: Path) -> Path:
    """Give a tampered checkpoint the name of its content, as a forger would."""
    return folder.rename(folder.parent / version_of(folder))


@pytest.mark.parametrize("win_rate", [0.2, 0.0])
def test_the_same_model_comes_back(tmp_path, win_rate):
    model, drawn = make_model(win_rate), batch([5, 9])
    model.calibrate_export([drawn], 4.0)
    folder = save(tmp_path, model, win_rate=win_rate)
    loaded, vocabulary = load(folder, USER, ITEM)
    assert not loaded.training
    assert loaded.has_student == bool(win_rate)
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    for found, expected in zip(loaded.score(drawn), model.score(drawn), strict=True):
        assert expected is None or torch.equal(found, expected)
    vectors = model.item_vectors(drawn.item_tokens)
    assert torch.equal(loaded.item_vectors(drawn.item_tokens), vectors)
    for name, tokens in make_vocabulary().tokens.items():
        assert vocabulary.tokens[name].equals(tokens)


def test_a_setting_comes_back(tmp_path):
    chosen = replace(CONFIG, cross="v2", selection="relaxed", score_feature=True, landmarks=4)
    torch.manual_seed(0)
    model, drawn = CDM(shape(), chosen), batch([5, 9])
    folder = save(tmp_path, model, chosen)
    loaded, _ = load(folder, USER, ITEM)
    for found, expected in zip(loaded.score(drawn), model.score(drawn), strict=True):
        assert torch.equal(found, expected)
    assert json.loads((folder / "config.json").read_text())["model"]["cross"] == "v2"


def test_the_files_are_no_pickles(tmp_path):
    folder = save(tmp_path, history=({"epoch": 1},))
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "weights.safetensors",
        "config.json",
        "history.json",
        "vocabulary/user_id.parquet",
        "vocabulary/query.parquet",
        "vocabulary/item_id.parquet",
        "vocabulary/category.parquet",
        "vocabulary/dense_inputs.parquet",
    }
    assert json.loads((folder / "history.json").read_text()) == [{"epoch": 1}]
    assert json.loads((folder / "config.json").read_text())["about"]["day"] == "2026-01-01"


def test_a_folder_is_never_written_over(tmp_path):
    (tmp_path / "attempt").mkdir()
    with pytest.raises(FileExistsError):
        save(tmp_path)


def test_the_version_is_a_function_of_the_content(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = save(tmp_path / "one"), save(tmp_path / "two", history=({"epoch": 1},))
    assert one.name == two.name, "neither the place nor the history is part of a version"
    assert len(one.name) == 12
    assert int(one.name, 16) >= 0


def test_any_change_changes_the_version(tmp_path):
    nudged = make_model()
    with torch.no_grad():
        bias = nudged.student.win_bias
        bias.copy_(torch.nextafter(bias, torch.tensor(9.0)))
    rescaled = make_model()
    rescaled.export_scale.fill_(1.5)
    changed = [
        {},
        {"model": nudged},
        {"model": rescaled},
        {"config": replace(CONFIG, similarity_scale=5.0)},
        {"about": ABOUT | {"day": "2026-01-02"}},
        {"vocabulary": make_vocabulary(query=pa.array(["shoes", "te"]))},
        {"vocabulary": make_vocabulary(query=pa.array(["tea", "shoes"]))},
        {"vocabulary": replace(make_vocabulary(), dense_mean=np.array([0.5, -2.5]))},
    ]
    versions = set()
    for number, change in enumerate(changed):
        (tmp_path / str(number)).mkdir()
        versions.add(save(tmp_path / str(number), **change).name)
    assert len(versions) == len(changed)


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json", "vocabulary/query.parquet"])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "gone"])
def test_damage_is_told_by_folder(tmp_path, name, harm):
    folder = save(tmp_path)
    path = folder / name
    content = bytearray(path.read_bytes())
    if harm == "gone":
        path.unlink()
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes({"flip": content, "cut": content[:-1], "empty": b""}[harm])
    with pytest.raises(BadCheckpoint) as caught:
        load(folder, USER, ITEM)
    assert str(folder) in str(caught.value)


def test_a_missing_folder_is_told_with_the_next_move(tmp_path):
    with pytest.raises(BadCheckpoint, match=r"0123456789ab cannot be loaded .* --force"):
        load(tmp_path / "0123456789ab", USER, ITEM)


def test_a_model_of_other_fields_is_refused_with_both_sets(tmp_path):
    folder = save(tmp_path)
    with pytest.raises(BadCheckpoint, match=r"'category'.*'brand'.*train again") as caught:
        load(folder, USER, ("item_id", "brand"))
    assert str(folder) in str(caught.value)
    with pytest.raises(BadCheckpoint):
        load(folder, ("query", "user_id"), ITEM)


class Malicious:
    """Writes a file wherever it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple:
        return Path.write_text, (self.canary, "executed")


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_pickle_in_place_of_weights_is_never_executed(tmp_path, how):
    canary = tmp_path / "canary"
    if how == "pickle":
        harmful = pickle.dumps(Malicious(canary))
    else:
        stream = io.BytesIO()
        torch.save({"weights": Malicious(canary)}, stream)
        harmful = stream.getvalue()
    folder = save(tmp_path)
    (folder / checkpoint.WEIGHTS).write_bytes(harmful)
    with pytest.raises(BadCheckpoint, match=str(folder)):
        load(folder, USER, ITEM)
    forged = renamed(folder)
    with pytest.raises(BadCheckpoint, match=str(forged)):
        load(forged, USER, ITEM)
    assert not canary.exists()
    if how == "pickle":
        pickle.loads(harmful)
        assert canary.exists(), "the case tests nothing"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"no json"),
        ("config.json", b"\xff\xfe"),
        ("config.json", b"[1]"),
        ("config.json", b"{}"),
        ("vocabulary/query.parquet", b"no parquet"),
        ("vocabulary/dense_inputs.parquet", b""),
    ],
)
def test_nonsense_under_the_right_version_is_told_too(tmp_path, name, content):
    folder = save(tmp_path)
    (folder / name).write_bytes(content)
    forged = renamed(folder)
    with pytest.raises(BadCheckpoint, match=str(forged)):
        load(forged, USER, ITEM)


def test_weights_of_another_shape_are_told(tmp_path):
    folder = save(tmp_path)
    described = json.loads((folder / "config.json").read_text())
    described["model"]["width"] = 7
    (folder / "config.json").write_text(json.dumps(described))
    forged = renamed(folder)
    with pytest.raises(BadCheckpoint, match=str(forged)):
        load(forged, USER, ITEM)
    described["model"]["width"] = 0
    (forged / "config.json").write_text(json.dumps(described))
    with pytest.raises(BadCheckpoint, match=r"model.width = 0"):
        load(renamed(forged), USER, ITEM)
