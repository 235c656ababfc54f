"""Label a day's candidate sets with the teachers' picks, on f, e and u of the promoted model.

Reads candidate_sets and models, writes teacher_labels and, for requests that cannot keep the rules
of the policy, unlabelled: one part of each a teacher. Items that the model has not met get their
vectors in its items.parquet. No gradient ever reaches a label.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
import torch
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.features import input_columns
from jobs.label_outputs import STEP, TABLES, check_unlabelled, outputs_of, publish_labels
from jobs.labeller import Labeller, item_vectors
from jobs.lake import Lake
from jobs.load_model import load_model
from jobs.registry import Registry
from jobs.scorer import ModelScorer
from jobs.spark_session import add_master, read_partition, spark_session, write_files
from model.cdm import CDM
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema
from schemas.label_tables import teacher_labels
from schemas.table import Fields

READS = ("candidate_sets", "promotions")
WRITES = TABLES
TEACHER = "teacher"
"""The column by which the rows of several teachers are told apart on their way to their files."""
Reasons = dict[int, dict[object, str]]


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


class ByTeacher(AccumulatorParam):
    """Reasons by request by the number of the teacher.

    A task that Spark runs twice says the same twice, which changes nothing.
    """

    def zero(self, value: Reasons) -> Reasons:
        """Return what nothing was added to."""
        return {}

    def addInPlace(self, value1: Reasons, value2: Reasons) -> Reasons:
        """Join both."""
        for number, reasons in value2.items():
            value1.setdefault(number, {}).update(reasons)
        return value1


def label_frame(
    spark: SparkSession, sets: DataFrame, labeller: Labeller, lost: Accumulator
) -> DataFrame:
    """Return teacher_labels of all teachers, with the number of the teacher as one column more.

    Model and vectors reach each machine once. `lost` fills as the frame is computed.
    """
    shared = spark.sparkContext.broadcast(labeller)
    columns = dict.fromkeys(["request_id", *input_columns(labeller.fields)])
    labels = teacher_labels(labeller.fields)
    schema = arrow_schema(labels).append(pa.field(TEACHER, pa.int32(), nullable=False))

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        torch.set_num_threads(1)
        for batch in filter(len, batches):
            for number, made in enumerate(shared.value.label(batch)):
                lost.add({number: dict(zip(*made.unlabelled.to_pydict().values(), strict=True))})
                which = pa.array(np.full(made.labels.num_rows, number, np.int32))
                yield pa.RecordBatch.from_arrays([*made.labels.columns, which], schema=schema)

    return sets.select(*columns).mapInArrow(work, from_arrow_schema(schema))


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
    model, vocabulary = load_model(Registry(task.lake), version, profile.fields)
    with spark_session(STEP, args.master) as spark, ExitStack() as attempts:
        frame = read_partition(spark, source)
        items = meet_items(frame, task, version, model, vocabulary)
        labeller = Labeller(
            profile.fields,
            tuple(output.teacher for output in outputs),
            profile.policy,
            version,
            ModelScorer(profile.fields, model, vocabulary),
            items["item_id"].to_numpy(),
            np.stack(items["e"].to_numpy()),
        )
        lost = spark.sparkContext.accumulator({}, ByTeacher())
        folders = [attempts.enter_context(output.labels.attempt()) for output in outputs]
        # Spark writes below the first folder; from there each teacher's files go to its own.
        names = {str(to / "part"): f"{TEACHER}={n}/*.parquet" for n, to in enumerate(folders)}
        write_files(label_frame(spark, frame, labeller, lost), folders[0], names, by=(TEACHER,))
        reasons = [lost.value.get(number, {}) for number in range(len(outputs))]
        for output, why in zip(outputs, reasons, strict=True):
            check_unlabelled(output, why, sets.rows, profile.policy)
        for output, folder, why in zip(outputs, folders, reasons, strict=True):
            publish_labels(task, output, folder, why, sets.rows)
    task.next("build_examples")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, label)


if __name__ == "__main__":
    sys.exit(main())
