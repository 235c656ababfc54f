"""Label a range through Airflow's scheduler and API, once in peace and once with a third killed.

In the folder a lake of the toy world is made, then copied twice; the range is labelled in both by
backfill_teacher_labels, and while it is in the second, the first try of a third of the days is
killed by SIGKILL at random moments. At the end the labels are compared by digest, rows and live
files. The lake and the peaceful labels are kept, so a second call begins with the fire.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from benchmarks.killer import Killer
from benchmarks.live_airflow import ENDED, LiveAirflow
from jobs.lake import Lake
from jobs.manifest import FILE_NAME, Manifest
from jobs.profile.load import load_profile
from jobs.registry import Registry

DAG_ID, FIRST = "backfill_teacher_labels", date(2026, 1, 1)
CHOICE = {"teacher": "msd", "weight": 0.5}
TABLES = ("teacher_labels", "unlabelled")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.backfill_under_fire",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.backfill_under_fire --folder /tmp/fire "
        "--out benchmarks/backfill/sqlite.txt",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, required=True, help="where lakes and Airflow go")
    parser.add_argument("--out", type=Path, required=True, help="the text that tells of it")
    parser.add_argument("--days", type=int, default=14, help="how many days (default: 14)")
    parser.add_argument("--slots", type=int, default=2, help="days at once (default: 2)")
    parser.add_argument("--share", type=float, default=1 / 3, help="of the days that are killed")
    parser.add_argument("--seed", type=int, default=1, help="of the kills")
    parser.add_argument("--database", default="", help="SQLAlchemy URL (default: SQLite)")
    return parser


def make_lake(lake: Path, days: list[str]) -> None:
    """Bring the days in, and one whole day, which leaves a model to label with."""
    if not (lake / "made").exists():
        where = ["--lake", str(lake), "--profile", "toy", "--date"]
        steps = [["line", *where, days[0]]]
        for day in days[1:]:
            steps += [["ingest", *where, day], ["build_candidates", *where, day]]
        for step in steps:
            print(f"making the lake: {step[0]} {step[-1]}", flush=True)
            command = [sys.executable, "-m", f"jobs.{step[0]}", *step[1:]]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (lake / "made").touch()


def labels(lake: Path, version: str) -> dict[str, tuple[str, int, int]]:
    """Return digest, rows and number of live files of every partition that the run made."""
    found = {}
    for pointer in sorted(lake.glob(f"*/dt=*/*/{FILE_NAME}")):
        live = Manifest.read(pointer.parent)
        if live.table in TABLES and live.parameters["model_version"] == version:
            name = pointer.parent.relative_to(lake).as_posix()
            files = list((pointer.parent / live.folder).glob("*.parquet"))
            assert len(files) == len(live.files), name
            found[name] = (live.digest, live.rows, len(files))
    return found


def backfill(airflow: LiveAirflow, lake: Path, days: list[str], version: str) -> list[dict]:
    """Label the range by a run that is triggered through the API; return its task instances."""
    where = {"lake": str(lake), "profile": "toy", "model": version}
    conf = CHOICE | where | {"first_day": days[0], "last_day": days[-1]}
    run, started, told = airflow.trigger(DAG_ID, conf), time.monotonic(), ""
    while (state := airflow.state(DAG_ID, run)) not in ENDED:
        time.sleep(2)
        states = [task["state"] for task in airflow.tasks(DAG_ID, run) if task["map_index"] >= 0]
        now = ", ".join(f"{states.count(one)} {one}" for one in sorted(set(states), key=str))
        if now != told:
            told = now
            print(f"{lake.name}: {time.monotonic() - started:.0f} s: {now}", flush=True)
    tasks = airflow.tasks(DAG_ID, run)
    print(f"{lake.name}: {state} after {time.monotonic() - started:.0f} s", flush=True)
    if state != "success":
        raise SystemExit(f"the run {run} ended as {state}: read {airflow.home}/logs")
    return tasks


def in_peace(airflow: LiveAirflow, lake: Path, days: list[str], version: str) -> dict[str, tuple]:
    """Label the range undisturbed, or read what was made so before."""
    kept = lake.with_suffix(".json")
    if not kept.exists():
        shutil.rmtree(lake, ignore_errors=True)
        shutil.copytree(lake.parent / "lake", lake)
        tasks = backfill(airflow, lake, days, version)
        # Of the quickest, so that hardly any task ends before its moment comes.
        seconds = min(task["duration"] for task in tasks if task["map_index"] >= 0)
        kept.write_text(json.dumps({"seconds": seconds, "labels": labels(lake, version)}))
    return json.loads(kept.read_text())


def account(tasks: list[dict], told: list[str], peace: dict, fire: dict, database: str) -> str:
    """Return the text that tells of the kills and compares."""
    label = [task for task in tasks if task["map_index"] >= 0]
    kills = [line for line in told if "  killed " in line]
    tries = sum(task["try_number"] for task in label)
    same = [name for name in peace if list(peace[name]) == list(fire.get(name, ()))]
    lines = [
        f"Airflow's database: {database}; executor: LocalExecutor",
        f"{len(label)} days, {len(kills)} of them killed, {tries} tries in all:",
        *(f"  {line}" for line in sorted(told)),
        f"states at the end: {', '.join(sorted({task['state'] for task in label}))}",
        f"{len(same)} of {len(peace)} partitions have the digest, the rows and the number of files "
        "of the undisturbed backfill",
        f"{len(set(fire) - set(peace))} partitions that it has not",
        *(f"  {name}: {peace[name][0]}, {peace[name][1]} rows" for name in sorted(peace)),
    ]
    return "\n".join([*lines, ""])


def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 where anything differs."""
    args = build_parser().parse_args(argv)
    days = [str(FIRST + timedelta(days=n)) for n in range(args.days)]
    folder = args.folder.absolute()
    make_lake(folder / "lake", days)
    trained = Registry(Lake(folder / "lake", load_profile("toy").tables)).trained(FIRST)
    version = trained.parameters["version"]
    database = args.database.partition("+")[0].partition(":")[0] or "sqlite"
    airflow = LiveAirflow(folder / f"airflow-{database}", args.database)
    with airflow.started(args.slots):
        airflow.unpause(DAG_ID)
        peace = in_peace(airflow, folder / "peace", days, version)
        lake = folder / "fire"
        shutil.rmtree(lake, ignore_errors=True)
        shutil.copytree(folder / "lake", lake)
        killer = Killer.drawn(lake, days, args.share, peace["seconds"], args.seed)
        killer.start()
        tasks = backfill(airflow, lake, days, version)
        killer.stop()
    fire = labels(lake, version)
    text = account(tasks, killer.told, peace["labels"], fire, database)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
    print(f"{text}\nwritten to {args.out}")
    return int(json.loads(json.dumps(fire)) != peace["labels"])


if __name__ == "__main__":
    sys.exit(main())
