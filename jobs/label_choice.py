"""Which teacher and which model label a day, where a run asks for others than the day's own."""

import argparse
import dataclasses

from jobs.cli import Task
from jobs.errors import Refused
from jobs.manifest import Manifest
from jobs.profile.config import Profile
from jobs.registry import KNOWN, NAMED, Registry
from jobs.teacher import teacher_id
from model.config import USES, TeacherConfig
from model.layout import ITEMS


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the flags by which a run labels under another teacher or model."""
    parser.add_argument(
        "--teacher", metavar="NAME", help="label by this teacher alone, not by the profile's"
    )
    parser.add_argument(
        "--weight",
        type=float,
        metavar="LAMBDA",
        help="the weight of diversity of --teacher, or of the profile's first teacher",
    )
    parser.add_argument(
        "--model",
        metavar="VERSION",
        help="label on f, e and u of this version, not of the model promoted on the day",
    )


def chosen_profile(profile: Profile, args: argparse.Namespace) -> Profile:
    """Return the profile with the one teacher that is asked for; refuse one that cannot be.

    It has the parameters of the profile's teacher of that name, or else usual ones and the K of the
    profile's first teacher.
    """
    if args.teacher is None and args.weight is None:
        return profile
    named = {teacher.name: teacher for teacher in reversed(profile.teachers)}
    name = profile.teacher.name if args.teacher is None else args.teacher
    weight = {} if args.weight is None else {"diversity_weight": args.weight}
    try:
        base = named.get(name) or TeacherConfig(name=name, k=profile.teacher.k)
        teacher = dataclasses.replace(base, **weight)
        return dataclasses.replace(profile, teacher=teacher, further_teachers=())
    except ValueError as error:
        problems = "; ".join(str(error).splitlines())
        raise Refused(f"--teacher {name}, --weight {args.weight}: {problems}") from error


def flags_of(live: Manifest, profile: Profile) -> list[str] | None:
    """Return the flags that label again under the teacher of some labels; None if none do so.

    There are none of them where it is a teacher of the profile.
    """
    version, name = live.parameters["model_version"], live.partition["teacher_id"]
    said = live.parameters["teacher"]
    weight = said["diversity_weight"] if "diversity_weight" in USES.get(said["name"], ()) else None
    asked = argparse.Namespace(teacher=said["name"], weight=weight)

    def labels_so(other: Profile) -> bool:
        return name in {teacher_id(teacher, other.policy, version) for teacher in other.teachers}

    if labels_so(profile):
        return []
    try:
        chosen = chosen_profile(profile, asked)
    except Refused:
        return None
    if not labels_so(chosen):
        return None
    return ["--teacher", asked.teacher, *([] if weight is None else ["--weight", str(weight)])]


def chosen_version(task: Task, asked: str | None) -> str:
    """Return the version that labels the day; refuse where there is none, with the next step."""
    registry = Registry(task.lake)
    if asked is not None:
        return exported(registry, asked)
    version = registry.promoted(task.day)
    if version is None:
        raise Refused(
            f"no model is promoted on {task.day}; decide it first: "
            f"python -m jobs.promote --lake {task.lake.root} --date {task.day} --profile ..."
        )
    return version


def exported(registry: Registry, version: str) -> str:
    """Return a version that a person named; refuse one that is not there or has no vectors."""
    if version not in registry:
        raise Refused(
            f"--model: model version {version!r} is not in {registry.lake.models}; "
            f"{_newest(registry)}"
        )
    vectors = registry.trained_items(version)
    if not vectors.is_file():
        raise Refused(
            f"--model: version {version} has no item vectors, so its training did not end: "
            f"{vectors} is missing; {_newest(registry)}"
        )
    return version


def _newest(registry: Registry) -> str:
    """Return the versions that can label, the newest first."""
    files = registry.lake.models.glob(f"*/{ITEMS}/{KNOWN}")
    newest = sorted(files, key=lambda path: (-path.stat().st_mtime, path))
    names = [path.parents[1].name for path in newest]
    return f"versions that can label, newest first: {', '.join(names[:NAMED]) or 'none'}"
