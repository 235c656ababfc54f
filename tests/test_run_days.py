"""What `make run` calls: days through Airflow, and what a person sees of them."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from stand_in_python import (
    AFTER,
    BEFORE,
    BOOTSTRAP,
    COMMANDS,
    DAY_ONE,
    DAY_TWO,
    JUDGE,
    ROOT,
    StandIn,
    are,
)

from dags.embedded_airflow import POOL

# What two steps print; of the first one the account is for the reader.
IMPORTED = f"""\
26/01/01 10:00:00 WARN Utils: a line of Spark
import_logs {DAY_ONE}: reading 3 log files
import_logs {DAY_ONE}: 12,480 source rows = 12,466 used + 14 quarantined
import_logs {DAY_ONE}:   9 quarantined: score is NaN or infinite
import_logs {DAY_ONE}:   5 quarantined: clicked but not exposed
import_logs {DAY_ONE}: 4 of 271 items have no brand: 'unknown'
[Stage 3:>  (0 + 2) / 2]
import_logs {DAY_ONE}: 12,466 rows in request_logs/dt={DAY_ONE} (62.3 candidates a request; 9.1 s)
next: python -m jobs.build_candidates"""
SCORED = f"""\
score {DAY_TWO}: 100 of 337 requests, about 3 s left
score {DAY_TWO}: 43,810 rows in rankings/dt={DAY_TWO} (337 requests; 3.8 s)"""
ACCOUNT = f"""\
      12,480 source rows = 12,466 used + 14 quarantined
        9 quarantined: score is NaN or infinite
        5 quarantined: clicked but not exposed
      4 of 271 items have no brand: 'unknown'
      12,466 rows in request_logs/dt={DAY_ONE} (62.3 candidates a request; 9.1 s)
"""


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    return StandIn(tmp_path_factory.mktemp("stand in"))


@pytest.fixture(scope="module")
def run_days(tmp_path_factory, stand_in):
    lake = tmp_path_factory.mktemp("deep") / "my lake"
    environment = os.environ | {
        "CDM_PYTHON": str(stand_in.path),
        # Somebody's production Airflow, which must not be touched.
        "AIRFLOW_HOME": "/nonexistent",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nonexistent/airflow.db",
    }

    def start(*flags):
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "dags.run_days",
                "--lake",
                lake,
                "--profile",
                "jingdong",
                *flags,
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    start.lake = lake
    return start


def outcomes(printed):
    return dict(re.findall(r"^  (\w+) +(?:[\d.]+ s)?  (ok|skipped|FAILED)$", printed, re.M))


def test_each_task_is_shown_and_the_summary_comes_last(run_days, stand_in):
    (run_days.lake / "reports").mkdir(parents=True)
    (run_days.lake / "reports" / "summary.txt").write_text("method  recall@10\n")
    said = [(["jobs.ingest", DAY_ONE], IMPORTED), (["jobs.score", DAY_TWO], SCORED)]
    skipped = [(["jobs.score", DAY_ONE], 99), (["--bootstrap", DAY_TWO], 99)]
    stand_in.plan([*skipped, *((words, text.splitlines()) for words, text in said)])
    process = run_days("--first-day", DAY_ONE, "--days", "2")
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert f"\nday 1 of 2: {DAY_ONE}\n" in printed
    one, two = printed.split(f"\nday 2 of 2: {DAY_TWO}   (about ")
    assert outcomes(one) == are(BEFORE + BOOTSTRAP + AFTER, "ok") | are(JUDGE, "skipped")
    assert outcomes(two) == are(BEFORE + JUDGE + AFTER, "ok") | are(BOOTSTRAP, "skipped")
    # What an import left out is told beneath its line, and nothing of any other step.
    tasks = re.sub(r"^  \w.*\n", "", one[one.index("  ingest ") :], flags=re.M)
    assert tasks == ACCOUNT
    assert "about 3 s left" not in two
    assert "rankings/" not in two
    assert "method  recall@10\n\nreport " in two
    assert f"{run_days.lake}/reports/index.html\n" in two
    assert "--first-day 2026-01-03 --days 2\n" in two
    assert "airflow api-server --host 127.0.0.1" in two


def test_airflow_has_the_pool_that_the_backfill_of_labels_needs(run_days):
    """Made by the days above; a task whose pool is missing would never start, nor fail."""
    with closing(sqlite3.connect(run_days.lake / ".airflow" / "airflow.db")) as database:
        pools = dict(database.execute("select pool, slots from slot_pool"))
    assert pools[POOL[0]] == int(POOL[1]) == 2
    backfill = (ROOT / "dags" / "backfill_teacher_labels.py").read_text()
    assert f'POOL = "{POOL[0]}"\n' in backfill


def test_the_first_failure_stops_it_and_is_shown_in_the_tasks_own_words(run_days, stand_in):
    stand_in.plan([(["jobs.report"], 2)])
    process = run_days("--first-day", DAY_TWO, "--days", "3")
    printed, _ = process.communicate()
    assert process.returncode == 1, printed
    assert list(outcomes(printed).values()) == ["ok"] * (len(COMMANDS) - 1) + ["FAILED"]
    assert "    stand-in: refused: column ts of x.parquet is text\n" in printed
    assert "before the refusal" not in printed
    assert "return code 2\n" in printed
    log = run_days.lake / ".airflow" / f"run-{DAY_TWO}.log"
    assert f"full log   {log}\n" in printed
    assert "before the refusal" in log.read_text()
    again = f"--lake {shlex.quote(str(run_days.lake))} --profile jingdong --first-day {DAY_TWO}"
    assert f"{again} --days 3\n" in printed
    # Where Airflow's page looks for what the task has printed.
    (logged,) = log.parent.glob(
        f"logs/dag_id=*/run_id={_last_run(log)}/task_id=report/attempt=1.log"
    )
    assert "before the refusal" in logged.read_text()


def _last_run(log):
    return max(log.parent.glob("logs/dag_id=*/run_id=*"), key=lambda path: path.name).name[7:]


def test_stopping_it_leaves_no_command_running(run_days, stand_in):
    stand_in.plan([(["jobs.validate"], "hang")])
    process = run_days("--first-day", DAY_ONE, "--days", "1")
    while len(stand_in.calls()) < 3 and process.poll() is None:
        time.sleep(0.1)
    hanging = Path(f"/proc/{stand_in.calls()[-1]['pid']}")
    assert hanging.exists()
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate()
    assert process.returncode == 130
    assert "stopped; nothing half-made is visible. To go on:" in printed
    assert not hanging.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--first-day", "2026-02-30", "--days", "1"], "'2026-02-30' is no day of the calendar"),
        (["--first-day", DAY_ONE, "--days", "0"], "'0' is no number from 1 to 366"),
        (["--first", DAY_ONE, "--days", "1"], "--first-day"),
        (["--first-day", DAY_ONE, "--days", "1", "--profile", "../x"], "neither a name nor an"),
        (["--first-day", DAY_ONE, "--days", "1", "--lake", __file__], "is no folder; name one"),
    ],
)
def test_a_wrong_flag_is_refused_in_one_sentence(run_days, flags, message):
    process = run_days(*flags)
    printed, _ = process.communicate()
    assert process.returncode == 2
    assert message in printed.splitlines()[-1]
