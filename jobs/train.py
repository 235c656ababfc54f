"""Train the day's model on its examples: CDM, or with --bootstrap the base DCN of the first day.

Reads examples through Petastorm or Arrow, writes models/<version>/ and points models/dt=<day>/ to
it. A training that was cut off goes on after its last whole epoch when it is run again. Several
processes train one model together, each with its part of every batch; they start anew.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import torch

from jobs.cli import Task, run, step_parser
from jobs.feed import FEEDS
from jobs.fitting import feeds, fit_day
from jobs.lease import Lease
from jobs.manifest import recipe_of
from jobs.new_model import new_model
from jobs.processes import LAUNCHERS, launch
from jobs.publish_model import Trained, publish_model
from jobs.registry import Registry
from jobs.training_plan import Plan, training_device
from model.distributed import ALONE, Processes
from model.unfinished import Unfinished

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
    parser.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="write each epoch's scalars there too"
    )
    return parser


def train(argv: list[str], task: Task, args: argparse.Namespace) -> None:
    """Make the day's model unless it is there, in this process or in several."""
    plan, registry = Plan.of(task, args), Registry(task.lake)
    recipe = recipe_of(STEP, plan.parameters, plan.inputs)
    if not task.force and registry.is_current(task.day, recipe, bootstrap=plan.bootstrap):
        version = registry.trained(task.day, bootstrap=plan.bootstrap).parameters["version"]
        task.say(f"unchanged: model {version} was trained on exactly this")
        _unfinished(task, plan).clear()
    elif args.processes > 1 or args.distributor == "spark":
        launch(args.distributor, args.processes, argv)
    else:
        learn(task, args, ALONE)


def _unfinished(task: Task, plan: Plan) -> Unfinished:
    """Return where the state of this training is kept between its epochs."""
    place = Registry(task.lake).unfinished(task.day, bootstrap=plan.bootstrap)
    recipe = recipe_of(STEP, plan.parameters, plan.inputs)
    # Another device has other random streams, and the same rows elsewhere come in another order.
    device = training_device(task.profile.training).type
    examples = plan.source.require("build_examples").folder
    return Unfinished(place, f"{recipe} {examples} {device}", task.say)


def learn(task: Task, args: argparse.Namespace, processes: Processes) -> None:
    """Hold the day's model and learn it; the first of several processes holds it for all.

    Raises Held where another run is at work on it.
    """
    if processes.rank == 0:
        bootstrap = args.bootstrap
        with Registry(task.lake).hold(task.day, STEP, bootstrap=bootstrap) as lease:
            _learn(task, args, processes, lease)
    else:
        _learn(task, args, processes, None)


def _learn(task: Task, args: argparse.Namespace, processes: Processes, lease: Lease | None) -> None:
    """Fit, and as the first process export the item vectors and publish the version."""
    plan = Plan.of(task, args)
    unfinished = _unfinished(task, plan) if processes.world == 1 else None
    learn_from, judge = feeds(plan, task, args.feed, processes)
    model, shape, vocabulary = new_model(plan, task, processes.rank)
    history = fit_day(
        plan, task, model, (learn_from, judge), processes, unfinished, args.tensorboard
    )
    if lease is not None:
        _, judge = feeds(plan, task, args.feed, ALONE)
        scale = task.profile.model.similarity_scale
        # From here on all is on the CPU, whichever device the weights come from.
        model.cpu().eval().calibrate_export(judge.epoch(0, shuffle=False), scale)
        made = Trained(model, shape, vocabulary, history, learn_from.rows, judge.rows)
        publish_model(plan, task, made, lease)
        if unfinished is not None:
            unfinished.clear()


def prepare_torch() -> None:
    """Make torch repeat itself bit by bit."""
    # Read once, when cuBLAS starts: with it, its sums are in the same order every time.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
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
