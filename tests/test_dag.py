"""The daily DAG: its shape, its gates, its commands, and what it does when it really runs.

The runs are Airflow's own. Only the interpreter is a stand-in, which notes what it was called with
and exits as the test plans: the DAG is tested here, the jobs elsewhere.
"""

import copy
import itertools
import os
import re
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from stand_in_python import (
    AFTER,
    BEFORE,
    BOOTSTRAP,
    COMMANDS,
    DAY_ONE,
    DAY_TWO,
    FIRST_DAY,
    JUDGE,
    LATER_DAY,
    ROOT,
    are,
    states,
)

from jobs import line

# What only lays a table out anew is validated with it, before anything follows from either.
READ_BEFORE_VALIDATION = {
    ("build_candidates", "request_logs"),
    ("evaluate", "rankings"),
    ("build_examples", "teacher_labels"),
    ("build_examples", "unlabelled"),
}


@pytest.fixture(scope="module")
def dag(bag):
    return bag.dags["daily_retraining"]


NAMES = ["backfill_teacher_labels", "daily_retraining", "data_validation_report"]


def test_airflow_finds_the_three_dags_and_nothing_else(bag):
    assert bag.import_errors == {}
    assert sorted(bag.dags) == NAMES
    assert sorted(Path(stat.file).stem for stat in bag.dagbag_stats) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_task_says_how_long_it_may_take_whose_it_is_and_who_is_told(bag, name):
    dag = bag.dags[name]
    assert dag.catchup is False
    assert len(dag.doc_md.splitlines()) > 20
    for task in dag.tasks:
        assert task.owner == "ranking"
        assert task.task_type in ("JobOperator", "BashOperator", "EmptyOperator")
        assert task.retries == 2
        assert task.retry_exponential_backoff > 1
        assert task.max_retry_delay > task.retry_delay > timedelta(0)
        assert task.retry_policy is not None
        assert [call.__name__ for call in task.on_failure_callback] == ["tell_failure"]
        if task.task_type != "EmptyOperator":
            assert timedelta(0) < task.execution_timeout <= timedelta(hours=6)
            assert task.append_env is True


def test_the_page_of_the_line_names_its_tasks_and_none_passes_values_on(dag):
    assert dag.max_active_runs == 1
    assert dag.tags == {"cdm", "retraining"}
    assert "## At 3 a.m." in dag.doc_md
    assert set(re.findall(r"`(\w+)`", dag.doc_md)) >= {"ingest", "promote", "train", "report"}
    for task in dag.tasks:
        assert task.do_xcom_push is False
        assert task.skip_on_exit_code == [99]


def test_a_scheduled_run_covers_one_whole_day_that_has_ended(dag):
    from airflow.serialization.serialized_objects import DagSerialization

    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    first, last = (datetime(2026, 1, day, tzinfo=UTC) for day in (2, 4))
    runs = list(scheduled.iter_dagrun_infos_between(first, last))
    assert [run.data_interval.start.day for run in runs] == [2, 3, 4]
    for run in runs:
        assert run.data_interval.end - run.data_interval.start == timedelta(days=1)
        assert run.run_after == run.data_interval.end


def test_the_tasks_are_the_line_and_the_order_is_its_order(dag):
    assert set(dag.task_ids) == set(COMMANDS)
    assert list(COMMANDS.values()) == list(line.COMMANDS)
    position = {task_id: n for n, task_id in enumerate(COMMANDS)}
    for task in dag.tasks:
        assert all(position[before] < position[task.task_id] for before in task.upstream_task_ids)


def test_the_edges(dag):
    expected = set()
    for path in (BEFORE + JUDGE + AFTER, [BEFORE[-1], *BOOTSTRAP, "promote"]):
        expected |= set(itertools.pairwise(path))
    assert {(t.task_id, after) for t in dag.tasks for after in t.downstream_task_ids} == expected


def test_nothing_follows_from_a_table_before_its_validation(dag):
    gates = {name: set(c.split()[2:]) for name, c in COMMANDS.items() if c.startswith("validate")}
    validated = set().union(*gates.values())
    skipped_gates, readers = set(), 0
    for task_id, command in COMMANDS.items():
        if task_id in gates:
            continue
        module = line.step_module(command.split()[0])
        before = dag.get_task(task_id).get_flat_relative_ids(upstream=True)
        after = dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        for table in validated & set(getattr(module, "WRITES", ())):
            assert any(table in gates[name] for name in after & set(gates))
        for table in validated & set(getattr(module, "READS", ())):
            # The bootstrap is for a day without labels.
            if task_id == "bootstrap_examples" and table in ("teacher_labels", "unlabelled"):
                continue
            readers += 1
            if not any(table in gates[name] for name in before & set(gates)):
                skipped_gates.add((task_id, table))
    assert skipped_gates == READ_BEFORE_VALIDATION
    assert readers >= 8


def test_no_rule_lets_a_task_run_after_a_failure(dag):
    rules = {task.task_id: task.trigger_rule for task in dag.tasks}
    assert rules.pop("promote") == "none_failed_min_one_success"
    assert set(rules.values()) == {"all_success"}


def test_a_command_is_a_constant_and_what_users_choose_is_its_environment(dag):
    for task in dag.tasks:
        assert task.bash_command == (
            f'exec "${{CDM_PYTHON:-.venv/bin/python}}" -m jobs.{COMMANDS[task.task_id]}'
            ' --lake "${CDM_RUN_LAKE:-$CDM_LAKE}" --date "$CDM_RUN_DAY"'
            ' --profile "${CDM_RUN_PROFILE:-$CDM_PROFILE}"'
        )
        assert "{{" not in task.bash_command + task.cwd
        assert task.append_env is True
        assert set(task.env) == {"CDM_RUN_DAY", "CDM_RUN_LAKE", "CDM_RUN_PROFILE"}


def test_what_a_shell_reads_at_its_start_does_not_choose_the_interpreter(dag, stand_in, tmp_path):
    """A task's input is a socket, as from rsh, and bash then reads ~/.bashrc."""
    other = tmp_path / "other" / "python"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 3\n")
    other.chmod(0o755)
    (tmp_path / ".bashrc").write_text(f"export PATH={other.parent}:$PATH\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(stand_in.path)
    stand_in.plan([])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            ["bash", "-c", dag.get_task("ingest").bash_command],
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "CDM_RUN_DAY": DAY_ONE},
            cwd=tmp_path,
            stdin=theirs,
            check=False,
        )
    assert done.returncode == 0
    assert len(stand_in.calls()) == 1


def rendered(task, params):
    """The environment of a task of a scheduled run; a name that Airflow lacks raises."""
    templates = task.get_template_env()
    assert templates.undefined is jinja2.StrictUndefined
    run = SimpleNamespace(
        run_id="scheduled__x",
        run_type="scheduled",
        data_interval_start=datetime(2026, 1, 2, tzinfo=UTC),
        data_interval_end=datetime(2026, 1, 3, tzinfo=UTC),
    )
    context = {"dag_run": run, "params": params}
    return {k: templates.from_string(v).render(context) for k, v in task.env.items()}


@pytest.mark.parametrize("task_id", COMMANDS)
def test_a_command_is_understood_by_its_own_job(dag, stand_in, tmp_path, task_id):
    task = dag.get_task(task_id)
    lake = str(tmp_path / "a lake")
    environment = rendered(task, {"lake": lake, "profile": "jingdong", "day": None})
    stand_in.plan([])
    subprocess.run(["bash", "-c", task.bash_command], env=os.environ | environment, check=True)
    minus_m, module, *argv = stand_in.calls()[-1]["argv"]
    step = module.removeprefix("jobs.")
    args = line.step_module(step).build_parser().parse_args(argv)
    assert (minus_m, step) == ("-m", COMMANDS[task_id].split()[0])
    assert args.lake == Path(lake)
    assert args.date.isoformat() == DAY_TWO
    assert ("--bootstrap" in COMMANDS[task_id]) is getattr(args, "bootstrap", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("day", text) for text in ("; touch x", "$(touch x)", "../2026-01-02", "2026-1-2", "")],
        *[("day", 20260102), ("lake", "lake"), ("lake", "../lake"), ("lake", "-x"), ("lake", "")],
        *[("lake", "/a\0b"), ("lake", "/a\nb"), ("lake", 7), ("profile", "../jingdong")],
        *[("profile", "--help"), ("profile", "a b"), ("profile", "rel.toml"), ("profile", "")],
    ],
)
def test_a_wrong_parameter_is_refused_before_any_task(dag, name, value):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        copy.deepcopy(dag.params)[name] = value


def test_the_first_day_skips_the_judging_and_promotes_the_bootstrap(dag, stand_in):
    stand_in.plan(FIRST_DAY)
    assert states(dag, DAY_ONE) == (
        are(BEFORE + BOOTSTRAP + AFTER, "success") | are(JUDGE, "skipped")
    )
    called = [" ".join(call["argv"][1:]) for call in stand_in.calls()]
    assert len(called) == len(COMMANDS) - len(JUDGE) + 1
    defaults = f"--lake /lake/of/the/worker --date {DAY_ONE} --profile kuaishou"
    assert all(call.endswith(defaults) for call in called)
    assert {call["cwd"] for call in stand_in.calls()} == {str(ROOT)}


def test_a_later_day_skips_the_bootstrap_and_promotes_on_the_metrics(dag, stand_in):
    stand_in.plan(LATER_DAY)
    assert states(dag, DAY_TWO) == (
        are(BEFORE + JUDGE + AFTER, "success") | are(BOOTSTRAP, "skipped")
    )


def test_a_day_on_which_nothing_came_in_is_skipped_whole(dag, stand_in):
    stand_in.plan([(["jobs.ingest"], 99)])
    assert set(states(dag, DAY_TWO).values()) == {"skipped"}
    assert len(stand_in.calls()) == 1


@pytest.mark.parametrize(
    ("table", "gate"), [("metrics", "validate_rankings"), ("teacher_labels", "validate_examples")]
)
def test_a_refused_validation_is_not_retried_and_stops_all_that_follows(dag, stand_in, table, gate):
    stand_in.plan([*LATER_DAY, (["jobs.validate", table], 2)])
    after = dag.get_task(gate).get_flat_relative_ids(upstream=False)
    before = set(COMMANDS) - {gate, *after, *BOOTSTRAP}
    assert states(dag, DAY_TWO) == (
        are(before, "success")
        | are(BOOTSTRAP, "skipped")
        | {gate: "failed"}
        | are(after, "upstream_failed")
    )
    assert sum(table in call["argv"] for call in stand_in.calls()) == 1


def test_hostile_values_arrive_as_they_are_and_no_shell_reads_them(dag, stand_in, tmp_path):
    before = sorted(path.name for path in ROOT.iterdir())
    lake = f"{tmp_path}/../a b;touch x$(touch y)`touch z`'\"\\ {{{{ 7 * 7 }}}} && exit 3 #*"
    profile = "/p $(touch x);'\".toml"
    stand_in.plan(LATER_DAY)
    states(dag, DAY_TWO, {"lake": lake, "profile": profile})
    for call in stand_in.calls():
        assert call["argv"][-6:] == ["--lake", lake, "--date", DAY_TWO, "--profile", profile]
    assert len(stand_in.calls()) == len(COMMANDS) - len(BOOTSTRAP) + 1
    assert sorted(path.name for path in ROOT.iterdir()) == before


def test_a_day_that_no_calendar_has_fails_before_its_command(dag, stand_in):
    stand_in.plan([])
    assert states(dag, DAY_TWO, {"day": "2026-02-30"})["ingest"] == "failed"
    assert stand_in.calls() == []


@pytest.mark.parametrize(
    ("code", "run_type", "action"),
    [
        *[(2, "scheduled", "fail"), (2, "backfill", "fail"), (2, "manual", "fail")],
        *[(1, "scheduled", "default"), (1, "backfill", "default"), (1, "manual", "fail")],
        *[(137, "asset_triggered", "default"), (20, "scheduled", "default")],
    ],
)
def test_a_crash_is_retried_but_neither_a_refusal_nor_a_run_by_hand(bag, code, run_type, action):
    from job_operator import JobOperator
    from retries import RetryCrashes

    said = "it said: exit code 2."
    with pytest.raises(Exception, match=f"exit code {code}. {said}") as failure:
        JobOperator(task_id="x", bash_command=f"echo '{said}'; exit {code}").execute({})
    context = {"dag_run": SimpleNamespace(run_type=run_type)}
    decision = RetryCrashes().evaluate(failure.value, 1, 2, context)
    assert decision.action.value == action
