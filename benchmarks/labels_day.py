"""One way to label one day of a lake that benchmarks.labels_lake made, once and in one process.

  jobs       the jobs as the DAG runs them, model and audit included
  given      the label job with f and u given: the teacher's cost without the model's
  alone      one process without Spark: pyarrow, the same labeller, the same columns out
  joined     Spark as many would write it: join the vectors, groupBy.applyInPandas, pyversity

`given`, `alone --scores given` and `joined` take the pre-ranking score, a probability here, as f.
Spark has one worker unless --master says otherwise, as what runs alone has one thread: two cores
that share a memory bus make each other's work longer, and that is no cost of Spark.
"""

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from jobs import build_candidates, label_candidates
from jobs.candidate_pieces import READ_REQUESTS, batches, pieces
from jobs.candidate_task import grouped
from jobs.features import flat
from jobs.item_vectors import ItemVectors
from jobs.label_task import LabelTask, write_labels
from jobs.labeller import Labeller
from jobs.lake import Lake, Partition, parse_day
from jobs.parquet_file import TableWriter
from jobs.profile.load import load_profile
from jobs.publish import Publication
from jobs.registry import Registry
from jobs.scorer import Scores
from jobs.spark_session import spark_session
from jobs.spark_tasks import TaskOutput

WAYS = ("jobs", "given", "alone", "joined")
SOURCES = ("request_logs", "candidate_sets")
WEIGHT, K = 0.25, 50


@dataclass(frozen=True, slots=True)
class GivenScores:
    """Stands where the model does."""

    width: int

    def __call__(self, sets: pa.RecordBatch) -> Scores:
        """Return f [C], the pre-ranking score, and u [R, d], all ones."""
        f = flat(sets["score"]).to_numpy().astype(np.float32)
        return Scores(f, np.ones((sets.num_rows, self.width), np.float32))


@dataclass(frozen=True, slots=True)
class GivenLabelTask(LabelTask):
    """A task of the label job without a model."""

    def labeller(self) -> Labeller:
        """Return a labeller of given scores."""
        vectors = ItemVectors.read(self.vectors)
        scores = GivenScores(vectors.e.shape[1])
        return Labeller(self.fields, self.teachers, self.policy, self.model.name, scores, vectors)


class Day:
    """A day of the lake and where its labels go."""

    def __init__(self, folder: Path, day: str) -> None:
        """Open the lake."""
        self.folder, self.day = folder, parse_day(day)
        self.profile = load_profile(str(folder / "size.toml"))
        self.lake = Lake(folder / "lake", self.profile.tables)
        self.registry = Registry(self.lake)
        self.version = self.registry.trained_before(self.day)

    def partition(self, table: str) -> Partition:
        """Return one of its partitions."""
        return self.lake.partition(table, self.day)

    def task(self, kind: type[LabelTask], folder: Path, sets: list[Path]) -> LabelTask:
        """Return the label job's task, its vectors written."""
        vectors = folder / "vectors"
        ItemVectors.write([self.registry.trained_items(self.version)], vectors)
        labels = TaskOutput(folder, self.lake.tables["teacher_labels"], "teacher_labels")
        return kind(
            self.registry.folder(self.version),
            vectors,
            self.profile.fields,
            (self.profile.teacher,),
            self.profile.policy,
            (labels,),
            tuple(pieces(sets)),
        )


def run_step(step: ModuleType, day: Day, *flags: str) -> None:
    """Run a command; stop where it does not end well: it has said why."""
    where = ["--lake", str(day.lake.root), "--profile", str(day.folder / "size.toml")]
    if code := step.main([*where, "--date", str(day.day), *flags]):
        raise SystemExit(code)


def label_given(day: Day, master: str) -> None:
    """Run the label job with given scores."""
    partition = day.lake.partition("teacher_labels", day.day, teacher_id="given")
    output = Publication(partition, step="given", inputs={}, parameters={})
    with spark_session("given", master) as spark, output.attempt() as folder:
        task = day.task(GivenLabelTask, folder, day.partition("candidate_sets").files())
        (written,) = write_labels(spark, task, print)
        shutil.rmtree(task.vectors)
        output.publish(folder, {}, audits=written.audits)


def run_alone(day: Day, source: str, scores: str) -> None:
    """Label in this process."""
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    folder = day.folder / "alone"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    kind = GivenLabelTask if scores == "given" else LabelTask
    with TableWriter(folder / "labels.parquet", day.lake.tables["teacher_labels"]) as writer:
        files = day.partition(source).files()
        if source == "request_logs":
            logs = pa.concat_tables([pq.read_table(path, use_threads=False) for path in files])
            sets, _ = grouped(logs, day.lake.tables["candidate_sets"])
            labeller = day.task(kind, folder, []).labeller()
            found = sets.to_batches(READ_REQUESTS)
        else:
            task = day.task(kind, folder, files)
            labeller = task.labeller()
            found = (part for piece in task.pieces for part in batches(piece, labeller.columns))
        for part in found:
            writer.write(labeller.label(part)[0].labels)


def run_joined(day: Day, master: str) -> None:
    """Join each candidate with its vector, group in Spark, pick with pyversity."""
    from pyversity import Strategy, diversify

    def picked(request: pd.DataFrame) -> pd.DataFrame:
        theirs = diversify(
            np.stack(request["e"].to_numpy()),
            request["score"].to_numpy(),
            K,
            strategy=Strategy.MMR,
            diversity=WEIGHT / (1 + WEIGHT),
        ).indices
        rank = np.zeros(len(request), np.int32)
        rank[theirs] = np.arange(1, len(theirs) + 1)
        kept = request[["request_id", "item_id", "score"]]
        return kept.assign(win=(rank > 0).astype("int32"), pick_order=rank)

    schema = "request_id string, item_id bigint, score double, win int, pick_order int"
    vectors = day.registry.folder(day.version) / "items.parquet"
    with spark_session("joined", master) as spark:
        logs = spark.read.parquet(*map(str, day.partition("request_logs").files()))
        logs = logs.select("request_id", "item_id", "score")
        rows = logs.join(spark.read.parquet(str(vectors)), "item_id").groupBy("request_id")
        out = str(day.folder / "joined")
        rows.applyInPandas(picked, schema).write.mode("overwrite").parquet(out)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.labels_day",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.labels_day --folder /tmp/labels "
        "--date 2026-01-01 --way alone --source candidate_sets --scores given",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="what labels_lake made")
    parser.add_argument("--date", required=True, help="the day, YYYY-MM-DD")
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--source", choices=SOURCES, default="candidate_sets", help="where from")
    parser.add_argument("--master", default="local[1]", help="of Spark (default: local[1])")
    parser.add_argument("--scores", choices=("model", "given"), default="model", help="of alone")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Label the day once."""
    args = build_parser().parse_args(argv)
    day = Day(args.folder, args.date)
    again = ("--force", "--master", args.master)
    if args.way in ("jobs", "given") and args.source == "request_logs":
        run_step(build_candidates, day, *again)
    if args.way == "jobs":
        run_step(label_candidates, day, *again)
    elif args.way == "given":
        label_given(day, args.master)
    elif args.way == "alone":
        run_alone(day, args.source, args.scores)
    else:
        run_joined(day, args.master)
    return 0


if __name__ == "__main__":
    sys.exit(main())
