"""Print what a lake holds as tables to quote: rows by day, seconds by step, methods with intervals.

Rows are those of the live partitions, seconds those that Airflow measured for the last successful
try of each task, and the methods are those of the newest judged day at the largest K.
"""

import argparse
import sqlite3
import sys
from collections import defaultdict
from contextlib import closing
from datetime import date
from pathlib import Path

from jobs.errors import Refused
from jobs.lake import Lake
from jobs.manifest import FILE_NAME, Manifest
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.report.evidence import Evidence
from jobs.report.wording import interval, number, signed

_SECONDS = """
    select substr(run.logical_date, 1, 10), task_id, duration
    from task_instance task join dag_run run using (dag_id, run_id)
    where task.state = 'success' order by run.start_date, task.start_date
"""


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_day(values: dict[str, dict[str, str]]) -> str:
    """Return a table of names down and days across."""
    days = sorted({day for found in values.values() for day in found})
    rows = [[name, *(found.get(day, "") for day in days)] for name, found in values.items()]
    return markdown(["", *days], rows)


def rows_of(lake: Lake) -> dict[str, dict[str, str]]:
    """Return live rows by table, its further partition keys, and day."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table in lake.tables:
        for pointer in sorted((lake.root / table).rglob(FILE_NAME)):
            live = Manifest.read(pointer.parent)
            keys = {k: v for k, v in live.partition.items() if k != "dt"}
            # A teacher's id has a new hash each day.
            name = " ".join([table, *(v.split("-")[0] for v in keys.values())])
            found[name][live.partition["dt"]] = f"{live.rows:,}"
    return found


def seconds_of(lake: Lake) -> dict[str, dict[str, str]]:
    """Return seconds by task and day, in the order in which they first ran."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    database = lake.root / ".airflow" / "airflow.db"
    if not database.is_file():
        return found
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as opened:
        for day, task, seconds in opened.execute(_SECONDS):
            found[task][day] = f"{seconds:.1f}"
    return found


def methods_of(lake: Lake, profile: Profile) -> str:
    """Return the newest day's methods by metric, and what served and MMR less DCN."""
    days = sorted(p.name[3:] for p in (lake.root / "metrics").glob("dt=*"))
    judged = [d for d in days if lake.partition("metrics", date.fromisoformat(d)).manifest()]
    if not judged:
        return "no day is judged yet"
    numbers = Evidence(lake, date.fromisoformat(judged[-1]), profile).judged()[-1].numbers
    k = numbers.ks[-1]
    metrics = [metric for metric in numbers.metrics if numbers.has(metric.name)]
    lines = []
    for method in numbers.methods:
        cells = [numbers.get(method.name, metric.name, k) for metric in metrics]
        lines.append(
            [method.label, *(f"{number(c.value)} {interval(c)}" if c else "" for c in cells)]
        )
    for name in ("mmr", "cdm"):
        cells = [numbers.get(name, metric.name, k, "dcn") for metric in metrics]
        lines.append(
            [
                f"{numbers.names.methods[name]} - DCN",
                *(f"{signed(c.value)} {interval(c, paired=True)}" if c else "" for c in cells),
            ]
        )
    head = [judged[-1], *(numbers.at_k(metric.name, k) for metric in metrics)]
    return markdown(head, lines)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lake_facts",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.lake_facts --lake lake --profile jingdong",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lake", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--profile", required=True, help="the profile that it was made under")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        profile = load_profile(args.profile)
        lake = Lake(args.lake, profile.tables)
        tables = (by_day(rows_of(lake)), by_day(seconds_of(lake)), methods_of(lake, profile))
    except Refused as refusal:
        print(f"lake_facts: refused: {refusal}", file=sys.stderr)
        return 2
    print("\n\n".join(tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
