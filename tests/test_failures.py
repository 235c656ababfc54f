"""The line that tells of a failure: what it says, and that no shell reads it."""

import logging
import shlex
from types import SimpleNamespace

import pytest
from stand_in_python import DAY_TWO, states


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """A program that keeps each argument that it is given, a line each."""
    program, told = tmp_path / "a hook", tmp_path / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$@" >> {shlex.quote(str(told))}\n')
    program.chmod(0o755)
    monkeypatch.setenv("CDM_ON_FAILURE", str(program))
    return told


def context(**changes):
    ti = SimpleNamespace(
        dag_id="daily_retraining",
        task_id="score",
        map_index=-1,
        try_number=3,
        log_url="http://airflow/dags/daily_retraining/tasks/score",
    )
    dag_run = SimpleNamespace(run_id="manual__1 $(touch x)", run_type="manual")
    task = SimpleNamespace(env={"CDM_RUN_DAY": DAY_TWO})
    return {"ti": ti, "dag_run": dag_run, "task": task, "params": {}} | changes


def test_it_names_dag_day_task_try_cause_log_and_the_next_command(bag):
    from failures import failure_line

    assert failure_line(context(exception=Exception("exit code 1.\n\tTwice"))) == (
        f"FAILED dag daily_retraining, day {DAY_TWO}, task score, try 3: exit code 1. Twice; "
        "log: http://airflow/dags/daily_retraining/tasks/score; "
        "next: read the log, put that right, then airflow dags clear daily_retraining "
        "--run-id 'manual__1 $(touch x)' --only-failed"
    )


def test_a_task_that_was_killed_before_its_day_was_worked_out_has_it_from_the_parameters(bag):
    """Airflow's own processes then tell of it, with the templates as they were written."""
    from failures import failure_line

    task = SimpleNamespace(env={"CDM_RUN_DAY": "{{ run_day(dag_run, params) }}"})
    asked = {"first_day": "2026-01-02", "last_day": "2026-01-14"}
    assert ", day 2026-01-02 to 2026-01-14, task score, try 3: killed; " in failure_line(
        context(task=task, params=asked)
    )
    assert ", day unknown (params.first_day is 'x'" in failure_line(
        context(task=task, params={"first_day": "x"})
    )


def test_a_failure_is_told_once_and_by_one_argument(bag, stand_in, hook):
    stand_in.plan([(["jobs.score"], 99), (["jobs.build_candidates"], 2)])
    lake = "/a b;touch $(touch x)'\"{{ 7 * 7 }}"
    dag = bag.dags["daily_retraining"]
    assert states(dag, DAY_TWO, {"lake": lake})["build_candidates"] == "failed"
    count, line, *more = hook.read_text().splitlines()
    assert (count, more) == ("1", [])
    assert line.startswith(
        f"FAILED dag daily_retraining, day {DAY_TWO}, task build_candidates, try"
    )
    assert "exit code 2. stand-in: refused: column ts of x.parquet is text; log: " in line


def test_a_mapped_task_is_told_by_its_own_day(bag, stand_in, hook):
    stand_in.plan([(["jobs.validate"], 2)])
    states(bag.dags["data_validation_report"], None, {"first_day": DAY_TWO})
    line = hook.read_text().splitlines()[1]
    assert f", day {DAY_TWO}, task day.validate [0], try " in line


@pytest.mark.parametrize("program", ["/nonexistent/hook", "/bin/false", "/"])
def test_a_hook_that_cannot_be_told_does_no_harm(bag, monkeypatch, caplog, program):
    from failures import tell_failure

    monkeypatch.setenv("CDM_ON_FAILURE", program)
    with caplog.at_level(logging.ERROR):
        tell_failure(context())
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("FAILED dag daily_retraining")
    assert second.startswith(f"CDM_ON_FAILURE: {program} could not be told of the failure: ")
