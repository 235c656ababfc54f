"""A model version on disk: safetensors, JSON, parquet; never a pickle.

    models/<version>/  weights.safetensors, config.json, history.json, vocabulary/, items.parquet/

The version is a hash of weights and configuration. items.parquet is a folder of e by item_id: the
items known at training, and one more file for each later day with the items that it brought.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.cdm import CDM, Shape
from model.layout import CONFIG, HISTORY, VOCABULARY, WEIGHTS
from model.learning_config import ModelConfig
from model.vocabulary import Vocabulary


class BadCheckpoint(ValueError):
    """A checkpoint that cannot be loaded; the message names the file and the next move."""


def save(
    folder: Path,
    model: CDM,
    shape: Shape,
    config: ModelConfig,
    vocabulary: Vocabulary,
    about: dict[str, Any],
    history: list[dict[str, Any]],
) -> str:
    """Write a checkpoint into a fresh folder; return its version.

    `about` says what the model was made from and stands in config.json, so in the version too.
    """
    folder.mkdir(parents=True)
    weights = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    described = {"shape": asdict(shape), "model": asdict(config), "about": about}
    (folder / CONFIG).write_text(json.dumps(described, indent=1, sort_keys=True) + "\n")
    (folder / HISTORY).write_text(json.dumps(history, indent=1) + "\n")
    vocabulary.save(folder / VOCABULARY)
    return version_of(folder)


def version_of(folder: Path) -> str:
    """Return 12 hex digits of the weights, the configuration and the vocabulary of a checkpoint."""
    digest = hashlib.sha256()
    tokens = sorted((folder / VOCABULARY).glob("*.parquet"))
    for path in [folder / WEIGHTS, folder / CONFIG, *tokens]:
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def load(
    folder: Path, user_names: tuple[str, ...], item_names: tuple[str, ...]
) -> tuple[CDM, Vocabulary]:
    """Return the model, ready to score, and its vocabulary.

    Raises BadCheckpoint where the folder is damaged or belongs to another set of fields.
    """
    try:
        if version_of(folder) != folder.name:
            raise BadCheckpoint(
                f"{folder} is damaged: its files are not those of its version; train that day "
                "again with --force"
            )
        described = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        about = described["about"]
        found = (tuple(about["user_tokens"]), tuple(about["item_tokens"]))
        if found != (user_names, item_names):
            raise BadCheckpoint(
                f"{folder} was trained on the fields {found[0] + found[1]}, and the profile has "
                f"{user_names + item_names}; train again under this profile"
            )
        shape = Shape(**{k: _tuple(v) for k, v in described["shape"].items()})
        config = ModelConfig(**{k: _tuple(v) for k, v in described["model"].items()})
        model = CDM(shape, config)
        model.load_state_dict(load_file(folder / WEIGHTS))
        vocabulary = Vocabulary.load(folder / VOCABULARY, user_names + item_names)
        _check_vocabulary(folder, vocabulary, shape, user_names + item_names)
    except BadCheckpoint:
        raise
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadCheckpoint(
            f"{folder} cannot be loaded ({error}); train that day again with --force"
        ) from error
    return model.eval(), vocabulary


def _check_vocabulary(
    folder: Path, vocabulary: Vocabulary, shape: Shape, names: tuple[str, ...]
) -> None:
    """Refuse the vocabulary of another model: its indices would name other rows of the tables."""
    sizes = dict(zip(names, shape.user_sizes + shape.item_sizes, strict=True))
    found = {name: vocabulary.size(name) for name in names}
    sizes["dense"], found["dense"] = shape.dense, len(vocabulary.dense_mean)
    for name, size in sizes.items():
        if found[name] != size:
            raise BadCheckpoint(
                f"{folder} has a vocabulary of another model: {found[name]} of {name}, where the "
                f"weights have {size}; train that day again with --force"
            )


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
