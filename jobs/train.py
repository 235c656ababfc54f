"""Train the day's model on its examples: CDM, or with --bootstrap the base DCN of the first day.

Reads examples through Petastorm, writes models/<version>/ and points models/dt=<day>/ to it.
"""

import argparse
import dataclasses
import math
import sys

import pyarrow.parquet as pq
import torch

from jobs.build_examples import ITEMS, TRAINING, VALIDATION, VOCABULARY
from jobs.cli import Task, run, step_parser
from jobs.errors import NothingToDo, Refused
from jobs.feed import open_feed
from jobs.lake import Partition
from jobs.manifest import recipe_of
from jobs.model_vectors import vectors_of
from jobs.registry import Registry
from jobs.teacher import WITHOUT_TEACHER, teacher_id
from model import checkpoint
from model.cdm import CDM, Shape
from model.layout import ITEMS as MODEL_ITEMS
from model.learning_config import written
from model.training import Diverged, Epoch, fit
from model.vocabulary import Vocabulary

STEP = "train"
READS = ("promotions", "examples")
WRITES = ("models",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__)
    parser.add_argument(
        "--bootstrap", action="store_true", help="the base DCN, on clicks without a teacher"
    )
    return parser


def training_set(task: Task, bootstrap: bool) -> Partition:
    """Return the examples that this model learns from."""
    registry = Registry(task.lake)
    if bootstrap:
        if registry.trained_before(task.day):
            raise NothingToDo(f"a model was trained before {task.day}; no base DCN is needed")
        partition = task.lake.partition("examples", task.day, teacher_id=WITHOUT_TEACHER)
        partition.require("build_examples --bootstrap")
        return partition
    version = registry.promoted(task.day)
    if version is None:
        raise Refused(f"no model is promoted on {task.day}; run promote and label_candidates first")
    name = teacher_id(task.profile.teacher, task.profile.policy, version)
    partition = task.lake.partition("examples", task.day, teacher_id=name)
    partition.require("build_examples")
    return partition


def train(task: Task, args: argparse.Namespace) -> None:
    """Fit, export the item vectors, publish the version."""
    profile, registry = task.profile, Registry(task.lake)
    source = training_set(task, args.bootstrap)
    examples = source.require("build_examples")
    inputs = {source.name: examples.digest}
    parameters = {
        "kind": "dcn" if args.bootstrap else "cdm",
        "fields": dataclasses.asdict(profile.fields),
        "model": written(profile.model),
        "training": written(profile.training),
    }
    recipe = recipe_of(STEP, parameters, inputs)
    if not task.force and registry.is_current(task.day, recipe, bootstrap=args.bootstrap):
        version = registry.trained(task.day, bootstrap=args.bootstrap).parameters["version"]
        task.say(f"unchanged: model {version} was trained on exactly this")
        return
    fields, training = profile.fields, profile.training
    folder = source.folder()
    files = source.files()
    vocabulary = Vocabulary.load(folder / VOCABULARY, fields.user_tokens + fields.item_tokens)
    learn, judge = (
        open_feed(
            "petastorm",
            [path for path in files if path.name.startswith(split)],
            source.table,
            batch_size=training.batch_size,
            seed=training.seed,
        )
        for split in (TRAINING, VALIDATION)
    )
    if not learn.rows or not judge.rows:
        raise Refused(
            f"{source.name} has {learn.rows} requests to train on and {judge.rows} to stop early "
            "by; both are needed. Add days or users, or change training.validation_share"
        )
    shape = Shape(
        user_sizes=tuple(vocabulary.size(name) for name in fields.user_tokens),
        item_sizes=tuple(vocabulary.size(name) for name in fields.item_tokens),
        dense=len(fields.dense),
        win_rate=0.0 if args.bootstrap else win_rate(files),
    )
    torch.manual_seed(training.seed)
    model = CDM(shape, profile.model)

    def report(epoch: Epoch) -> None:
        losses = (
            f"{epoch.training.total(training):.4f}, held-out {epoch.validation.total(training):.4f}"
        )
        task.say(f"epoch {epoch.number} of at most {training.epochs}: loss {losses}")

    try:
        history = fit(
            model,
            lambda epoch: learn.epoch(epoch, shuffle=True),
            lambda: judge.epoch(0, shuffle=False),
            training,
            report,
            steps=math.ceil(learn.rows / training.batch_size),
        )
    except Diverged as diverged:
        raise Refused(f"{source.name}: {diverged}") from diverged
    model.eval().calibrate_export(judge.epoch(0, shuffle=False), profile.model.similarity_scale)
    about = {
        "kind": parameters["kind"],
        "day": task.day.isoformat(),
        "examples": examples.digest,
        "user_tokens": fields.user_tokens,
        "item_tokens": fields.item_tokens,
        "training": parameters["training"],
    }
    curve = [
        {"epoch": e.number, "training": vars_of(e.training), "validation": vars_of(e.validation)}
        for e in history
    ]
    with registry.attempt() as attempt:
        version = checkpoint.save(attempt, model, shape, profile.model, vocabulary, about, curve)
        items = vectors_of(pq.read_table(folder / ITEMS), fields, model, vocabulary)
        (attempt / MODEL_ITEMS).mkdir()
        pq.write_table(items, attempt / MODEL_ITEMS / "known.parquet", compression="zstd")
        registry.publish(
            attempt,
            version,
            task.day,
            bootstrap=args.bootstrap,
            step=STEP,
            inputs=inputs,
            parameters=parameters,
            counts={"requests": learn.rows, "held_out": judge.rows, "epochs": len(history)},
        )
    task.say(
        f"{parameters['kind']} {version} from {learn.rows:,} requests, {judge.rows:,} held out, "
        f"{len(history)} epochs, {items.num_rows:,} item vectors"
    )
    task.next("promote" if args.bootstrap else "report")


def vars_of(losses: object) -> dict[str, float]:
    """Return the losses by name."""
    return dataclasses.asdict(losses)


def win_rate(files: list) -> float:
    """Return K/N: the share of the candidates that the teacher picked."""
    won = total = 0.0
    for path in files:
        columns = pq.read_table(path, columns=["n_candidates", "win"])
        total += columns["n_candidates"].to_numpy().sum()
        won += columns["win"].combine_chunks().flatten().to_numpy().sum()
    return float(won / total)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    torch.use_deterministic_algorithms(mode=True)
    # More threads gain nothing on models this small, and the weights would depend on their number.
    torch.set_num_threads(1)
    return run(STEP, build_parser(), argv, train)


if __name__ == "__main__":
    sys.exit(main())
