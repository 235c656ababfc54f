"""Rank a day's candidate sets with a model that never saw the day, and with what it is judged by.

Reads candidate_sets and models, writes rankings: what the newest earlier model serves (stored as
cdm), its DCN alone, MMR re-ranking of that DCN, the pre-ranker, a random order, and what the
promoted model serves where it is another. Either engine makes the same rows, to the bit.
"""

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from jobs.candidate_pieces import batches, pieces
from jobs.cli import Task, add_master, run, step_parser
from jobs.errors import NothingToDo, Refused
from jobs.lake import Partition
from jobs.publish import Publication
from jobs.registry import Registry

STEP = "score"
READS = ("candidate_sets",)
WRITES = ("rankings",)
ENGINES = ("torch", "spark")


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__)
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="torch",
        help="one process (torch, the default), or Spark's executors for a day of many requests",
    )
    add_master(parser)
    return parser


def in_one_process(
    task: Task, models: tuple[Path, ...], source: Partition, output: Publication, counts: dict
) -> None:
    """Rank request after request, and publish."""
    # Each engine is slow to start, so none waits for the other's.
    from jobs.ranker import Ranker

    profile = task.profile
    ranker = Ranker.open(
        models, profile.fields, profile.ranking, profile.depth, output.partition.table
    )

    def rows() -> Iterator[pa.Table]:
        done = 0
        for piece in pieces(source.files()):
            for sets in batches(piece, ranker.columns):
                yield ranker.rank(sets)
                done += sets.num_rows
                task.progress(done, counts["requests"], "requests")

    output.publish_rows(rows(), counts)


def in_spark(
    task: Task,
    models: tuple[Path, ...],
    source: Partition,
    output: Publication,
    counts: dict,
    master: str | None,
) -> None:
    """Rank the pieces of the day, a Spark task each, and publish what the tasks wrote."""
    from jobs.score_task import ScoreTask, write_rankings
    from jobs.spark_session import spark_session
    from jobs.spark_tasks import TaskOutput

    profile, rankings = task.profile, output.partition
    with output.attempt() as folder, spark_session(STEP, master) as spark:
        work = ScoreTask(
            models,
            profile.fields,
            profile.ranking,
            profile.depth,
            TaskOutput(folder, rankings.table, rankings.name),
            tuple(pieces(source.files())),
        )
        written = write_rankings(spark, work, task.say)
        output.publish(folder, counts, audits=written.audits)


def score(task: Task, args: argparse.Namespace) -> None:
    """Rank the day by every method and publish."""
    if args.master is not None and args.engine != "spark":
        raise Refused(
            f"--master {args.master} says where Spark runs, and --engine {args.engine} uses none; "
            "add --engine spark or leave --master out"
        )
    registry, profile = Registry(task.lake), task.profile
    candidate = registry.trained_before(task.day)
    if candidate is None:
        raise NothingToDo(f"no model was trained before {task.day}; the first day is not ranked")
    promoted = registry.promoted_before(task.day)
    source = task.lake.partition("candidate_sets", task.day)
    sets = source.require("build_candidates")
    # The engine is no parameter: what it makes does not hang on it.
    output = Publication(
        task.lake.partition("rankings", task.day),
        step=STEP,
        inputs={source.name: sets.digest, "candidate": candidate, "promoted": promoted or ""},
        parameters=dataclasses.asdict(profile.ranking) | {"depth": profile.depth},
    )
    if task.is_done(output):
        return
    versions = dict.fromkeys([candidate, promoted or candidate])
    models = tuple(registry.folder(version) for version in versions)
    counts = {"requests": sets.rows, "depth": profile.depth}
    if args.engine == "spark":
        in_spark(task, models, source, output, counts, args.master)
    else:
        in_one_process(task, models, source, output, counts)
    note = f"{sets.rows:,} requests to {profile.depth} places by model {candidate}"
    task.made(output, note, "evaluate")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, score)


if __name__ == "__main__":
    sys.exit(main())
