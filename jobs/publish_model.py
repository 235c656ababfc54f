"""A trained model as a version of the lake: checkpoint, item vectors and the day's pointer."""

from typing import NamedTuple

import pyarrow.parquet as pq

from jobs.build_examples import ITEMS
from jobs.cli import Task
from jobs.lease import Lease
from jobs.model_vectors import vectors_of
from jobs.registry import KNOWN, Registry
from jobs.training_plan import Plan
from model import checkpoint
from model.cdm import CDM, Shape
from model.epochs import Epoch
from model.layout import ITEMS as MODEL_ITEMS
from model.vocabulary import Vocabulary


class Trained(NamedTuple):
    """What training leaves."""

    model: CDM
    shape: Shape
    vocabulary: Vocabulary
    history: list[Epoch]
    requests: int
    held_out: int


def publish_model(plan: Plan, task: Task, trained: Trained, lease: Lease) -> None:
    """Write the version with its item vectors and make it the model of the day that is held."""
    fields, registry = task.profile.fields, Registry(task.lake)
    model, shape, vocabulary, history, requests, held_out = trained
    about = {
        "kind": plan.parameters["kind"],
        "day": task.day.isoformat(),
        "examples": plan.inputs[plan.source.name],
        "user_tokens": fields.user_tokens,
        "item_tokens": fields.item_tokens,
        "dense": fields.dense,
        "training": plan.parameters["training"],
    } | ({"base": plan.base} if plan.base else {})
    curve = [epoch.to_json() for epoch in history]
    with registry.attempt() as attempt:
        version = checkpoint.save(
            attempt, model, shape, task.profile.model, vocabulary, about, curve
        )
        known = pq.read_table(plan.source.folder() / ITEMS)
        items = vectors_of(known, fields, model, vocabulary)
        (attempt / MODEL_ITEMS).mkdir()
        pq.write_table(items, attempt / MODEL_ITEMS / KNOWN, compression="zstd")
        registry.publish(
            attempt,
            version,
            task.day,
            lease,
            bootstrap=plan.bootstrap,
            step=task.step,
            inputs=plan.inputs,
            parameters=plan.parameters,
            counts={"requests": requests, "held_out": held_out, "epochs": len(history)},
        )
    task.say(
        f"{about['kind']} {version} from {requests:,} requests, {held_out:,} held out, "
        f"{len(history)} epochs, {items.num_rows:,} item vectors"
    )
    task.next("promote" if plan.bootstrap else "report")
