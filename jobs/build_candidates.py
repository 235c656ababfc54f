"""Group a day's logs into candidate sets, one request a row, candidates best first.

Reads request_logs, writes candidate_sets. The order is defined once and for all here: pre-ranking
score down, then item id up; every later list is parallel to it.
"""

import argparse
import math
import sys

from jobs.candidate_pieces import pieces
from jobs.candidate_task import CandidateTask
from jobs.cli import Task, add_master, run, step_parser
from jobs.errors import Refused
from jobs.log_blocks import MOST_PARTS, BlockTask, shuffled
from jobs.publish import Publication
from jobs.spark_session import spark_session
from jobs.spark_tasks import TaskOutput, run_tasks

STEP = "build_candidates"
READS = ("request_logs",)
WRITES = ("candidate_sets",)
TASK_ROWS = 500_000
"""Log rows of a task, which holds all of them at once in 200 to 300 MB."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--master 'local[2]'")
    add_master(parser)
    return parser


def build(task: Task, args: argparse.Namespace) -> None:
    """Group, check that each request has one user and one context, publish."""
    source = task.lake.partition("request_logs", task.day)
    logs = source.require("ingest")
    output = Publication(
        task.lake.partition("candidate_sets", task.day),
        step=STEP,
        inputs={source.name: logs.digest},
        parameters={},
    )
    if task.is_done(output):
        return
    with output.attempt() as folder, spark_session(STEP, args.master) as spark:
        sets = TaskOutput(folder, output.partition.table, output.partition.name)
        tasks = math.ceil(logs.rows / TASK_ROWS)
        parts = max(tasks, min(8 * tasks, MOST_PARTS))
        cut = BlockTask(tuple(pieces(source.files(), TASK_ROWS)), source.table.names, parts)
        frame = shuffled(spark, cut, tasks)
        (written,) = run_tasks(frame, CandidateTask(sets), [sets], task.say)
        torn = [facts["torn"] for facts in written.facts if facts["torn"] is not None]
        if torn:
            raise Refused(
                f"{source.name}: request_id {min(torn)!r} has rows of different users, times "
                "or contexts; a request has one of each. Mend the source and ingest it again"
            )
        candidates = sum(facts["candidates"] for facts in written.facts)
        longest = max(facts["longest"] for facts in written.facts)
        if candidates != logs.rows:
            raise RuntimeError(f"{candidates} candidates of {logs.rows} log rows were grouped")
        live = output.publish(
            folder,
            {"log_rows": logs.rows, "candidates": candidates, "longest": longest},
            audits=written.audits,
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
