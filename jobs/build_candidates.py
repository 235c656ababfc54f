"""Group a day's logs into candidate sets, one request a row, candidates best first.

Reads request_logs, writes candidate_sets. The order is defined once and for all here: pre-ranking
score down, then item id up; every later list is parallel to it.
"""

import argparse
import sys

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.publish import Publication
from jobs.spark_session import add_master, read_partition, spark_session, write_version
from schemas.table import Table

STEP = "build_candidates"
READS = ("request_logs",)
WRITES = ("candidate_sets",)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--master 'local[2]'")
    add_master(parser)
    return parser


def with_candidate_sets(logs: DataFrame, sets: Table) -> DataFrame:
    """Return one row a request, with `is_torn` where its rows contradict each other."""
    listed = [c.name for c in sets.per_candidate()]
    heads = [
        c.name
        for c in sets.columns
        if not c.is_list and c.name not in ("request_id", "n_candidates")
    ]
    # A struct sorts by its first fields; 0.0 - score turns -0.0 into 0.0 on the way.
    candidate = F.struct(
        (F.lit(0.0) - F.col("score")).alias("descending"),
        F.col("item_id"),
        *[F.col(name) for name in listed if name != "item_id"],
    )
    head = F.struct(*[F.col(name) for name in heads])
    grouped = logs.groupBy("request_id").agg(
        F.min(head).alias("head"),
        F.max(head).alias("other_head"),
        F.sort_array(F.collect_list(candidate)).alias("candidates"),
    )

    def column(name: str) -> Column:
        if name == "request_id":
            return F.col(name)
        if name == "n_candidates":
            return F.size("candidates").alias(name)
        return F.col(("candidates." if name in listed else "head.") + name).alias(name)

    return grouped.select(
        *[column(name) for name in sets.names],
        (F.col("head") != F.col("other_head")).alias("is_torn"),
    )


def build(task: Task, args: argparse.Namespace) -> None:
    """Group, check that each request has one user and one context, publish."""
    source = task.lake.partition("request_logs", task.day)
    logs = source.require("ingest")
    sets = task.lake.tables["candidate_sets"]
    output = Publication(
        task.lake.partition("candidate_sets", task.day),
        step=STEP,
        inputs={source.name: logs.digest},
        parameters={},
    )
    if task.is_done(output):
        return
    with spark_session(STEP, args.master) as spark, output.attempt() as folder:
        seen = Observation(STEP)
        frame = with_candidate_sets(read_partition(spark, source), sets).observe(
            seen,
            F.sum("n_candidates").alias("candidates"),
            F.max("n_candidates").alias("longest"),
            F.min(F.when(F.col("is_torn"), F.col("request_id"))).alias("torn"),
        )
        write_version(frame.sortWithinPartitions("request_id"), sets, folder)
        counts = seen.get
        if counts["torn"] is not None:
            raise Refused(
                f"{source.name}: request_id {counts['torn']!r} has rows of different users, times "
                "or contexts; a request has one of each. Mend the source and ingest it again"
            )
        candidates, longest = counts["candidates"], counts["longest"]
        if candidates != logs.rows:
            raise RuntimeError(f"{candidates} candidates of {logs.rows} log rows were grouped")
        live = output.publish(
            folder, {"log_rows": logs.rows, "candidates": candidates, "longest": longest}
        )
    note = (
        f"{logs.rows:,} log rows in, {candidates:,} candidates out; "
        f"{candidates / live.rows:.1f} a request, {longest} at most"
    )
    task.made(output, note, "score")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, build)


if __name__ == "__main__":
    sys.exit(main())
