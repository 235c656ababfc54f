"""Label a day's candidate sets with the teacher's picks, on f, e and u of the promoted model.

Reads candidate_sets and models, writes teacher_labels and, where the day brings items that the
model has not met, their vectors to the model's items.parquet. No gradient ever reaches a label.
"""

import argparse
import dataclasses
import sys

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.item_vectors import ItemVectors
from jobs.label_task import LabelTask, pieces, write_labels
from jobs.labeller import item_vectors
from jobs.lake import Lake
from jobs.load_model import load_model
from jobs.publish import Publication
from jobs.registry import Registry
from jobs.spark_session import add_master, read_partition, spark_session
from jobs.spark_tasks import TaskOutput
from jobs.teacher import teacher_id
from model.cdm import CDM
from model.vocabulary import Vocabulary
from schemas.table import Fields

STEP = "label_candidates"
READS = ("candidate_sets", "promotions")
WRITES = ("teacher_labels",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--master 'local[2]'")
    add_master(parser)
    return parser


def first_fields(sets: DataFrame, fields: Fields) -> DataFrame:
    """Return one row an item with its fields; the least ones where a day disagrees with itself."""
    names = list(fields.item_tokens)
    items = sets.select(F.explode(F.arrays_zip(*names)).alias("item")).select("item.*")
    if not fields.item:
        return items.distinct()
    one = F.min(F.struct(*fields.item)).alias("fields")
    return items.groupBy("item_id").agg(one).select("item_id", "fields.*")


def meet_items(
    sets: DataFrame, task: Task, version: str, model: CDM, vocabulary: Vocabulary
) -> pa.Table:
    """Give items that the model has not met a vector too; return all of them, sorted by id."""
    registry, fields = Registry(task.lake), task.profile.fields
    known = registry.items(version)
    today = first_fields(sets, fields).toArrow()
    is_new = pa.compute.invert(
        pa.compute.is_in(today["item_id"], value_set=known["item_id"].combine_chunks())
    )
    new = today.filter(is_new).sort_by("item_id")
    if new.num_rows:
        name = f"dt={task.day.isoformat()}"
        registry.add_items(version, name, item_vectors(new, fields, model, vocabulary))
        task.say(f"{new.num_rows:,} items that model {version} had not met got their vectors")
    return registry.items(version)


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
    """Label the day under the profile's teacher and the promoted model; publish."""
    source = task.lake.partition("candidate_sets", task.day)
    sets = source.require("build_candidates")
    version, teacher = promoted_version(task.lake, task), task.profile.teacher
    partition = task.lake.partition(
        "teacher_labels", task.day, teacher_id=teacher_id(teacher, version)
    )
    output = Publication(
        partition,
        step=STEP,
        inputs={source.name: sets.digest, "model": version},
        parameters={"teacher": dataclasses.asdict(teacher), "model_version": version},
    )
    if task.is_done(output):
        return
    model, vocabulary = load_model(Registry(task.lake), version, task.profile.fields)
    with spark_session(STEP, args.master) as spark, output.attempt() as folder:
        items = meet_items(read_partition(spark, source), task, version, model, vocabulary)
        vectors = folder / "vectors.arrow"
        ItemVectors.write(items, vectors)
        labels = TaskOutput(folder, partition.table, partition.name)
        work = LabelTask(
            Registry(task.lake).folder(version),
            vectors,
            task.profile.fields,
            (teacher,),
            (labels,),
            tuple(pieces(source.files())),
        )
        (written,) = write_labels(spark, work, task.say)
        vectors.unlink()
        live = output.publish(
            folder, {"requests": sets.rows}, rows=sets.rows, audits=written.audits
        )
    note = f"{teacher.name}, lambda {teacher.diversity_weight:g}, K {teacher.k}, model {version}"
    task.made(output, f"{sets.rows:,} requests in, {live.rows:,} out; {note}", "build_examples")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, label)


if __name__ == "__main__":
    sys.exit(main())
