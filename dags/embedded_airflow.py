"""Airflow on its embedded default: a folder with SQLite in it, and no service left running."""

import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path

from dags.followed_run import FollowedRun
from dags.process_tree import end_tree

DAGS = Path(__file__).resolve().parent
POOL = ("cdm_labels", "2", "days that are labelled at once")
"""The pool of backfill_teacher_labels: name, slots and what it is for."""
_PREPARED = f"{version('apache-airflow')} {POOL[0]}"


class AirflowMissing(Exception):
    """Airflow cannot be used here; the message says what to do."""


class EmbeddedAirflow:
    """One AIRFLOW_HOME, for one process at a time."""

    def __init__(self, home: Path) -> None:
        """Name the folder; nothing is written before `opened`."""
        self.home = home
        self._migrated = home / "migrated"
        self.airflow = Path(sys.executable).with_name("airflow")
        # A shell that points at somebody's production Airflow must not lead these runs there.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW_")}
        self.environment = inherited | {
            "PATH": f"{self.airflow.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "CDM_PYTHON": os.environ.get("CDM_PYTHON", sys.executable),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__JSON_LOGS": "True",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder alone, with its database made."""
        if not self.airflow.exists():
            raise AirflowMissing(f"no {self.airflow}: run `make setup`, then use .venv/bin/python")
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AirflowMissing(f"another run is using {self.home}: let it end") from None
            self._prepare()
            yield

    @property
    def is_prepared(self) -> bool:
        """Whether the database is there with its pool, made by this version of Airflow."""
        return self._migrated.exists() and self._migrated.read_text() == _PREPARED

    def _prepare(self) -> None:
        if self.is_prepared:
            return
        if not self._migrated.exists():
            # What a killed migration leaves cannot be migrated again.
            (self.home / "airflow.db").unlink(missing_ok=True)
        log = self.home / "migrate.log"
        with log.open("w") as out:
            for words in (["db", "migrate"], ["pools", "set", *POOL]):
                command = [self.airflow, *words]
                ended = subprocess.run(command, env=self.environment, stdout=out, stderr=out)
                if ended.returncode != 0:
                    raise AirflowMissing(f"`airflow {words[0]} {words[1]}` failed: read {log}")
        self._migrated.write_text(_PREPARED)

    def page_command(self) -> str:
        """The shell command that serves Airflow's own page of these runs, to this machine alone."""
        return (
            f"AIRFLOW_HOME={shlex.quote(str(self.home))} "
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True "
            f"{shlex.quote(str(self.airflow))} api-server --host 127.0.0.1"
        )

    @contextmanager
    def testing(self, dag_id: str, conf: dict[str, str]) -> Iterator[Callable[[date], FollowedRun]]:
        """Give what runs a day; whatever still runs at the end of the block is ended."""
        process = subprocess.Popen(
            [sys.executable, "-m", "dags.days_in_airflow", dag_id, json.dumps(conf)],
            cwd=DAGS.parent,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield lambda day: FollowedRun(self.home, dag_id, day, process)
        finally:
            end_tree(process)
