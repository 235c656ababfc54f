"""One line about a task that failed for good: to the task's log, and to whoever CDM_ON_FAILURE is.

CDM_ON_FAILURE, in the environment of the workers, is the path of a program; it is given the line as
its one argument. No shell reads the line. Without the variable the line is in the log alone.
"""

import logging
import os
import re
import shlex
import subprocess

from airflow.sdk import Context

from run_day import range_of_run

HOOK = "CDM_ON_FAILURE"
PATIENCE_S = 60

_log = logging.getLogger(__name__)


def tell_failure(context: Context) -> None:
    """Tell of the failure; what goes wrong in doing so is logged and no more."""
    line = failure_line(context)
    _log.error("%s", line)
    hook = os.environ.get(HOOK)
    if not hook:
        return
    try:
        subprocess.run([hook, line], check=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        _log.error("%s: %s could not be told of the failure: %s", HOOK, hook, error)


def failure_line(context: Context) -> str:
    """Return the DAG, the day, the task, the try, why, where the log is, and the next command."""
    ti, run = context["ti"], context["dag_run"]
    place = f" [{ti.map_index}]" if ti.map_index >= 0 else ""
    again = ["airflow", "dags", "clear", ti.dag_id, "--run-id", run.run_id, "--only-failed"]
    words = (
        f"FAILED dag {ti.dag_id}, day {_day(context)}, task {ti.task_id}{place}, "
        f"try {ti.try_number}: {context.get('exception') or 'killed'}; "
        f"log: {ti.log_url}; next: read the log, put that right, then {shlex.join(again)}"
    )
    return re.sub(r"\s+", " ", words)


def _day(context: Context) -> str:
    env = getattr(context.get("task"), "env", None)
    day = env.get("CDM_RUN_DAY", "") if isinstance(env, dict) else ""
    if re.fullmatch("[0-9-]{10}", day):
        return day
    try:
        first, last = range_of_run(context["dag_run"], context.get("params") or {})
    except ValueError as error:
        return f"unknown ({error})"
    return first if first == last else f"{first} to {last}"
