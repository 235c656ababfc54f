"""Import one day of logs from files: request_logs, reference_items, quarantine.

Reads the raw files that the profile's [source] names and nothing of the lake. A source row that
cannot be used goes to quarantine with its reason, its file and its line; rows in = rows used + of
other days + quarantined (+ outside the window, + cut), which is printed and kept in the manifest.

A day that is delivered again with other bytes is imported again; what was made of the old rows is
stale then (see python -m jobs.status). A column that the files did not have before is said once; a
file that lacks one, or has it in another type, is refused.
"""

import argparse
import dataclasses
import shutil
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Observation
from pyspark.sql import functions as F

from jobs.cli import Task, add_master, run, step_parser
from jobs.profile.config import Profile
from jobs.publish import Publication, hold_all
from jobs.sources.account import account, measures
from jobs.sources.config import MICROSECONDS_A_MINUTE, JoinedFiles
from jobs.sources.day import Day
from jobs.sources.found import Found, find_source
from jobs.sources.joined import Facts
from jobs.sources.joined_rows import JoinedReader
from jobs.sources.patterns import named_for
from jobs.sources.raw_columns import FILE as RAW_COLUMNS
from jobs.sources.raw_columns import check_columns
from jobs.sources.raw_files import pieces
from jobs.sources.raw_frames import Staging
from jobs.sources.reference import coclick, read_history, read_vectors
from jobs.sources.staging import Span, Stager
from jobs.sources.verdict import check, told
from jobs.spark_session import spark_session, write_version
from schemas.arrow import arrow_schema, list_array

STEP = "import_logs"
READS: tuple[str, ...] = ()
WRITES = ("quarantine", "reference_items", "request_logs")


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, profile="ebnerd", example="--source ebnerd_week")
    parser.add_argument(
        "--source", type=Path, help="folder of the raw files, instead of the profile's source.path"
    )
    parser.add_argument(
        "--accept-columns",
        action="store_true",
        help="take files that lack columns of the last import, or have them in another type",
    )
    add_master(parser)
    return parser


def span_of(day: date, profile: Profile) -> Span:
    """Return the day in microseconds, and the beginning of the window before its first request."""
    begin, end = (int(moment.timestamp()) * 1_000_000 for moment in profile.bounds(day))
    return Span(begin - profile.source.window_minutes * MICROSECONDS_A_MINUTE, begin, end)


def open_day(task: Task, found: Found, staging: Staging) -> Day:
    """Read the files and return the day."""
    source, fields = task.profile.source, task.profile.fields
    span = span_of(task.day, task.profile)
    needs_all = source.logs.rows == "events"
    logs = found.paths("logs")
    of_the_day = named_for(source.logs, found.root, task.day)
    stager = Stager(fields, source.logs, found.root, None if needs_all else span, of_the_day)
    task.say(f"reading {len(logs)} log files")
    staged = staging.read("logs", stager, pieces(source.logs, logs))
    facts = []
    for part in found.parts:
        if isinstance(part.files, JoinedFiles):
            split = pieces(part.files, part.paths)
            read = staging.read(part.folder, JoinedReader(fields, part.files, found.root), split)
            facts.append(Facts(part.name, part.files, read))
    return Day(source, fields, span, staged, facts)


def reference(task: Task, day: Day, found: Found, logs: list[Path]) -> pa.Table:
    """Return the reference vectors of the day's items."""
    source, fields = task.profile.source, task.profile.fields
    read = [pq.read_table(path, columns=["item_id"])["item_id"].unique() for path in logs]
    wanted = pa.concat_arrays(read).unique()
    wanted = wanted.take(pc.sort_indices(wanted))
    if source.vectors is not None:
        vectors_at = pieces(source.vectors, found.paths("vectors"))
        vectors = read_vectors(source.vectors, vectors_at, fields, wanted)
    else:
        clicks = day.clicks.toArrow()
        users, read = (clicks[name].combine_chunks() for name in ("user_id", "item_id"))
        if source.history is not None:
            history_at = pieces(source.history, found.paths("history"))
            earlier = read_history(source.history, history_at, fields)
            users, read = (
                pa.concat_arrays([a.cast(b.type), b])
                for a, b in zip(earlier, (users, read), strict=True)
            )
        vectors = coclick(users, read, wanted)
    schema = arrow_schema(task.lake.tables["reference_items"])
    lists = list_array(vectors, schema.field("vector").type)
    return pa.table([wanted, lists], schema=schema)


def is_imported(task: Task, outputs: dict[str, Publication]) -> bool:
    """Whether the day was made from exactly these files; its quarantine may be cleared away."""
    done = {name: task.is_done(output) for name, output in outputs.items()}
    quarantine = outputs["quarantine"].partition
    is_cleared = not task.force and quarantine.manifest() is None
    return all(done[name] or (name == "quarantine" and is_cleared) for name in outputs)


def import_day(task: Task, args: argparse.Namespace) -> None:
    """Read the files, account for every row, publish the three tables."""
    found = find_source(task.profile, task.day, args.source)
    source = dataclasses.asdict(task.profile.source)
    del source["path"]
    parameters = {
        "source": source | {"first_day": source["first_day"].isoformat()},
        "fields": dataclasses.asdict(task.profile.fields),
        "day_start": task.profile.day_clock,
    }
    checksums = found.checksums()
    outputs = {
        name: Publication(
            task.lake.partition(name, task.day), step=STEP, inputs=checksums, parameters=parameters
        )
        for name in WRITES
    }
    if is_imported(task, outputs):
        return
    columns, news = check_columns(task.lake, task.day, found, accept=args.accept_columns)
    for line in news:
        task.say(line)
    logs, rejects = outputs["request_logs"], outputs["quarantine"]
    with (
        hold_all(outputs.values()),
        spark_session(STEP, args.master) as spark,
        logs.attempt() as folder,
        rejects.attempt() as beside,
    ):
        day = open_day(task, found, Staging(spark, folder / "staged"))
        seen = Observation(STEP)
        offered = day.offered.observe(seen, *measures(task.profile.source))
        fits = offered.where(F.col("_best") <= task.profile.source.most_candidates)
        write_version(fits.withColumn("ts", F.timestamp_micros("ts")), logs.partition.table, folder)
        written = sorted(folder.glob("*.parquet"))
        published = spark.read.parquet(*map(str, written))
        write_version(day.rejects(published), rejects.partition.table, beside)
        rejected = beside / "part-0.parquet"
        accounted = account(day, seen.get, rejected, written)
        check(task.profile, task.day, accounted)
        vectors = reference(task, day, found, written)
        day.release()
        shutil.rmtree(folder / "staged")
        rejects.publish(beside, {})
        outputs["reference_items"].publish_rows([vectors], {})
        counts = accounted.counts
        (folder / RAW_COLUMNS).write_text(columns, encoding="utf-8")
        logs.publish(folder, counts, rows=counts["candidates"])
    for line in told(task.profile, accounted):
        task.say(line)
    mean = counts["candidates"] / counts["requests"]
    note = f"{mean:.1f} candidates a request, {counts['candidates_max']} at most"
    task.made(logs, note, "build_candidates")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, import_day)


if __name__ == "__main__":
    sys.exit(main())
