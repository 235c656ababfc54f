"""Learning the day's model and publishing it, as the one process that does or one of several."""

import argparse
import os

import torch

from jobs.cli import Task
from jobs.fitting import feeds, fit_day, training_device
from jobs.lease import Lease
from jobs.manifest import recipe_of
from jobs.new_model import new_model
from jobs.publish_model import Trained, publish_model
from jobs.registry import Registry
from jobs.training_plan import STEP, Plan
from model.distributed import ALONE, Processes
from model.unfinished import Unfinished


def learn(task: Task, args: argparse.Namespace, processes: Processes) -> None:
    """Hold the day's model and learn it; the first of several processes holds it for all.

    Raises Held where another run is at work on it.
    """
    prepare_torch()
    if processes.rank == 0:
        with Registry(task.lake).hold(task.day, STEP, bootstrap=args.bootstrap) as lease:
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


def _unfinished(task: Task, plan: Plan) -> Unfinished:
    """Return where the state of this training is kept between its epochs."""
    place = Registry(task.lake).unfinished(task.day, bootstrap=plan.bootstrap)
    recipe = recipe_of(STEP, plan.parameters, plan.inputs)
    # Another device has other random streams, and the same rows elsewhere come in another order.
    device = training_device(task.profile.training).type
    examples = plan.source.require("build_examples").folder
    return Unfinished(place, f"{recipe} {examples} {device}", task.say)


def prepare_torch() -> None:
    """Make torch repeat itself bit by bit."""
    # Read once, when cuBLAS starts: with it, its sums are in the same order every time.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True)
    # More threads gain nothing on models this small, and the weights would depend on their number.
    torch.set_num_threads(1)
