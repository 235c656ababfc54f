"""A model of the registry, ready to score: the registry itself does without torch."""

from jobs.errors import Refused
from jobs.registry import Registry
from model import checkpoint
from model.cdm import CDM
from model.vocabulary import Vocabulary
from schemas.table import Fields


def load_model(registry: Registry, version: str, fields: Fields) -> tuple[CDM, Vocabulary]:
    """Return a model version and its vocabulary; refuse a damaged one."""
    try:
        return checkpoint.load(registry.folder(version), fields.user_tokens, fields.item_tokens)
    except checkpoint.BadCheckpoint as bad:
        raise Refused(str(bad)) from bad
