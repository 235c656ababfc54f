"""Import one day of logs from files: request_logs, reference_items, quarantine.

Reads the raw files that the profile's [source] names and nothing of the lake. A source row that
cannot be used goes to quarantine with its reason, its file and its line; rows in = rows used + of
other days + quarantined (+ outside the window, + cut), which is printed and kept in the manifest.
"""

import argparse
import dataclasses
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.dataset import dataset, field
from pyspark.sql import Observation
from pyspark.sql import functions as F

from jobs.cli import Task, run, step_parser
from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.publish import Publication
from jobs.sources.account import NOT_IN, QUARANTINED, account, measures
from jobs.sources.config import MICROSECONDS_A_MINUTE, JoinedFiles
from jobs.sources.day import FEW, Day
from jobs.sources.found import Found, find_source
from jobs.sources.joined import Facts
from jobs.sources.joined_rows import JoinedReader
from jobs.sources.log_rows import NO_CANDIDATES
from jobs.sources.patterns import named_for
from jobs.sources.raw_files import pieces
from jobs.sources.raw_frames import Staging
from jobs.sources.reference import coclick, read_history, read_vectors
from jobs.sources.staging import Span, Stager
from jobs.spark_session import add_master, spark_session, write_version
from schemas.arrow import arrow_schema, list_array

STEP = "import_logs"
READS: tuple[str, ...] = ()
WRITES = ("quarantine", "reference_items", "request_logs")
LEAST_IDS = 5
"""Fewer ids, none of them known, say nothing of the column that they are joined by."""
EXAMPLES_SHOWN = 3
LONGEST_SHOWN = 60
"""Characters of a value in a message."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = step_parser(STEP, __doc__, profile="ebnerd", example="--source ebnerd_week")
    parser.add_argument(
        "--source", type=Path, help="folder of the raw files, instead of the profile's source.path"
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
            read = staging.read(part.folder, JoinedReader(fields, part.files), split)
            facts.append(Facts(part.name, part.files, read))
    return Day(source, fields, span, staged, facts)


def check(task: Task, counts: dict[str, int], rejects: Path) -> None:
    """Refuse a day without requests, with too many rows in quarantine, or joined by no id."""
    elsewhere = counts["source_rows_of_other_days"]
    # A request of no or one candidate is no fault of its rows: a first hour has them, a bad search.
    excused = sum(counts.get(f"{QUARANTINED}{reason}", 0) for reason in (FEW, NO_CANDIDATES))
    lost = counts["source_rows_quarantined"] - excused
    share = lost / max(counts["source_rows"] - elsewhere, 1)
    allowed = task.profile.source.max_quarantined
    if counts["requests"] and share <= allowed:
        for kind, part, lost in not_in(counts):
            if lost == counts[kind] >= LEAST_IDS:
                raise Refused(
                    f"none of the day's {lost:,} {kind} is in source.{part}: is its "
                    f"{kind.removesuffix('s')}_id the right column, written as in the logs? Change "
                    "it in the profile, or take the section out"
                )
        return
    reasons = "; ".join(examples(counts, rejects)) or "nothing"
    if not counts["requests"]:
        raise Refused(
            f"of {counts['source_rows']:,} source rows none is on {task.day} (from "
            f"{task.profile.day_clock} on) and usable; of other days are {elsewhere:,}. Give "
            f"another --date, or mend the profile. Quarantined: {reasons}"
        )
    raise Refused(
        f"{lost:,} of {counts['source_rows'] - elsewhere:,} source rows of the day cannot be used "
        f"(besides {excused:,} of requests with too few candidates): {share:.1%}, more than "
        f"source.max_quarantined = {allowed:g} allows. Mend the source or the profile, or allow "
        f"more. Quarantined: {reasons}"
    )


def examples(counts: dict[str, int], rejects: Path) -> Iterator[str]:
    """Yield each reason with its count and the first rows that it took."""
    rows = dataset(rejects)
    for name, count in counts.items():
        if name.startswith(QUARANTINED):
            reason = name.removeprefix(QUARANTINED)
            first = rows.filter(field("reason") == reason).head(EXAMPLES_SHOWN)
            where = ", ".join(
                f"{Path(row['source_file']).name}:{row['source_row']} {_short(row['value'])!r}"
                for row in first.to_pylist()
            )
            yield f"{count:,} x {reason} ({where})"


def _short(value: str) -> str:
    return value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}..."


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


def not_in(counts: dict[str, int]) -> Iterator[tuple[str, str, int]]:
    """Yield users or items, a section of files, and how many of them it does not have."""
    for name, lost in counts.items():
        kind, found, part = name.partition(NOT_IN)
        if found:
            yield kind, part, lost


def tell(task: Task, counts: dict[str, int]) -> None:
    """Print that what came in is what was used and what was not, by reason."""
    words = {
        "source_rows_used": "used",
        "source_rows_of_other_days": "of other days",
        "source_rows_quarantined": "quarantined",
        "source_rows_outside_window": "outside the window",
        "source_rows_cut": f"cut beyond {task.profile.source.most_candidates:,} a request",
    }
    parts = " + ".join(f"{counts[n]:,} {text}" for n, text in words.items() if counts.get(n))
    task.say(f"{counts['source_rows']:,} source rows = {parts}")
    for name, count in counts.items():
        if name.startswith(QUARANTINED):
            task.say(f"  {count:,} {name}")
    for name in ("shown", "clicks"):
        if missed := counts[f"{name}_missed"]:
            kept = counts[name]
            task.say(f"{kept + missed:,} {name} = {kept:,} among the candidates + {missed:,} not")
    for kind, part, lost in not_in(counts):
        if lost:
            task.say(f"{lost:,} of {counts[kind]:,} {kind} are not in {part}: 'unknown'")
    for name in task.profile.fields.item:
        if count := counts[f"items_of_unknown_{name}"]:
            task.say(f"{count:,} of {counts['items']:,} items have no {name}: 'unknown'")


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
    if all([task.is_done(output) for output in outputs.values()]):
        return
    logs, rejects = outputs["request_logs"], outputs["quarantine"]
    with (
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
        counts = account(day, seen.get, rejected, written)
        check(task, counts, rejected)
        vectors = reference(task, day, found, written)
        day.release()
        shutil.rmtree(folder / "staged")
        rejects.publish(beside, {})
        outputs["reference_items"].publish_rows([vectors], {})
        logs.publish(folder, counts, rows=counts["candidates"])
    tell(task, counts)
    mean = counts["candidates"] / counts["requests"]
    note = f"{mean:.1f} candidates a request, {counts['candidates_max']} at most"
    task.made(logs, note, "build_candidates")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, import_day)


if __name__ == "__main__":
    sys.exit(main())
