"""Train the day's model on its examples: CDM, or with --bootstrap the base DCN of the first day.

Reads examples through Petastorm or Arrow, writes models/<version>/ and points models/dt=<day>/ to
it. A training that was cut off goes on after its last whole epoch when it is run again. Several
processes train one model together, each with its part of every batch; they start anew.
"""

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path

from jobs.cli import Task, run, step_parser
from jobs.feed import FEEDS
from jobs.manifest import recipe_of
from jobs.registry import Registry
from jobs.training_plan import DISTRIBUTORS, STEP, Plan

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
        choices=DISTRIBUTORS,
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
        left = registry.unfinished(task.day, bootstrap=plan.bootstrap)
        shutil.rmtree(left, ignore_errors=True)
        return
    # torch takes seconds to import; a rerun that changes nothing does without.
    if args.processes > 1 or args.distributor == "spark":
        from jobs.processes import launch

        launch(args.distributor, args.processes, argv)
    else:
        from jobs.learning import learn
        from model.distributed import ALONE

        learn(task, args, ALONE)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    argv = sys.argv[1:] if argv is None else argv
    return run(STEP, build_parser(), argv, partial(train, argv))


if __name__ == "__main__":
    sys.exit(main())
