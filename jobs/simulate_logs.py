"""Simulate one day of a world with known truth: request_logs, truth_requests, reference_items.

Reads nothing. The world (users, items, laws) is a function of the profile's [world] section; the
day is a function of that and of the date, so days can be made in any order and again.
"""

import argparse
import dataclasses
import sys

import numpy as np
import pyarrow as pa

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.publish import Publication, hold_all
from jobs.world.catalogue import Catalogue
from jobs.world.config import WorldConfig
from jobs.world.requests import Day, Request, examination
from model.satiation import Audience
from schemas.arrow import arrow_schema, list_array

STEP = "simulate_logs"
READS: tuple[str, ...] = ()
WRITES = ("truth_requests", "reference_items", "request_logs")
KINDS = {"request_id": "string", "user_id": "int64", "item_id": "int64"}
"""The types of the ids that a world makes."""
SIZES = ("requests", "users", "items", "new_items", "categories", "candidates")


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser; the sizes default to the profile's [world]."""
    parser = step_parser(STEP, __doc__, example="--requests 500")
    for name in SIZES:
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=int, help=f"world.{name}, instead of the profile's")
    return parser


def world_of(task: Task, args: argparse.Namespace) -> WorldConfig:
    """Return the profile's world with the sizes given on the command line."""
    given = {name: getattr(args, name) for name in SIZES if getattr(args, name) is not None}
    try:
        world = dataclasses.replace(task.profile.world, **given)
    except ValueError as error:
        raise Refused(str(error)) from error
    if task.day < world.first_day:
        raise Refused(
            f"{task.day} is before the world's first day, {world.first_day}; give a later --date, "
            "or an earlier world.first_day in the profile"
        )
    check_fields(task.profile)
    return world


def check_fields(profile: Profile) -> None:
    """Refuse a profile whose fields a simulated world cannot fill, all named at once."""
    fields = profile.fields
    wrong = [
        f"fields.{name} = {getattr(fields, name)!r}, where it makes {kind!r}"
        for name, kind in KINDS.items()
        if getattr(fields, name) != kind
    ]
    wrong += [f"fields.dense has {name!r}, where it makes 'score'" for name in fields.dense_columns]
    if profile.world.wear_by == "category" and not fields.category:
        wrong.append("fields.category is empty, where world.wear_by is 'category'")
    if wrong:
        raise Refused(
            f"profile {profile.name!r} has fields that a simulated world does not fill: "
            f"{'; '.join(wrong)}. Change them, or name a real source in [source]"
        )


class Columns:
    """Request after request as columns of request_logs and truth_requests."""

    def __init__(self, task: Task, catalogue: Catalogue, day: Day) -> None:
        """Fix the day's moments; requests are spread over it in order."""
        self.task, self.catalogue, self.items = task, catalogue, day.items
        self.fields = task.profile.fields
        self.start, self.end = task.profile.bounds(task.day)
        self.examination = examination(catalogue.config.examination_decay, task.profile.depth)

    def log(self, number: int, request: Request) -> pa.Table:
        """Return the rows of one request as request_logs."""
        n = len(request.item)
        shown = request.shown_rank > 0
        step = (self.end - self.start) / self.catalogue.config.requests
        once = {
            "request_id": self.request_id(number),
            "user_id": request.user,
            "ts": self.start + number * step,
            **{
                name: f"{name}{request.context % self.catalogue.config.context_values}"
                for name in self.fields.context
            },
            "missed_positives": 0,
        }
        columns: dict[str, object] = {name: [value] * n for name, value in once.items()}
        columns["item_id"] = request.item
        for name in self.fields.item:
            codes = (
                self.items.category
                if name == self.fields.category
                else self.items.field_values[name]
            )
            columns[name] = [f"{name}{code}" for code in codes[request.item]]
        columns |= {
            "score": request.score,
            "exposed": shown.astype(np.int32),
            "shown_rank": pa.array(request.shown_rank.astype(np.int32), mask=~shown),
            "label": pa.array(request.clicked.astype(np.int32), mask=~shown),
            "derived": np.zeros(n, np.int32),
        }
        table = self.task.lake.tables["request_logs"]
        return pa.table({name: columns[name] for name in table.names}, arrow_schema(table))

    def truth(self, number: int, request: Request) -> dict[str, object]:
        """Return the truth of one request as a row."""
        shown = request.shown_rank > 0
        chances = request.propensity.tolist()
        return {
            "request_id": self.request_id(number),
            "item_id": request.item.tolist(),
            "p": request.p.tolist(),
            "wear": request.wear.tolist(),
            "propensity": [c if s else None for c, s in zip(chances, shown, strict=True)],
            "examination": self.examination.tolist(),
        }

    def request_id(self, number: int) -> str:
        """Return the id of the day's request of that number."""
        return f"{self.task.day:%Y%m%d}-{number:07d}"

    def values(self, request: Request, k: int) -> tuple[float, float]:
        """Return V of the best list and V of the top K by p."""
        by_category = self.catalogue.config.wear_by == "category"
        kind = (self.items.category if by_category else self.items.content)[request.item]
        audience = Audience(request.item, request.p, request.wear, kind, self.examination)
        return audience.value(audience.best(k)), audience.value(audience.top_by_p(k))


def simulate(task: Task, args: argparse.Namespace) -> None:
    """Draw the day, check that diversity pays as the preset promises, publish three tables."""
    world = world_of(task, args)
    parameters = dataclasses.asdict(world) | {
        "first_day": world.first_day.isoformat(),
        "fields": dataclasses.asdict(task.profile.fields),
        "day_start": task.profile.day_clock,
        "depth": task.profile.depth,
    }
    outputs = [
        Publication(
            task.lake.partition(name, task.day), step=STEP, inputs={}, parameters=parameters
        )
        for name in WRITES
    ]
    if all([task.is_done(output) for output in outputs]):
        return
    with hold_all(outputs):
        counts = make(task, world, outputs)
    note = f"{counts['requests']:,} requests; best list / best by p = {counts['headroom']:.3f}"
    task.made(outputs[-1], note, "build_candidates")


def make(task: Task, world: WorldConfig, outputs: list[Publication]) -> dict[str, float]:
    """Draw and publish; return the counts."""
    catalogue = Catalogue(world, task.profile.fields)
    day = Day(catalogue, (task.day - world.first_day).days)
    columns = Columns(task, catalogue, day)
    logs, truth, best, plain = [], [], 0.0, 0.0
    for number, request in enumerate(day.requests()):
        logs.append(columns.log(number, request))
        truth.append(columns.truth(number, request))
        values = columns.values(request, task.profile.depth)
        best, plain = best + values[0], plain + values[1]
        task.progress(number + 1, world.requests, "requests")
    headroom = check_headroom(best / plain, world)
    tables = {
        "truth_requests": [pa.Table.from_pylist(truth, arrow_schema(task.lake.tables[WRITES[0]]))],
        "reference_items": [reference(task, day)],
        "request_logs": logs,
    }
    counts = {"requests": len(logs), "headroom": round(headroom, 4)}
    for output in outputs:
        output.publish_rows(tables[output.partition.table.name], counts)
    return counts


def check_headroom(headroom: float, world: WorldConfig) -> float:
    """Refuse a world in which diversity pays too little or too much to be judged by."""
    low, high = world.headroom
    if world.wear and not low <= headroom <= high:
        raise Refused(
            f"V*/V(top-K by p) = {headroom:.3f} in this world, outside {low} to {high}; "
            "change world.wear, or world.headroom if that is what you want"
        )
    return headroom


def reference(task: Task, day: Day) -> pa.Table:
    """Return the content vector of every item: ILAD is measured by the truth about likeness."""
    schema = arrow_schema(task.lake.tables["reference_items"])
    vectors = list_array(day.items.content, schema.field("vector").type)
    return pa.table({"item_id": np.arange(len(vectors)), "vector": vectors}, schema)


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, simulate)


if __name__ == "__main__":
    sys.exit(main())
