"""Import one day of real logs: request_logs, reference_items.

Reads the raw files that the profile's [source] names and nothing of the lake. A request is an
impression; its candidates are derived: what other users were shown in the source.pool_minutes
before it. What a request showed beside that pool is dropped and counted, since adding it would tell
the answer; its clicks there are kept as missed_positives, so that Recall pays for them.
"""

import argparse
import dataclasses
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.manifest import describe
from jobs.publish import Publication
from jobs.sources import ebnerd
from jobs.sources.coread import coread_vectors
from jobs.sources.day_logs import DayLogs
from schemas.arrow import arrow_schema

STEP = "import_logs"
READS: tuple[str, ...] = ()
WRITES = ("reference_items", "request_logs")
ACCOUNTS = {
    "impressions": {
        "requests": "requests",
        "impressions_without_candidates": "dropped without a candidate",
        "impressions_with_one_candidate": "dropped with one candidate",
    },
    **{
        name: {
            f"{name}_kept": "among the candidates",
            f"{name}_outside_pool": "outside the pool",
            f"{name}_in_dropped_impressions": "in dropped impressions",
        }
        for name in ("shown", "clicks")
    },
}
"""What came in, and the parts that it must be the sum of, in the words of the printed account."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, profile="ebnerd", example="--source ebnerd_week")
    parser.add_argument(
        "--source", type=Path, help="folder of the raw files, instead of the profile's source.path"
    )
    return parser


def source_files(task: Task, folder: Path | None) -> dict[str, Path]:
    """Return the raw files by role; refuse a profile that this source cannot fill."""
    source, fields = task.profile.source, task.profile.fields
    if source.kind == "simulated":
        raise Refused(
            f"profile {task.profile.name!r} has source.kind = 'simulated'; run "
            f"python -m jobs.simulate_logs, or name a real source there"
        )
    if folder is None and not source.path:
        raise Refused(
            f"profile {task.profile.name!r} names no source.path; give the folder of the raw files "
            "there or as --source DIR"
        )
    known = {
        "item": ebnerd.ITEM_FIELDS,
        "context": ebnerd.CONTEXT_FIELDS,
        "dense": ebnerd.DENSE,
    }
    for section, names in known.items():
        for name in getattr(fields, section):
            if name not in names:
                raise Refused(
                    f"profile {task.profile.name!r}: fields.{section} has {name!r}, which a source "
                    f"of kind {source.kind!r} has not; it has {', '.join(names)}"
                )
    return ebnerd.find_files(folder or Path(source.path))


def day_span(task: Task, path: Path, impressions: ebnerd.Impressions) -> tuple[int, int]:
    """Return the first impression of the day and the one after its last; refuse an empty day."""
    midnight = datetime(task.day.year, task.day.month, task.day.day, tzinfo=UTC)
    begin = int(midnight.timestamp()) + task.profile.day_start_seconds
    ends = np.array([begin, begin + 24 * 60 * 60]) * 1_000_000
    start, stop = np.searchsorted(impressions.moment, ends).tolist()
    if start == stop:
        held = "no rows at all"
        if len(impressions.moment):
            held = " to ".join(
                str(np.datetime64(moment, "us").astype("datetime64[m]"))
                for moment in impressions.moment[[0, -1]].tolist()
            )
        raise Refused(
            f"{path}: column 'impression_time' has nothing on {task.day} (24 hours from "
            f"{task.profile.day_start} UTC on); it holds {held}. Give another --date"
        )
    return start, stop


def reference(task: Task, reads: tuple[np.ndarray, np.ndarray], items: np.ndarray) -> pa.Table:
    """Return the co-read vectors of the items; the same on every day of the source."""
    table = task.lake.tables["reference_items"]
    vectors = coread_vectors(*reads, items)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    schema = arrow_schema(table)
    ids = pa.array(items).cast(schema.field("item_id").type)
    return pa.table([ids, lists.cast(schema.field("vector").type)], schema=schema)


def tell(task: Task, counts: dict[str, int | float | str]) -> None:
    """Print that what came in is what went out and what was dropped, by reason."""
    for total, parts in ACCOUNTS.items():
        named = " + ".join(f"{counts[part]:,} {words}" for part, words in parts.items())
        task.say(f"{counts[total]:,} {total} = {named}")
    for name in task.profile.fields.item:
        if count := counts[f"items_of_unknown_{name}"]:
            task.say(f"{count:,} of {counts['items']:,} items have no {name}: token 'unknown'")


def import_day(task: Task, args: argparse.Namespace) -> None:
    """Derive the day's candidates, account for every impression, publish both tables."""
    files = source_files(task, args.source)
    minutes = task.profile.source.pool_minutes
    parameters = {
        "source": {"kind": task.profile.source.kind, "pool_minutes": minutes},
        "fields": dataclasses.asdict(task.profile.fields),
        "day_start": task.profile.day_start,
    }
    raw = {path.name: describe(path, path.parent).sha256 for path in files.values()}
    outputs = [
        Publication(
            task.lake.partition(name, task.day), step=STEP, inputs=raw, parameters=parameters
        )
        for name in WRITES
    ]
    if all([task.is_done(output) for output in outputs]):
        return
    impressions = ebnerd.read_impressions(files["behaviors"])
    span = day_span(task, files["behaviors"], impressions)
    tokens = ebnerd.read_item_fields(files, np.unique(impressions.shown_item))
    reads = ebnerd.read_reads(files, impressions)

    logs = DayLogs(task.lake.tables["request_logs"], impressions, tokens, span)
    rows = pa.concat_tables(logs.tables(minutes))
    if not rows.num_rows:
        raise Refused(
            f"{files['behaviors']}: no impression of {task.day} has two candidates from the "
            f"{minutes} minutes before it; give another --date, or a longer source.pool_minutes"
        )
    items = np.unique(rows["item_id"].to_numpy())
    counts = logs.account.counts() | {"items": len(items)}
    tables = {"reference_items": reference(task, reads, items), "request_logs": rows}
    for output in outputs:
        output.publish_rows([tables[output.partition.table.name]], counts)
    tell(task, counts)
    mean = counts["candidates"] / counts["requests"]
    note = f"{mean:.1f} candidates a request, {counts['candidates_max']} at most"
    task.made(outputs[-1], note, "build_candidates")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, import_day)


if __name__ == "__main__":
    sys.exit(main())
