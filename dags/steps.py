"""What the DAGs share: a step is a command of `jobs`, and what users choose its environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Param

from failures import tell_failure
from job_operator import JobOperator
from retries import RetryCrashes

# Python's $ would let a newline follow, and the form, whose patterns are JavaScript's, knows no \Z.
END = r"$(?!\n)"
LAKE = r"^/[^\x00-\x1f]*" + END
PROFILE = r"^([a-z0-9_]+|/[^\x00-\x1f]*\.toml)" + END
DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}" + END
WHERE = {
    "CDM_RUN_LAKE": "{{ params.lake or '' }}",
    "CDM_RUN_PROFILE": "{{ params.profile or '' }}",
}
"""The environment that names the lake and the profile of a run."""
OF_ITS_DAY = {"CDM_RUN_DAY": "{{ run_day(dag_run, params) }}", **WHERE}
"""The environment of a step about the run's own day; the DAG has the macro `run_day`."""

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "ranking",
    "retries": 2,
    "retry_delay": timedelta(minutes=2),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": RetryCrashes(),
    "on_failure_callback": tell_failure,
    "do_xcom_push": False,
}


def command(job: str) -> str:
    """The shell's part of a step: a constant, in which every value is a quoted variable.

    PATH is not asked for an interpreter: a task's input is a socket, where bash reads ~/.bashrc,
    which may put another Python first.
    """
    return (
        f'exec "${{CDM_PYTHON:-.venv/bin/python}}" -m jobs.{job}'
        ' --lake "${CDM_RUN_LAKE:-$CDM_LAKE}" --date "$CDM_RUN_DAY"'
        ' --profile "${CDM_RUN_PROFILE:-$CDM_PROFILE}"'
    )


def step(
    task_id: str,
    job: str,
    *,
    env: dict[str, Any] = OF_ITS_DAY,
    hours: float = 1,
    before: str = "",
    **rest: Any,  # noqa: ANN401
) -> JobOperator:
    """One command, `before` it a line of shell. Users' values reach both as environment alone."""
    return JobOperator(
        task_id=task_id,
        bash_command=before + command(job),
        env=env,
        append_env=True,
        cwd=str(Path(__file__).resolve().parents[1]),
        skip_on_exit_code=99,
        execution_timeout=timedelta(hours=hours),
        **rest,
    )


def optional_text(pattern: str, description: str) -> Param:
    """A parameter that may be left out."""
    return Param(None, type=["null", "string"], pattern=pattern, description=description)


def optional_day(description: str) -> Param:
    """A day that may be left out; the form shows a calendar."""
    return Param(None, type=["null", "string"], format="date", pattern=DAY, description=description)


def where_params() -> dict[str, Param]:
    """Which lake, and which profile."""
    return {
        "lake": optional_text(LAKE, "Absolute path of the lake; the worker's CDM_LAKE if empty."),
        "profile": optional_text(
            PROFILE, "Name of a profile or a TOML file's path; the worker's CDM_PROFILE if empty."
        ),
    }
