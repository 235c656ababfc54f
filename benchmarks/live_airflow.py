"""An Airflow with scheduler, web server and API in a folder: what `airflow standalone` starts.

But for the servers of logs, which would listen to other machines too, and the triggerer, which no
DAG of ours needs.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DAGS = Path(__file__).resolve().parents[1] / "dags"
POOL, PATIENCE_S = "cdm_labels", 300
PARTS = (
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("api-server", "--host", "127.0.0.1"),
)
ENDED = frozenset({"success", "failed"})


class LiveAirflow:
    """Its folder, its environment and its API; nothing runs before `started`."""

    def __init__(self, home: Path, database: str = "") -> None:
        """Name the folder, and the database where it is not to be SQLite in that folder."""
        self.home = home
        self.bin = Path(sys.executable).parent
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW_")}
        self.environment = inherited | {
            "PATH": f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "CDM_PYTHON": sys.executable,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            # By which the scheduler's tasks and the API know each other.
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            # After how long a task that nobody watches any more is tried again; usually 5 minutes.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        if database:
            self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database
        self._token = ""

    def command(self, *words: str) -> None:
        """Run an `airflow` command; its output goes to a file of the folder."""
        with (self.home / "commands.log").open("a") as log:
            subprocess.run(
                [self.bin / "airflow", *words],
                env=self.environment, stdout=log, stderr=log, check=True,
            )  # fmt: skip

    @contextmanager
    def started(self, slots: int) -> Iterator[None]:
        """Run it with a pool of so many days at once; end every process of it at the end."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.command("db", "migrate")
        self.command("pools", "set", POOL, str(slots), "days that are labelled at once")
        processes: list[subprocess.Popen] = []
        try:
            for words in PARTS:
                with (self.home / f"{words[0]}.log").open("a") as log:
                    processes.append(
                        subprocess.Popen(
                            [self.bin / "airflow", *words],
                            env=self.environment,
                            stdout=log,
                            stderr=log,
                            start_new_session=True,
                        )
                    )
            self._await_start(processes)
            yield
        finally:
            # SIGTERM to each alone would leave its parts running.
            for number in (signal.SIGTERM, signal.SIGKILL):
                for process in processes:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, number)
                for process in processes:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(20)
                time.sleep(1)

    def _await_start(self, processes: list[subprocess.Popen]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and all(one.poll() is None for one in processes):
            with suppress(OSError, ValueError, KeyError):
                self._token = ""
                if len(self.call("GET", "/api/v2/dags")["dags"]) >= 3:
                    return
            time.sleep(2)
        raise TimeoutError(f"Airflow did not start: read the logs in {self.home}")

    def call(self, method: str, path: str, body: object = None) -> dict:
        """Call its API; HTTPError where it refuses, with what it said in the message."""
        if not self._token and not path.startswith("/auth"):
            self._token = self.call("GET", "/auth/token")["access_token"]
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.msg = f"{error.msg}: {error.read().decode(errors='replace')}"
            raise

    def unpause(self, dag_id: str) -> None:
        """Let the runs of a DAG start."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, conf: dict[str, object]) -> str:
        """Start a run by hand; return its id."""
        body = {"logical_date": None, "conf": conf}
        return self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"]

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"]

    def tasks(self, dag_id: str, run_id: str) -> list[dict]:
        """Return the task instances of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000"
        return self.call("GET", path)["task_instances"]
