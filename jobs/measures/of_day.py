"""The measures of a table's day as a partition of their own, and those of the days before."""

import dataclasses
from datetime import date, timedelta
from typing import Any

from jobs.cli import Task
from jobs.lake import Lake, Partition
from jobs.measures.measured import Measured, as_rows, from_rows
from jobs.publish import Publication
from jobs.registry import Registry
from jobs.teacher import WITHOUT_TEACHER, teacher_id
from model.config import USES, TeacherConfig
from schemas.table import Table

BOOTSTRAP = "bootstrap"
"""The part of examples that are for the base DCN of the first day."""
Past = dict[date, dict[tuple[str, str], Measured]]


def before(lake: Lake, of: str, day: date, days: int) -> list[Partition]:
    """Return the measures that a table has on the trailing days, the newest first."""
    trailing = (day - timedelta(days=back) for back in range(1, days + 1))
    found = (lake.partition("measures", then, of=of) for then in trailing)
    return [one for one in found if one.manifest() is not None]


def stored(measures: Partition) -> dict[tuple[str, str], Measured]:
    """Return what a partition of measures holds, by part and name."""
    return from_rows(measures.read()) if measures.manifest().rows else {}


def past(partitions: list[Partition]) -> Past:
    """Return what several hold, by day."""
    return {date.fromisoformat(dict(one.keys)["dt"]): stored(one) for one in partitions}


class Measuring:
    """A table's live parts of a day, to be measured."""

    def __init__(self, task: Task, table: Table, parts: list[Partition]) -> None:
        """Find what the measures are a function of."""
        self.task, self.table, self.parts = task, table, parts
        profile = task.profile
        self.inputs = {part.name: part.manifest().digest for part in parts}
        self.parameters: dict[str, Any] = {"fields": dataclasses.asdict(profile.fields)}
        self.reference = task.lake.partition("reference_items", task.day)
        match table.name:
            case "request_logs":
                self.parameters["day_start"] = profile.day_clock
            case "candidate_sets":
                if self.reference.manifest() is not None:
                    self.inputs[self.reference.name] = self.reference.manifest().digest
                self.parameters |= {
                    "k": profile.teacher.k,
                    "max_candidates": profile.training.max_candidates,
                    # Not an input: a model of yesterday that is trained again makes no table of
                    # today stale.
                    "model": Registry(task.lake).trained_before(task.day) or "",
                }
            case "teacher_labels" | "unlabelled" | "examples":
                self.parameters["teachers"] = self._teachers()

    @property
    def publication(self) -> Publication:
        """Where the measures go."""
        into = self.task.lake.partition("measures", self.task.day, of=self.table.name)
        return Publication(
            into, step=self.task.step, inputs=self.inputs, parameters=self.parameters
        )

    def publish(self) -> None:
        """Measure and publish."""
        # Needs what a rerun that changes nothing does without.
        from jobs.measures.of_table import measure

        output = self.publication
        output.publish_rows([as_rows(measure(self), output.partition.table)], {})

    def _teachers(self) -> dict[str, tuple[str, int, bool]]:
        """Return by teacher_id, new every day, what its part is called on all days.

        With it its K, and whether it is to diversify at all.
        """
        profile = self.task.profile
        version = Registry(self.task.lake).promoted(self.task.day)
        named = {WITHOUT_TEACHER: (BOOTSTRAP, 0, False)}
        for place, teacher in enumerate(profile.teachers if version else ()):
            called = f"further_teachers[{place - 1}]" if place else ""
            name = teacher_id(teacher, profile.policy, version)
            named[name] = called, teacher.k, _diversifies(teacher)
        return named


def _diversifies(teacher: TeacherConfig) -> bool:
    """Whether it is anything else than the K of highest f, as a control may be."""
    if "decay" in USES[teacher.name]:
        return teacher.decay < 1
    return teacher.diversity_weight > 0
