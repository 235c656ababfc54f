"""A model of the registry, ready to score: the registry itself does without torch."""

import json
from pathlib import Path

from jobs.errors import Refused
from jobs.registry import Registry
from model import checkpoint
from model.cdm import CDM
from model.layout import CONFIG
from model.vocabulary import Vocabulary
from schemas.table import Fields


def load_model(registry: Registry, version: str, fields: Fields) -> tuple[CDM, Vocabulary]:
    """Return a model version and its vocabulary; refuse a damaged one."""
    return open_model(registry.folder(version), fields)


def open_model(folder: Path, fields: Fields) -> tuple[CDM, Vocabulary]:
    """Return the model version of a folder, as a worker does that knows no registry."""
    try:
        model, vocabulary = checkpoint.load(folder, fields.user_tokens, fields.item_tokens)
    except checkpoint.BadCheckpoint as bad:
        raise Refused(str(bad)) from bad
    known = len(vocabulary.dense_mean)
    if known != len(fields.dense):
        raise Refused(
            f"{folder} was trained on {known} dense features, and the profile has "
            f"{len(fields.dense)} {fields.dense}; train again under this profile"
        )
    # As many features of other names have the same shape, and would be taken for these.
    names = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["about"].get("dense")
    if names is not None and tuple(names) != fields.dense:
        raise Refused(
            f"{folder} was trained on the dense features {tuple(names)}, and the profile has "
            f"{fields.dense}; train again under this profile"
        )
    return model, vocabulary
