"""The day's model before its first step: its shape by the examples, its weights new or warm."""

from pathlib import Path

import pyarrow.parquet as pq
import torch

from jobs.build_examples import VOCABULARY
from jobs.cli import Task
from jobs.errors import Refused
from jobs.lake import Partition
from jobs.load_model import load_model
from jobs.registry import Registry
from jobs.training_plan import Plan
from model.cdm import CDM, Shape
from model.vocabulary import Vocabulary
from model.warm_start import OtherWeights, warm_start


def new_model(plan: Plan, task: Task, rank: int) -> tuple[CDM, Shape, Vocabulary]:
    """Return the model, the same in all processes, and what its weights depend on."""
    profile, source = task.profile, plan.source
    fields = profile.fields
    names = fields.user_tokens + fields.item_tokens
    vocabulary = Vocabulary.load(source.folder() / VOCABULARY, names)
    shape = Shape(
        user_sizes=tuple(vocabulary.size(name) for name in fields.user_tokens),
        item_sizes=tuple(vocabulary.size(name) for name in fields.item_tokens),
        dense=len(fields.dense),
        win_rate=0.0 if plan.bootstrap else win_rate(source, source.files()),
    )
    torch.manual_seed(profile.training.seed)
    model = CDM(shape, profile.model)
    if plan.base is not None:
        start_from(plan.base, task, model, vocabulary)
    if rank:
        # The same weights in all processes, but not the same dropout.
        torch.manual_seed(profile.training.seed + rank)
    return model, shape, vocabulary


def start_from(version: str, task: Task, model: CDM, vocabulary: Vocabulary) -> None:
    """Give a model the weights of an earlier version; refuse one that does not fit."""
    fields = task.profile.fields
    try:
        base, known = load_model(Registry(task.lake), version, fields)
        warm_start(model, vocabulary, base, known, fields.user_tokens + fields.item_tokens)
    except (Refused, OtherWeights) as error:
        raise Refused(
            f"training.warm_start begins from model {version}: {error}; set it to false until a "
            "model of this [fields] and [model] is promoted"
        ) from error


def win_rate(source: Partition, files: list[Path]) -> float:
    """Return K/N, the share of the candidates that the teacher picked; refuse 0 and 1."""
    won = total = 0.0
    for path in files:
        columns = pq.read_table(path, columns=["n_candidates", "win"])
        total += columns["n_candidates"].to_numpy().sum()
        won += columns["win"].combine_chunks().flatten().to_numpy().sum()
    if not 0 < won < total:
        picked = "every candidate of every request" if won else "no candidate of any request"
        raise Refused(
            f"{source.name}: the teacher picked {picked}, so there is no choice to learn; "
            "change teacher.k or policy, and label the days again"
        )
    return float(won / total)
