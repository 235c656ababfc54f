"""What labelling a day leaves: for each teacher labels, requests without any, and their account."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.cli import Task
from jobs.errors import Refused
from jobs.lake import Partition
from jobs.policy import policy_told
from jobs.publish import Publication
from jobs.spark_tasks import Written
from jobs.teacher import teacher_id, teacher_told
from model.config import PolicyConfig, TeacherConfig
from schemas.arrow import arrow_schema
from schemas.label_tables import relaxed_column

STEP = "label_candidates"
TABLES = ("teacher_labels", "unlabelled")
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Output:
    """The two partitions of one teacher."""

    teacher: TeacherConfig
    labels: Publication
    unlabelled: Publication

    @property
    def name(self) -> str:
        """The teacher's id."""
        return dict(self.labels.partition.keys)["teacher_id"]


def outputs_of(task: Task, source: Partition, version: str) -> list[Output]:
    """Return what each teacher of the profile is to make of a day's candidate sets."""
    policy, digest = task.profile.policy, source.require("build_candidates").digest
    made = []
    for teacher in task.profile.teachers:
        name = teacher_id(teacher, policy, version)
        labels, unlabelled = (
            Publication(
                task.lake.partition(table, task.day, teacher_id=name),
                step=STEP,
                inputs={source.name: digest, "model": version},
                parameters={
                    "teacher": dataclasses.asdict(teacher),
                    "policy": dataclasses.asdict(policy),
                    "model_version": version,
                },
            )
            for table in TABLES
        )
        made.append(Output(teacher, labels, unlabelled))
    return made


def unlabelled_of(written: Written) -> dict[object, str]:
    """Return why each request has no labels, by its id."""
    return dict(pair for facts in written.facts for pair in facts["unlabelled"])


def check_unlabelled(
    output: Output, reasons: dict[object, str], requests: int, policy: PolicyConfig
) -> None:
    """Refuse a teacher that had to leave out more requests than the policy allows."""
    if len(reasons) <= policy.max_unlabelled * requests:
        return
    few = sorted(reasons.items())[:EXAMPLES]
    told = "; ".join(f"request {request!r}: {reason}" for request, reason in few)
    more = f" (and {len(reasons) - len(few):,} more)" if len(reasons) > len(few) else ""
    raise Refused(
        f"{len(reasons):,} of {requests:,} requests cannot keep the rules of the policy under "
        f"teacher {output.name}, more than policy.max_unlabelled = {policy.max_unlabelled:g} "
        f"allows: {told}{more}. Weaken the rule, let it give way (policy.relax), or allow more"
    )


def publish_labels(
    task: Task, output: Output, folder: Path, written: Written, requests: int
) -> None:
    """Publish a teacher's labels in the folder and what it could not label; say how many of each.

    The labels come last: where they are live, so is the account of what they leave out.
    """
    policy, reasons = task.profile.policy, unlabelled_of(written)
    counts = {"requests": requests, "unlabelled": len(reasons), **relaxations(folder, policy)}
    schema = arrow_schema(output.unlabelled.partition.table)
    lost = pa.Table.from_pydict(
        {"request_id": sorted(reasons), "reason": [reasons[r] for r in sorted(reasons)]}, schema
    )
    output.unlabelled.publish_rows([lost], {"requests": requests})
    live = output.labels.publish(folder, counts, requests - len(reasons), written.audits)
    model = f"model {live.parameters['model_version']}"
    rules = f"; {policy_told(policy)}" if policy.has_rules else ""
    relaxed = f"; {counts['relaxed']:,} relaxations" if policy.relax else ""
    account = f"{requests:,} requests in = {live.rows:,} labelled + {len(reasons):,} unlabelled"
    note = f"{account}{relaxed}; {teacher_told(output.teacher)}, {model}{rules}"
    task.made(output.labels, note)


def relaxations(folder: Path, policy: PolicyConfig) -> dict[str, int]:
    """Count how often rules gave way in the labels of a folder: in all, and by rule."""
    names = ["relaxed", *(relaxed_column(rule) for rule in policy.relax)]
    rows = pa.concat_tables(
        pq.read_table(path, columns=names) for path in sorted(folder.glob("*.parquet"))
    )
    return {name: pc.sum(rows[name]).as_py() or 0 for name in names}
