"""A data set's days in a lake of the study's own, made by the pipeline's own steps."""

import argparse
import dataclasses
from pathlib import Path

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
    days = [*data.training_days, data.validation_day, data.test_day]
    simulated = is_simulated(data)
    with spark_session("study", "local[2]"):
        for day in days:
            args = argparse.Namespace(
                lake=lake,
                date=day,
                profile=profile,
                force=False,
                master=None,
                bootstrap=True,
                source=None,
            )
            if simulated:
                vars(args).update(dict.fromkeys(simulate_logs.SIZES))
                simulate_logs.simulate(Task("simulate_logs", args), args)
            else:
                import_logs.import_day(Task("import_logs", args), args)
            build_candidates.build(Task("build_candidates", args), args)
            if day == data.training_days[-1]:
                build_examples.build(Task("build_examples", args), args)
