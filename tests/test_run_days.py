"""What `make run` calls: days through Airflow, and what a person sees of them."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stand_in_python import (
    AFTER,
    BEFORE,
    BOOTSTRAP,
    DAY_ONE,
    DAY_TWO,
    JUDGE,
    LATER_DAY,
    ROOT,
    StandIn,
    are,
)


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


def test_make_run_shows_each_task_and_stops_at_the_first_failure(run_days, stand_in):
    refused = ["jobs.validate", "candidate_sets", DAY_TWO]
    stand_in.plan([(["jobs.score", DAY_ONE], 99), (refused, 2), (["--bootstrap", DAY_TWO], 99)])
    process = run_days("--first-day", DAY_ONE, "--days", "3")
    printed, _ = process.communicate()
    assert process.returncode == 1, printed
    one, two = printed.split("\nday 2 of 3: 2026-01-02   (about ")
    told = dict(re.findall(r"^  (\w+) +(?:[\d.]+ s)?  (ok|skipped|FAILED)$", one, re.M))
    assert told == are(BEFORE + BOOTSTRAP + AFTER, "ok") | are(JUDGE, "skipped")
    assert re.search(r"^  validate_candidate_sets +[\d.]+ s  FAILED$", two, re.M)
    assert "stand-in: refused: column ts of x.parquet is text\n" in two
    assert "Stage noise" not in two
    home = run_days.lake / ".airflow"
    assert f"full log   {home}/run-{DAY_TWO}.log" in two
    assert "stand-in: refused" in (home / f"run-{DAY_TWO}.log").read_text()
    again = f"--lake {shlex.quote(str(run_days.lake))} --profile jingdong --first-day {DAY_ONE}"
    assert again in two
    # One file for each task that printed anything, where Airflow's page looks for it.
    assert len(list(home.glob("logs/dag_id=*/run_id=*/task_id=*/attempt=1.log"))) == 14 + 4


def test_make_run_prints_the_summary_last_and_how_to_go_on(run_days, stand_in):
    (run_days.lake / "reports").mkdir(parents=True, exist_ok=True)
    (run_days.lake / "reports" / "summary.txt").write_text("method  recall@10\n")
    stand_in.plan(LATER_DAY)
    process = run_days("--first-day", "2025-12-31", "--days", "1")
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    assert "method  recall@10\n\nreport " in printed
    assert f"{run_days.lake}/reports/index.html\n" in printed
    assert "--first-day 2026-01-01 --days 1\n" in printed
    assert "airflow api-server --host 127.0.0.1" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_make_run_leaves_no_command_running(run_days, stand_in, number):
    stand_in.plan([(["jobs.validate"], "hang")])
    process = run_days("--first-day", DAY_ONE, "--days", "1")
    while len(stand_in.calls()) < 2 and process.poll() is None:
        time.sleep(0.1)
    hanging = Path(f"/proc/{stand_in.calls()[-1]['pid']}")
    assert hanging.exists()
    process.send_signal(number)
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
def test_make_run_refuses_in_one_sentence(run_days, flags, message):
    process = run_days(*flags)
    printed, _ = process.communicate()
    assert process.returncode == 2
    assert message in printed.splitlines()[-1]
