"""Run consecutive days of the pipeline through Airflow, on one machine, and show how it goes.

Airflow's folder, with the full logs and its database, is `.airflow` in the lake. A day that is done
already is run again as a no-op, so the same command continues what was stopped.
"""

import argparse
import re
import shlex
import signal
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from types import FrameType

from dags.embedded_airflow import AirflowMissing, EmbeddedAirflow
from dags.followed_run import FollowedRun, TaskNews

DAG_ID = "daily_retraining"
FAILED, REFUSED, STOPPED = 1, 2, 130
_OUTCOMES = {"success": "ok", "skipped": "skipped", "failed": "FAILED"}
# Spark's progress bars and log lines, which bury what a job itself says.
_NOISE = re.compile(r"\s*$|\[Stage \d+:|\d\d/\d\d/\d\d \d\d:\d\d:\d\d (INFO|WARN) |\s+at [\w.$]+\(")
# What a step says itself, and the sum that opens its account: what came in = what became of it.
_OWN_LINE = re.compile(r"[a-z_]+ \d{4}-\d\d-\d\d: (.*)")
_SUM = re.compile(r"[\d,]+ [a-z ]+ = [\d,]+ ")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m dags.run_days",
        description=__doc__,
        epilog="example:\n  python -m dags.run_days --lake lake --profile jingdong "
        "--first-day 2026-01-01 --days 3",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--lake", type=_folder, required=True, help="folder of the tables")
    parser.add_argument(
        "--profile", type=_profile, required=True, help="name of a shipped profile, or a TOML file"
    )
    parser.add_argument("--first-day", type=_day, required=True, help="YYYY-MM-DD")
    parser.add_argument("--days", type=_count, required=True, help="how many days, 1 to 366")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the days; 0 where all are done, 1 where one failed, 2 where none could start."""
    args = build_parser().parse_args(argv)
    # However this is stopped, no command outlives it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    airflow = EmbeddedAirflow(args.lake / ".airflow")
    if not airflow.is_prepared:
        _say(f"preparing Airflow's own database in {airflow.home}, once ...")
    try:
        with airflow.opened():
            return _run_days(airflow, args)
    except (AirflowMissing, OSError, OverflowError) as error:
        print(f"run_days: refused: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        _say(f"\nstopped; nothing half-made is visible. To go on:\n  {_command(args)}")
        return STOPPED


def _run_days(airflow: EmbeddedAirflow, args: argparse.Namespace) -> int:
    conf = {"lake": str(args.lake), "profile": args.profile}
    started = time.monotonic()
    with airflow.testing(DAG_ID, conf) as start:
        for done in range(args.days):
            day = args.first_day + timedelta(days=done)
            left = (time.monotonic() - started) / max(done, 1) * (args.days - done)
            _say(
                f"\nday {done + 1} of {args.days}: {day}"
                + (f"   (about {_duration(left)} left)" if done else "")
            )
            run = start(day)
            failed = _show(run)
            if failed or not run.succeeded:
                _say_failure(run, failed, args)
                return FAILED
    _say_results(airflow, args, time.monotonic() - started)
    return 0


def _show(run: FollowedRun) -> TaskNews | None:
    """Print a line for each task as it ends; return the one that failed."""
    failed = None
    on_a_terminal = sys.stdout.isatty()
    for task in run:
        if task.state == "running" and on_a_terminal:
            print(f"  {task.task_id} ...", end="", flush=True)
        elif task.state in _OUTCOMES:
            seconds = f"{task.seconds:7.1f} s" if task.seconds else " " * 9
            clear = "\r\033[K" if on_a_terminal else ""
            _say(f"{clear}  {task.task_id:<26}{seconds}  {_OUTCOMES[task.state]}")
            for line in _account(task.output):
                _say(f"      {line}")
        if task.state == "failed":
            failed = task
            _say("  (Airflow is marking what comes after it as not run)")
    return failed


def _account(output: list[str]) -> list[str]:
    """Return what a step says from its first sum on: what became of the rows that came in.

    Nobody opens the log of a step that went well, so rows that were left out must be told here.
    """
    said = [found[1] for line in output if (found := _OWN_LINE.fullmatch(line))]
    return said[next((n for n, text in enumerate(said) if _SUM.match(text)), len(said)) :]


def _say_failure(run: FollowedRun, failed: TaskNews | None, args: argparse.Namespace) -> None:
    name = failed.task_id if failed else "Airflow itself"
    output = [line for line in (failed.output if failed else run.rest()) if not _NOISE.match(line)]
    refusals = [n for n, line in enumerate(output) if "refused:" in line]
    _say(f"\n{name} failed; nothing after it has run. Its last words:\n")
    for line in output[refusals[0] if refusals else -20 :]:
        _say(f"    {line}")
    _say(
        f"\nfull log   {run.log}"
        "\nwhat next  put right what it names, then go on (done steps are no-ops):"
        f"\n           {_command(args)}"
    )


def _say_results(airflow: EmbeddedAirflow, args: argparse.Namespace, seconds: float) -> None:
    reports = args.lake / "reports"
    _say(f"\n{args.days} day{'s' if args.days > 1 else ''} in {_duration(seconds)}")
    if (reports / "summary.txt").exists():
        _say(f"\n{(reports / 'summary.txt').read_text().rstrip()}")
    following = args.first_day + timedelta(days=args.days)
    _say(
        f"\nreport            {reports / 'index.html'}"
        f"\nlogs              {airflow.home}"
        f"\nmore days         {_command(args, first_day=following)}"
        f"\nAirflow's page    {airflow.page_command()}"
        "\n                  then open http://127.0.0.1:8080"
    )


def _command(args: argparse.Namespace, first_day: date | None = None) -> str:
    """The command line that runs these days, or as many from another first day."""
    days = f"--first-day {first_day or args.first_day} --days {args.days}"
    where = shlex.join(["--lake", str(args.lake), "--profile", args.profile])
    return f"{shlex.quote(sys.executable)} -m dags.run_days {where} {days}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not text or not str(path).isprintable() or (path.exists() and not path.is_dir()):
        raise argparse.ArgumentTypeError(f"{text!r} is no folder; name one, such as ./lake")
    if {"%", "?"} & set(str(path)):
        raise argparse.ArgumentTypeError(f"Airflow cannot keep its database below {path}: % or ?")
    return path


def _profile(text: str) -> str:
    if re.fullmatch("[a-z0-9_]+", text):
        return text
    path = Path(text).expanduser().absolute()
    if path.suffix != ".toml" or not path.is_file() or not str(path).isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a name nor an existing .toml file")
    return str(path)


def _day(text: str) -> date:
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(f"{text!r} is no day of the calendar, such as 2026-01-02")


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= 366:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 366")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
