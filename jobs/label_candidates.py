"""Label a day's candidate sets with the teachers' picks, on f, e and u of the promoted model.

Reads candidate_sets and models, writes teacher_labels, unlabelled (requests that cannot keep the
policy's rules) and, where the day brings items that the model has not met, their vectors to the
model's items.parquet. No gradient ever reaches a label.
"""

import argparse
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.candidate_pieces import Piece, pieces
from jobs.cli import Task, add_master, run, step_parser
from jobs.errors import Refused
from jobs.item_vectors import ItemVectors
from jobs.label_outputs import (
    STEP,
    TABLES,
    check_unlabelled,
    outputs_of,
    publish_labels,
    unlabelled_of,
)
from jobs.label_task import LabelTask, write_labels
from jobs.lake import Lake
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
    add_master(parser)
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
    ItemVectors.write(registry.item_files(version), known)
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
    ItemVectors.write(registry.item_files(version), all_items)
    return all_items


def promoted_version(lake: Lake, task: Task) -> str:
    """Return the version that labels the day; refuse with the step that decides it."""
    version = Registry(lake).promoted(task.day)
    if version is None:
        raise Refused(
            f"no model is promoted on {task.day}; decide it first: "
            f"python -m jobs.promote --lake {lake.root} --date {task.day} --profile ..."
        )
    return version


def label(task: Task, args: argparse.Namespace) -> None:
    """Label the day under the profile's teachers and the promoted model; publish."""
    source = task.lake.partition("candidate_sets", task.day)
    sets = source.require("build_candidates")
    version, profile = promoted_version(task.lake, task), task.profile
    outputs = [
        output
        for output in outputs_of(task, source, version)
        if not (task.is_done(output.unlabelled) and task.is_done(output.labels))
    ]
    if not outputs:
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
