"""Label a day's candidate sets with the teachers' picks, on f, e and u of the promoted model.

Reads candidate_sets and models, writes teacher_labels, unlabelled (requests that cannot keep the
policy's rules) and, where the day brings items that the model has not met, their vectors to the
model's items.parquet. No gradient ever reaches a label.

With --teacher, --weight or --model the day is labelled under these instead. The labels stand beside
all others, under a teacher_id of their own; training goes on reading those of the profile's teacher
and the promoted model.
"""

import argparse
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.candidate_pieces import Piece, pieces
from jobs.cli import Task, add_master, run, step_parser
from jobs.errors import NothingToDo
from jobs.item_vectors import ItemVectors
from jobs.label_choice import add_choice, chosen_profile, chosen_version
from jobs.label_outputs import (
    STEP,
    TABLES,
    check_unlabelled,
    outputs_of,
    publish_labels,
    unlabelled_of,
)
from jobs.label_task import LabelTask, write_labels
from jobs.lease import Lease
from jobs.new_items import NewItemsTask, new_items
from jobs.publish import hold_all
from jobs.registry import Registry
from jobs.spark_session import spark_session
from jobs.spark_tasks import TaskOutput

READS = ("candidate_sets", "promotions")
WRITES = TABLES


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--master 'local[2]'")
    heading, usual = parser.epilog.split("\n")
    others = usual.replace("--master 'local[2]'", "--teacher msd --weight 0.5 --model 0a1b2c3d4e5f")
    parser.epilog = f"{heading}\n{others}\n{usual}"
    add_master(parser)
    add_choice(parser)
    parser.add_argument(
        "--skip-done",
        action="store_true",
        help="exit with 99, as where there is nothing to do, if the day is labelled already",
    )
    return parser


def shared_vectors(
    spark: SparkSession,
    task: Task,
    version: str,
    sets: tuple[Piece, ...],
    folder: Path,
    lease: Lease,
) -> Path:
    """Give items that the model has not met a vector too; return where workers read all of them."""
    registry, fields = Registry(task.lake), task.profile.fields
    known, all_items = folder / "known", folder / "items"
    ItemVectors.write([registry.trained_items(version)], known)
    new = new_items(spark, NewItemsTask(known, fields, sets))
    if not new.num_rows:
        return known
    # Most days bring nothing new to a model, and torch is slow to import.
    from jobs.load_model import load_model
    from jobs.model_vectors import vectors_of

    model, vocabulary = load_model(registry, version, fields)
    vectors = vectors_of(new, fields, model, vocabulary)
    registry.add_items(version, task.day, vectors, lease)
    task.say(f"{new.num_rows:,} items that model {version} had not met got their vectors")
    ItemVectors.write(registry.item_files(version, task.day), all_items)
    return all_items


def label(task: Task, args: argparse.Namespace) -> None:
    """Label the day under the teachers and the model that are asked for; publish."""
    task.profile = profile = chosen_profile(task.profile, args)
    source = task.lake.partition("candidate_sets", task.day)
    sets = source.require("build_candidates")
    version = chosen_version(task, args.model)
    outputs = [
        output
        for output in outputs_of(task, source, version)
        if not (task.is_done(output.unlabelled) and task.is_done(output.labels))
    ]
    if not outputs:
        if args.skip_done:
            raise NothingToDo(f"{task.day} is labelled already; --force labels it again")
        return
    with (
        hold_all(one for output in outputs for one in (output.labels, output.unlabelled)),
        spark_session(STEP, args.master) as spark,
        ExitStack() as attempts,
    ):
        lease = attempts.enter_context(outputs[0].labels.hold())
        folders = [attempts.enter_context(output.labels.attempt()) for output in outputs]
        shared = folders[0] / "shared"
        shared.mkdir()
        cut = tuple(pieces(source.files()))
        work = LabelTask(
            Registry(task.lake).folder(version),
            shared_vectors(spark, task, version, cut, shared, lease),
            profile.fields,
            tuple(output.teacher for output in outputs),
            profile.policy,
            tuple(
                TaskOutput(folder, output.labels.partition.table, output.labels.partition.name)
                for folder, output in zip(folders, outputs, strict=True)
            ),
            cut,
        )
        made = write_labels(spark, work, task.say)
        shutil.rmtree(shared)
        for output, written in zip(outputs, made, strict=True):
            check_unlabelled(output, unlabelled_of(written), sets.rows, profile.policy)
        for output, folder, written in zip(outputs, folders, made, strict=True):
            publish_labels(task, output, folder, written, sets.rows)
    task.next("build_examples")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, label)


if __name__ == "__main__":
    sys.exit(main())
