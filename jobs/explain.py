"""Explain one request: why the teacher picked what it picked, and what the models say of it.

Each pick with its gain and what that is made of, computed again from f and u of teacher_labels and
e of the model's items.parquet, and compared with what is stored; beside it the win probability and
the final score by the model that had not seen the day, and by the promoted one where that is
another. Below them the best candidates that were not picked. Without --request it lists those
requests whose picks are farthest from the items of highest f. Reads only.
"""

import argparse
import heapq
import shlex
import shutil
import sys
from bisect import bisect_left

import pyarrow as pa
import torch

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.explanation import View, as_requests, explain, read_label
from jobs.explanation_text import Request, text
from jobs.features import flat
from jobs.lake import Partition
from jobs.load_model import load_model
from jobs.manifest import FILE_NAME
from jobs.printable import printable
from jobs.registry import Registry
from jobs.report.teacher_picks import picks_by_request
from jobs.request_scores import AT_ONCE, score_requests
from jobs.teacher import teacher_id
from model.scorer import Scorer
from schemas.arrow import ARROW_TYPES

STEP = "explain"
LISTED = 5
"""Requests that are listed where none was asked for."""
NEAREST = 3
"""Ids that are named where one is unknown."""
PAPER = (120, 24)
"""Columns and lines where there is no terminal."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, example="--request 20260101-0000007", publishes=False)
    parser.add_argument("--request", metavar="ID", help="the request; without it some are listed")
    parser.add_argument(
        "--teacher", metavar="TEACHER_ID", help="whose labels; without it the profile's teacher's"
    )
    return parser


def labels_of(task: Task, teacher: str | None) -> Partition:
    """Return the labels that were asked for; refuse with those that are there."""
    day, registry = task.day, Registry(task.lake)
    folder = task.lake.partition("teacher_labels", day).path
    there = sorted(path.parent.name.partition("=")[2] for path in folder.glob(f"*/{FILE_NAME}"))
    wanted = teacher
    if wanted is None:
        version = registry.promoted(day)
        profile = task.profile
        wanted = version and teacher_id(profile.teacher, profile.policy, version)
    if wanted in there:
        return task.lake.partition("teacher_labels", day, teacher_id=wanted)
    if not there:
        raise Refused(
            f"no labels of {day} are in {task.lake.root}; make them first: "
            f"python -m jobs.label_candidates --lake {task.lake.root} --date {day} --profile ..."
        )
    missing = f"teacher {teacher!r}" if teacher else f"the profile's own teacher {wanted or ''}"
    raise Refused(
        f"{missing.rstrip()} has no labels of {day}; there are those of {', '.join(there)}: "
        "choose one by --teacher"
    )


def request_key(task: Task, words: str) -> str | int:
    """Return a request id as the tables hold it."""
    kind = task.profile.fields.request_id
    try:
        key = words if kind == "string" else int(words)
        pa.scalar(key, ARROW_TYPES[kind])
    except (ValueError, OverflowError):
        raise Refused(
            f"request {words!r} is no {kind}, as the request ids of this profile are; without "
            "--request some are listed"
        ) from None
    return key


def without_label(task: Task, key: str | int, labels: Partition, *, is_there: bool) -> Refused:
    """Return the refusal of a request without labels: why it has none, or the nearest ids."""
    lost = task.lake.partition("unlabelled", task.day, teacher_id=dict(labels.keys)["teacher_id"])
    row = lost.row("request_id", key)
    if row is not None:
        return Refused(f"request {key!r} has no labels: {row['reason'][0]}")
    if is_there:
        return Refused(
            f"request {key!r} is a request of the day, but neither {labels.name} nor {lost.name} "
            "has it; label the day again with python -m jobs.label_candidates"
        )
    ids = sorted(x for batch in labels.batches(["request_id"]) for x in batch[0].to_pylist())
    at = max(0, min(bisect_left(ids, key) - 1, len(ids) - NEAREST))
    near = ", ".join(str(one) for one in ids[at : at + NEAREST])
    return Refused(
        f"request {key!r} is not among the {len(ids):,} of {labels.name}; nearest are {near}; "
        "without --request some are listed"
    )


def views(task: Task, sets: pa.Table) -> list[View]:
    """Return what the newest model that never saw the day says, and the day's promoted one."""
    registry, ranking, fields = Registry(task.lake), task.profile.ranking, task.profile.fields
    newest, promoted = registry.trained_before(task.day), registry.promoted(task.day)
    found = []
    for title, version in (("student", newest), ("promoted", promoted)):
        if version is not None and version not in [view.version for view in found]:
            model, vocabulary = load_model(registry, version, fields)
            scorer = Scorer(model, ranking, AT_ONCE)
            (scores,) = score_requests(sets, fields, scorer, vocabulary)
            told = (title, version, version == promoted, scorer.formula)
            found.append(View(*told, scores.win, scores.final))
    return found


def described(task: Task, sets: pa.Table) -> Request:
    """Return the request in words."""
    fields, n = task.profile.fields, len(flat(sets["item_id"]))
    about = [f"{name} {sets[name][0].as_py()}" for name in ("user_id", *fields.context)]
    columns = [map(printable, flat(sets[name]).to_pylist()) for name in fields.item]
    title = f"request {sets['request_id'][0].as_py()} of {task.day}: {', '.join(about)}"
    return Request(
        f"{printable(title)}; {n} candidates",
        fields.item,
        [", ".join(values) for values in zip(*columns, strict=True)] if columns else [""] * n,
    )


def listing(task: Task, labels: Partition) -> str:
    """Return the requests whose picks are farthest from the items of highest f."""
    found = heapq.nsmallest(
        LISTED, picks_by_request(labels), key=lambda one: (one.kept - one.k, one.request_id)
    )
    names = [printable(str(one.request_id)) for one in found]
    width = max(map(len, names))
    lines = [f"Requests of {task.day} with the most picks that are not among the K of highest f:"]
    for name, one in zip(names, found, strict=True):
        apart = f"{one.k - one.kept} of {one.k} picks, {one.candidates} candidates"
        lines.append(f"  {name.ljust(width)}  {apart}")
    lines.append(f"To explain one, add --request {shlex.quote(names[0])}")
    return "\n".join(lines) + "\n"


def show(task: Task, args: argparse.Namespace) -> None:
    """Explain the request, or list some."""
    labels = labels_of(task, args.teacher)
    if args.request is None:
        sys.stdout.write(listing(task, labels))
        return
    key = request_key(task, args.request)
    source = task.lake.partition("candidate_sets", task.day)
    source.require("build_candidates")
    label = read_label(labels, key)
    sets = source.row("request_id", key)
    if label is None or sets is None:
        raise without_label(task, key, labels, is_there=sets is not None)
    requests = as_requests(label, sets, Registry(task.lake), task.profile.fields)
    seen = views(task, sets)
    why = explain(label, requests, seen)
    width = shutil.get_terminal_size(PAPER).columns
    sys.stdout.write(text(described(task, sets), label, seen, why, width))


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    # As in score: y_stu to the last bit.
    torch.set_num_threads(1)
    return run(STEP, build_parser(), argv, show)


if __name__ == "__main__":
    sys.exit(main())
