"""Measure the live parts of a table, each by the functions of its table."""

import dataclasses
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import Partition
from jobs.measures import labels, lessons, lists, logs, sets
from jobs.measures.measured import Measured, number
from jobs.measures.of_day import Measuring
from jobs.registry import Registry
from jobs.stored_rows import StoredRows
from schemas.arrow import arrow_field
from schemas.expectations import type_name
from schemas.table import Table


def measure(day: Measuring) -> list[Measured]:
    """Return the measures of all parts; none where a column is not of its declared type."""
    stored = {part: StoredRows(part) for part in day.parts}
    if not all(_is_readable(rows, day.table) for rows in stored.values()):
        return []
    return [one for part, rows in stored.items() for one in _of_part(day, part, rows)]


def _is_readable(stored: StoredRows, table: Table) -> bool:
    seen = stored.types().rows
    return all(
        word == type_name(arrow_field(column).type)
        for column in table.columns
        for word in seen[column.name].to_pylist()
    )


def _of_part(day: Measuring, part: Partition, stored: StoredRows) -> Iterator[Measured]:
    """Yield the measures of a part under the name that it has on every day."""
    profile, table = day.task.profile, day.table
    called, k, diversifies = "", profile.teacher.k, True
    if teacher := dict(part.keys).get("teacher_id"):
        if teacher not in day.parameters["teachers"]:
            return  # Of a model that is promoted no more: of no use to compare with.
        called, k, diversifies = day.parameters["teachers"][teacher]
    match table.name if stored.rows else "":
        case "request_logs":
            pieces = stored.chunks(logs.columns(profile.fields))
            bounds, counts = profile.bounds(day.task.day), part.manifest().counts
            found = logs.measure(pieces, profile.fields, bounds, counts)
        case "candidate_sets":
            pieces, most = stored.chunks(sets.columns(profile.fields)), day.parameters
            found = sets.measure(
                pieces, table, profile.fields, k, most["max_candidates"], _item_ids(day)
            )
        case "teacher_labels":
            found = labels.measure(stored.chunks(labels.COLUMNS), table, k)
            # Of one that is to be the K of highest f nothing else can be expected.
            found = [one for one in found if diversifies or one.name != "overlap"]
        case "examples":
            found = lessons.measure(stored.chunks(lessons.COLUMNS), table)
        case "rankings":
            found = lists.measure(stored.chunks(lists.COLUMNS))
        case _:
            found = [number("rows", stored.rows, stored.rows)]
    yield from (dataclasses.replace(one, part=one.part or called) for one in found)


def _item_ids(day: Measuring) -> dict[str, pa.Array]:
    """Return the ids with a reference vector, and those that the newest earlier model knows."""
    found = {}
    if day.reference.manifest() is not None:
        found["with_vector"] = day.reference.read(["item_id"])["item_id"].combine_chunks()
    if version := day.parameters["model"]:
        known = pq.read_table(Registry(day.task.lake).trained_items(version), columns=["item_id"])
        found["known_items"] = known["item_id"].combine_chunks()
    return found
