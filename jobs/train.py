"""Train the day's model on its examples: CDM, or with --bootstrap the base DCN of the first day.

Reads examples through Petastorm or Arrow, writes models/<version>/ and points models/dt=<day>/ to
it. Several processes train one model together; each has its part of every batch.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import torch

from jobs.build_examples import TRAINING, VALIDATION, VOCABULARY
from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.feed import FEEDS, Feed, open_feed
from jobs.load_model import load_model
from jobs.manifest import recipe_of
from jobs.processes import LAUNCHERS, launch
from jobs.publish_model import Trained, publish_model
from jobs.registry import Registry
from jobs.training_plan import Plan
from model.cdm import CDM, Shape
from model.distributed import ALONE, Processes
from model.training import Diverged, Epoch, fit
from model.vocabulary import Vocabulary
from model.warm_start import OtherWeights, warm_start

STEP = "train"
READS = ("promotions", "examples")
WRITES = ("models",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__)
    parser.add_argument(
        "--bootstrap", action="store_true", help="the base DCN, on clicks without a teacher"
    )
    parser.add_argument(
        "--feed",
        choices=FEEDS,
        default=FEEDS[0],
        help="what reads the examples (default: %(default)s)",
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="how many train together (default: 1)"
    )
    parser.add_argument(
        "--distributor",
        choices=tuple(LAUNCHERS),
        default="torchrun",
        help="what starts several processes (default: %(default)s)",
    )
    return parser


def train(argv: list[str], task: Task, args: argparse.Namespace) -> None:
    """Make the day's model unless it is there, in this process or in several."""
    plan, registry = Plan.of(task, args), Registry(task.lake)
    recipe = recipe_of(STEP, plan.parameters, plan.inputs)
    if not task.force and registry.is_current(task.day, recipe, bootstrap=plan.bootstrap):
        version = registry.trained(task.day, bootstrap=plan.bootstrap).parameters["version"]
        task.say(f"unchanged: model {version} was trained on exactly this")
    elif args.processes > 1 or args.distributor == "spark":
        launch(args.distributor, args.processes, argv)
    else:
        learn(task, args, ALONE)


def feeds(
    plan: Plan, task: Task, args: argparse.Namespace, files: list[Path], processes: Processes
) -> tuple[Feed, Feed]:
    """Return what the model learns from and what judges it; refuse a split without requests."""
    training = task.profile.training
    learn_from, judge = (
        open_feed(
            args.feed,
            [path for path in files if path.name.startswith(split)],
            plan.source.table,
            batch_size=training.batch_size,
            seed=training.seed,
            rank=processes.rank,
            world=processes.world,
        )
        for split in (TRAINING, VALIDATION)
    )
    if not learn_from.rows or not judge.rows:
        raise Refused(
            f"{plan.source.name} has {learn_from.rows} requests to train on and {judge.rows} to "
            "stop early by; both are needed. Add days or users, or change training.validation_share"
        )
    return learn_from, judge


def learn(task: Task, args: argparse.Namespace, processes: Processes) -> None:
    """Fit, and as the first process export the item vectors and publish the version."""
    profile, plan = task.profile, Plan.of(task, args)
    fields, training, source = profile.fields, profile.training, plan.source
    folder, files = source.folder(), source.files()
    vocabulary = Vocabulary.load(folder / VOCABULARY, fields.user_tokens + fields.item_tokens)
    learn_from, judge = feeds(plan, task, args, files, processes)
    shape = Shape(
        user_sizes=tuple(vocabulary.size(name) for name in fields.user_tokens),
        item_sizes=tuple(vocabulary.size(name) for name in fields.item_tokens),
        dense=len(fields.dense),
        win_rate=0.0 if plan.bootstrap else win_rate(files),
    )
    torch.manual_seed(training.seed)
    model = CDM(shape, profile.model)
    if plan.base is not None:
        start_from(plan.base, task, model, vocabulary)
    if processes.rank:
        # The same weights in all processes, but not the same dropout.
        torch.manual_seed(training.seed + processes.rank)

    def report(epoch: Epoch) -> None:
        losses = (
            f"{epoch.training.total(training):.4f}, held-out {epoch.validation.total(training):.4f}"
        )
        if processes.rank == 0:
            task.say(f"epoch {epoch.number} of at most {training.epochs}: loss {losses}")

    try:
        history = fit(
            model,
            lambda epoch: learn_from.epoch(epoch, shuffle=True),
            lambda: judge.epoch(0, shuffle=False),
            training,
            report,
            learn_from.steps,
            processes,
        )
    except Diverged as diverged:
        raise Refused(f"{source.name}: {diverged}") from diverged
    if processes.rank == 0:
        _, judge = feeds(plan, task, args, files, ALONE)
        model.eval().calibrate_export(judge.epoch(0, shuffle=False), profile.model.similarity_scale)
        made = Trained(model, shape, vocabulary, history, learn_from.rows, judge.rows)
        publish_model(plan, task, made)


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


def win_rate(files: list) -> float:
    """Return K/N: the share of the candidates that the teacher picked."""
    won = total = 0.0
    for path in files:
        columns = pq.read_table(path, columns=["n_candidates", "win"])
        total += columns["n_candidates"].to_numpy().sum()
        won += columns["win"].combine_chunks().flatten().to_numpy().sum()
    return float(won / total)


def prepare_torch() -> None:
    """Make torch repeat itself bit by bit."""
    torch.use_deterministic_algorithms(mode=True)
    # More threads gain nothing on models this small, and the weights would depend on their number.
    torch.set_num_threads(1)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    prepare_torch()
    argv = sys.argv[1:] if argv is None else argv
    return run(STEP, build_parser(), argv, partial(train, argv))


if __name__ == "__main__":
    sys.exit(main())
