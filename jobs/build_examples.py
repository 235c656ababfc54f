"""Join candidate sets and labels of the training window into fixed-shape rows for torch.

Reads candidate_sets and teacher_labels of the last `train_days` days, writes examples: the training
set of this day's model under this day's vocabulary, which is written beside the rows.
"""

import argparse
import dataclasses
import math
import sys
from collections.abc import Iterator
from datetime import date
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from jobs.cli import Task, add_master, run, step_parser
from jobs.errors import NothingToDo, Refused
from jobs.example_encoder import ExampleEncoder
from jobs.features import input_columns
from jobs.lake import Partition
from jobs.publish import Publication
from jobs.registry import Registry
from jobs.spark_session import read_partition, spark_session, write_files
from jobs.teacher import WITHOUT_TEACHER, teacher_id
from jobs.window_vocabulary import known_tokens, learn_vocabulary, newest_fields
from schemas.spark import spark_schema

STEP = "build_examples"
READS = ("candidate_sets", "promotions", "teacher_labels", "unlabelled")
WRITES = ("examples",)
VOCABULARY, ITEMS = "_vocabulary", "_items.parquet"
TRAINING, VALIDATION = "training", "validation"
"""Prefixes of the files that hold either split."""
FILE_REQUESTS = 512
"""Requests a file, which is one row group: Petastorm's unit of sharding and shuffling."""
MIN_FILES = 4


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__)
    parser.add_argument(
        "--bootstrap",
        action="store_true",
        help="clicks without a teacher, for the base DCN of the first day",
    )
    add_master(parser)
    return parser


@dataclasses.dataclass(frozen=True, slots=True)
class WindowDay:
    """One day of the training window and what is read of it."""

    day: date
    sets: Partition
    labels: Partition | None
    unlabelled: Partition | None

    def inputs(self) -> dict[str, str]:
        """Return the digests of what is read."""
        parts = filter(None, [self.sets, self.labels, self.unlabelled])
        return {part.name: part.require(STEP).digest for part in parts}

    def requests(self) -> int:
        """Return how many requests are learned from; refuse labels of other candidate sets."""
        rows = self.sets.require(STEP).rows
        if self.labels is None:
            return rows
        labelled, lost = self.labels.require(STEP).rows, self.unlabelled.require(STEP).rows
        if labelled + lost != rows:
            raise Refused(
                f"{self.labels.name} has {labelled:,} requests and {self.unlabelled.name} "
                f"{lost:,}, but {self.sets.name} has {rows:,}; label the day again: "
                f"python -m jobs.label_candidates --date {self.day} --profile ... --force"
            )
        return labelled


def check_labels(part: Partition, sets: Partition, version: str) -> None:
    """Refuse labels of another model than the day's, or of candidates that it has no more."""
    given, live = part.require("label_candidates").inputs, sets.require(STEP).digest
    day = dict(part.keys)["dt"]
    if given.get("model", version) != version:
        wrong = f"of model {given['model']}, and model {version} is promoted on {day}"
    elif given.get(sets.name, live) != live:
        wrong = f"of other candidates than {sets.name} holds now"
    else:
        return
    raise Refused(
        f"{part.name} is {wrong}; label the day again: python -m jobs.label_candidates "
        f"--lake {part.root} --date {day} --profile ... --force"
    )


def window(task: Task, bootstrap: bool) -> list[WindowDay]:
    """Return the days to train on; refuse a day whose labels are missing."""
    task.lake.partition("candidate_sets", task.day).require("build_candidates")
    days = []
    for day in task.lake.days("candidate_sets", task.day, task.profile.training.train_days):
        sets = task.lake.partition("candidate_sets", day)
        labels = unlabelled = None
        if not bootstrap:
            version = Registry(task.lake).promoted(day)
            if version is None:
                raise Refused(
                    f"no model is promoted on {day}, a day of the training window; "
                    f"run promote and label_candidates for it"
                )
            name = teacher_id(task.profile.teacher, task.profile.policy, version)
            labels, unlabelled = (
                task.lake.partition(table, day, teacher_id=name)
                for table in ("teacher_labels", "unlabelled")
            )
            for part in (labels, unlabelled):
                check_labels(part, sets, version)
        days.append(WindowDay(day, sets, labels, unlabelled))
    return days


def read_window(spark: SparkSession, days: list[WindowDay], share: float) -> DataFrame:
    """Return the window's requests: candidate_sets with request_dt, is_validation and win."""
    frames = []
    for part in days:
        sets = read_partition(spark, part.sets)
        if part.labels is None:
            sets = sets.withColumn("win", F.expr("transform(item_id, x -> 0)"))
        else:
            labels = read_partition(spark, part.labels)
            sets = sets.join(labels.select("request_id", "win"), "request_id")
        ordinal = (part.day - date(1970, 1, 1)).days
        frames.append(sets.withColumn("request_dt", F.lit(ordinal)))
    user = F.col("user_id").cast("string").cast("binary")
    held_out = (F.crc32(user) % 10_000 < round(share * 10_000)).cast("int")
    return reduce(DataFrame.unionByName, frames).withColumn("is_validation", held_out)


def write_examples(
    spark: SparkSession, requests: DataFrame, encoder: ExampleEncoder, folder: Path, files: int
) -> None:
    """Write the rows, spread over files and in an order that is shuffled but always the same."""
    shared = spark.sparkContext.broadcast(encoder)
    wanted = ["request_id", "request_dt", "is_validation"]
    per_item = ["exposed", "shown_rank", "label", "win"]
    columns = dict.fromkeys([*wanted, *per_item, *input_columns(encoder.fields)])

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from shared.value(batches)

    spread = requests.select(*columns).repartition(files, F.xxhash64("request_id"))
    ordered = spread.sortWithinPartitions(
        "is_validation", F.xxhash64("request_id"), "request_id", "request_dt"
    )
    rows = ordered.mapInArrow(work, spark_schema(encoder.table))
    # A file holds one split, so that Petastorm reads no row that it then throws away.
    split = rows.withColumn("split", F.col("is_validation"))
    names = {TRAINING: "split=0/*.parquet", VALIDATION: "split=1/*.parquet"}
    write_files(split, folder, names, by=("split",))


def build(task: Task, args: argparse.Namespace) -> None:
    """Learn the vocabulary of the window, encode its requests, publish both."""
    if args.bootstrap and Registry(task.lake).trained_before(task.day):
        raise NothingToDo(f"a model was trained before {task.day}; no base DCN is needed")
    profile, training = task.profile, task.profile.training
    days = window(task, args.bootstrap)
    name, base = WITHOUT_TEACHER, None
    inputs = reduce(dict.__or__, [part.inputs() for part in days])
    if not args.bootstrap:
        version = Registry(task.lake).promoted(task.day)
        name = teacher_id(profile.teacher, profile.policy, version)
        if training.grow_vocabulary:
            base = known_tokens(Registry(task.lake), version, profile.fields)
            inputs["model"] = version
    output = Publication(
        task.lake.partition("examples", task.day, teacher_id=name),
        step=STEP,
        inputs=inputs,
        parameters={
            "fields": dataclasses.asdict(profile.fields),
            "max_candidates": training.max_candidates,
            "min_count": training.min_count,
            "validation_share": training.validation_share,
            "unexposed_as_negative": profile.unexposed_as_negative,
        },
    )
    if task.is_done(output):
        return
    expected = sum(part.requests() for part in days)
    left_out = sum(part.sets.require(STEP).rows for part in days) - expected
    with output.attempt() as folder, spark_session(STEP, args.master) as spark:
        requests = read_window(spark, days, training.validation_share)
        vocabulary = learn_vocabulary(requests, profile.fields, training.min_count, base)
        vocabulary.save(folder / VOCABULARY)
        pq.write_table(newest_fields(requests, profile.fields), folder / ITEMS)
        table = output.partition.table
        encoder = ExampleEncoder(
            profile.fields,
            table,
            vocabulary,
            training.max_candidates,
            profile.unexposed_as_negative,
        )
        seen, limit = Observation(STEP), training.max_candidates
        observed = requests.observe(
            seen,
            F.sum(F.greatest(F.col("n_candidates") - limit, F.lit(0))).alias("cut"),
            F.sum(F.expr(f"aggregate(slice(win, {limit + 1}, 1000000), 0, (a, x) -> a + x)")).alias(
                "cut_winners"
            ),
        )
        files = max(MIN_FILES, math.ceil(expected / FILE_REQUESTS))
        write_examples(spark, observed, encoder, folder, files)
        counts = {"days": len(days), "unlabelled": left_out, **seen.get}
        live = output.publish(folder, counts, rows=expected)
    note = (
        f"{len(days)} days, {counts['cut']:,} candidates and {counts['cut_winners']:,} winners cut"
    )
    lost = f"{left_out:,} without labels, " if left_out else ""
    requests = f"{expected + left_out:,} requests in, {lost}{live.rows:,} out"
    task.made(output, f"{requests}; {note}", "train")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, build)


if __name__ == "__main__":
    sys.exit(main())
