"""What a day's model is made of: its examples, its settings, and the model that it starts from."""

import argparse
import dataclasses
from dataclasses import dataclass
from typing import Any

from jobs.cli import Task
from jobs.errors import NothingToDo, Refused
from jobs.lake import Partition
from jobs.registry import Registry
from jobs.teacher import WITHOUT_TEACHER, teacher_id

STEP = "train"
DISTRIBUTORS = ("torchrun", "spark")
"""What may start several processes."""


def training_set(task: Task, bootstrap: bool) -> Partition:
    """Return the examples that this model learns from."""
    registry = Registry(task.lake)
    if bootstrap:
        if registry.trained_before(task.day):
            raise NothingToDo(f"a model was trained before {task.day}; no base DCN is needed")
        partition = task.lake.partition("examples", task.day, teacher_id=WITHOUT_TEACHER)
        partition.require("build_examples --bootstrap")
        return partition
    version = registry.promoted(task.day)
    if version is None:
        raise Refused(f"no model is promoted on {task.day}; run promote and label_candidates first")
    name = teacher_id(task.profile.teacher, task.profile.policy, version)
    partition, labels = (
        task.lake.partition(table, task.day, teacher_id=name)
        for table in ("examples", "teacher_labels")
    )
    if labels.name not in partition.require("build_examples").inputs:
        raise Refused(
            f"{partition.name} was not made from {labels.name}, the labels of the profile's "
            f"teacher under model {version}; make it again: python -m jobs.build_examples "
            f"--lake {task.lake.root} --date {task.day} --profile ... --force"
        )
    return partition


@dataclass(frozen=True, slots=True)
class Plan:
    """What a day's model is a function of."""

    source: Partition
    inputs: dict[str, str]
    parameters: dict[str, Any]
    base: str | None
    """The model version that the weights start from."""

    @property
    def bootstrap(self) -> bool:
        """Whether the model is the base DCN of the first day."""
        return self.parameters["kind"] == "dcn"

    @classmethod
    def of(cls, task: Task, args: argparse.Namespace) -> "Plan":
        """Return the plan of a day; refuse one without examples, or that cannot be shared out."""
        batch_size = task.profile.training.batch_size
        if not 1 <= args.processes <= batch_size:
            raise Refused(
                f"--processes {args.processes} is not from 1 to {batch_size}, which is "
                "training.batch_size: each has a part of a batch. Give fewer or raise that"
            )
        source = training_set(task, args.bootstrap)
        parameters = {
            "kind": "dcn" if args.bootstrap else "cdm",
            "fields": dataclasses.asdict(task.profile.fields),
            "model": dataclasses.asdict(task.profile.model),
            "training": dataclasses.asdict(task.profile.training),
            # Both decide which requests meet in a batch, and so the weights.
            "feed": args.feed,
            "processes": args.processes,
        }
        inputs = {source.name: source.require("build_examples").digest}
        base = None
        if task.profile.training.warm_start and not args.bootstrap:
            base = Registry(task.lake).promoted(task.day)
            inputs["model"] = base
        return cls(source, inputs, parameters, base)
