"""Airflow's own page of a finished week, opened in a real browser: what a person reads of it.

The week runs as `make run` runs it. Its commands are a stand-in's, for the page shows what became
of them and not what they made; with --real-week they are the toy profile's own.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from browser import Page, browser, chromium
from stand_in_python import BOOTSTRAP, COMMANDS, DAY_ONE, JUDGE, ROOT, StandIn

from dags.embedded_airflow import EmbeddedAirflow

WEEK = [str(date.fromisoformat(DAY_ONE) + timedelta(days=n)) for n in range(7)]
START_S = 300
SECRETS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://ann:hunter2@db/airflow",
    "WAREHOUSE_PASSWORD": "hunter2",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
}
"""What a machine's environment may hold: nothing here may write or say it."""


@pytest.fixture(scope="module")
def week(tmp_path_factory, pytestconfig) -> tuple[Path, str]:
    """The lake of a finished week, and what was printed."""
    chromium()
    stand_in = StandIn(tmp_path_factory.mktemp("stand in"))
    stand_in.plan([(["jobs.score", DAY_ONE], 99), *((["--bootstrap", d], 99) for d in WEEK[1:])])
    lake = tmp_path_factory.mktemp("week") / "lake"
    own = {} if pytestconfig.getoption("--real-week") else {"CDM_PYTHON": str(stand_in.path)}
    command = [sys.executable, "-m", "dags.run_days", "--lake", str(lake), "--profile", "toy"]
    done = subprocess.run(
        [*command, "--first-day", DAY_ONE, "--days", str(len(WEEK))],
        cwd=ROOT,
        env=os.environ | SECRETS | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return lake, done.stdout


@pytest.fixture(scope="module")
def address(week, tmp_path_factory) -> Iterator[str]:
    """Where the page is served by the very command that the run has printed."""
    lake, printed = week
    said = re.search(r"^Airflow's page +(.*)$", printed, re.MULTILINE)[1]
    assert said == EmbeddedAirflow(lake / ".airflow").page_command()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    log = tmp_path_factory.mktemp("api") / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["env", *shlex.split(said), "--port", str(port)],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield answering(process, port, log)
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def answering(process: subprocess.Popen, port: int, log: Path) -> str:
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/version", timeout=5).close()
            return f"http://127.0.0.1:{port}"
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)


@pytest.fixture(scope="module")
def page(address, tmp_path_factory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser") / "profile") as page:
        yield page


def test_the_list_shows_the_three_dags(page, address):
    page.open(f"{address}/dags")
    page.until("document.body.innerText.includes('daily_retraining')", "the list of DAGs")
    assert "3 Dags\n" in page.text
    for name in ("backfill_teacher_labels", "data_validation_report"):
        assert name in page.text


def test_the_runs_of_the_week_all_succeeded(page, address):
    page.open(f"{address}/dags/daily_retraining/runs")
    page.until("document.body.innerText.includes('7 Dag Runs')", "the seven runs")
    page.until("document.querySelectorAll('tbody tr').length == 7", "their rows")
    rows = page.texts("tbody tr")
    assert [re.search(r"(2026-01-0\d) 00:00:00", row)[1] for row in rows] == WEEK[::-1]
    assert all("Success" in row for row in rows)
    assert not any("Failed" in row for row in rows)


def test_the_grid_has_a_column_for_each_day_and_a_row_for_each_task(page, address):
    page.open(f"{address}/dags/daily_retraining")
    cells = "[...document.querySelectorAll('a[id^=grid-]')].map(one => one.id)"
    count = len(WEEK) * len(COMMANDS)
    page.until(f"{cells}.length >= {count}", f"a grid of {count} cells")
    tasks = page.texts("div[data-testid^=task-] a p")
    assert sorted(set(tasks)) == sorted(COMMANDS)
    runs = {re.fullmatch(r"grid-(.*)-\w+", cell)[1] for cell in page.run(cells)}
    assert len(runs) == len(WEEK)
    assert "Failed Runs" in page.text
    assert re.search(r"\b0\s+Failed Tasks", page.text)
    assert re.search(r"\b0\s+Failed Runs", page.text)


@pytest.mark.parametrize("number", [0, 6])
def test_the_tasks_of_a_day_are_green_or_skipped_as_they_should_be(page, address, number):
    """The first day has no model to judge, every later one needs no bootstrap."""
    page.open(f"{address}/dags/daily_retraining/runs")
    page.until("document.querySelectorAll('tbody tr').length == 7", "the seven runs")
    links = page.run("[...document.querySelectorAll('tbody a')].map(a => a.href)")
    runs = list(dict.fromkeys(link for link in links if "/runs/" in link))[::-1]
    page.open(runs[number])
    page.until(f"document.querySelectorAll('tbody tr').length == {len(COMMANDS)}", "the tasks")
    lines = [row.split() for row in page.texts("tbody tr")]
    found = {name: "Skipped" if "Skipped" in words else "Success" if "Success" in words else words
             for words in lines for name in words if name in COMMANDS}  # fmt: skip
    skipped = BOOTSTRAP if number else JUDGE
    assert found == {task: "Skipped" if task in skipped else "Success" for task in COMMANDS}


def test_what_a_task_printed_can_be_read(page, address):
    page.open(f"{address}/dags/daily_retraining/runs")
    page.until("document.querySelectorAll('tbody tr').length == 7", "the seven runs")
    links = page.run("[...document.querySelectorAll('tbody a')].map(a => a.href)")
    run = next(link for link in links if "/runs/" in link)
    page.open(f"{run}/tasks/promote")
    page.until("/stand-in: done|promote 2026-01-07: /.test(document.body.innerText)", "its log")


def test_the_page_asks_nobody_else_and_listens_to_nobody_else(page, address):
    hosts = {url.split("/")[2] for url in page.asked if url.startswith("http")}
    port = address.rpartition(":")[2]
    assert hosts == {f"127.0.0.1:{port}"}
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{int(port):04X}")
    }
    assert listening == {f"0100007F:{int(port):04X}"}, "127.0.0.1, as the kernel writes it"


def test_no_secret_of_the_environment_is_printed_or_written(week):
    lake, printed = week
    assert "hunter2" not in printed
    files = [path for path in lake.rglob("*") if path.is_file()]
    assert any(path.name.startswith("run-") for path in files)
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []
