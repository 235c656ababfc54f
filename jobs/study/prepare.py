"""A data set's days in a lake of the study's own, made by the pipeline's own steps."""

import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

from jobs import build_candidates, build_examples, import_logs, simulate_logs
from jobs.cli import Task
from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.spark_session import spark_session
from jobs.study.config import DataSet


def profile_of(data: DataSet, seed: int) -> Profile:
    """Return the data set's profile under a seed."""
    profile = load_profile(data.profile)
    changes = {"training.seed": seed, "training.train_days": data.train_days} | data.changes
    if profile.source.kind == "simulated":
        changes = {"world.seed": seed} | changes
    for key, value in changes.items():
        section, _, name = key.partition(".")
        try:
            changed = dataclasses.replace(getattr(profile, section), **{name: value})
            profile = dataclasses.replace(profile, **{section: changed})
        except (AttributeError, TypeError, ValueError) as error:
            raise Refused(f"data set {data.name!r}, changes.{key} = {value!r}: {error}") from error
    return profile


def is_simulated(data: DataSet) -> bool:
    """Whether a data set is a simulated world."""
    return load_profile(data.profile).source.kind == "simulated"


def lake_of(data: DataSet, seed: int, folder: Path) -> Path:
    """Return where the days lie: a simulated world has a lake for each seed."""
    return folder / "lakes" / data.name / (str(seed) if is_simulated(data) else "all")


def prepare(data: DataSet, seed: int, folder: Path) -> None:
    """Make what is not there yet: logs, candidate sets and the training days' vocabulary."""
    profile, lake = profile_of(data, seed), lake_of(data, seed, folder)
    simulated = is_simulated(data)

    def run(step: ModuleType, make: Callable[..., None], day: date, *flags: str) -> None:
        asked = ["--lake", str(lake), "--date", str(day), "--profile", data.profile, *flags]
        args = step.build_parser().parse_args(asked)
        args.profile = profile
        make(Task(step.STEP, args), args)

    with spark_session("study", "local[2]"):
        for day in [*data.training_days, data.validation_day, data.test_day]:
            if simulated:
                run(simulate_logs, simulate_logs.simulate, day)
            else:
                run(import_logs, import_logs.import_day, day)
            run(build_candidates, build_candidates.build, day)
            if day == data.training_days[-1]:
                run(build_examples, build_examples.build, day, "--bootstrap")
