"""The DAG that labels a range: its commands, its parameters, and what its runs do."""

import copy
import json
import subprocess
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from stand_in_python import ROOT, states

from jobs import label_candidates, labelled_days
from model.config import USES, TeacherConfig

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]
LISTED = (["jobs.labelled_days"], ["labelled_days: 3 days", json.dumps(DAYS)])
RANGE = {"first_day": DAYS[0], "last_day": DAYS[-1]}
CHOICE = {"teacher": "msd", "weight": 0.5, "model": "0a1b2c3d4e5f"}
NOT_SCHEDULED = {"CDM_RUN_IS_SCHEDULED": ""}
LABEL = "label.label_candidates"


@pytest.fixture(scope="module")
def dag(bag):
    return bag.dags["backfill_teacher_labels"]


def calls_of(stand_in, module):
    return [call["argv"][2:] for call in stand_in.calls() if call["argv"][1] == f"jobs.{module}"]


def test_a_backfill_has_a_run_for_every_day(dag):
    from airflow.serialization.serialized_objects import DagSerialization

    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    first, last = (datetime(2026, 1, day, tzinfo=UTC) for day in (2, 4))
    runs = list(scheduled.iter_dagrun_infos_between(first, last))
    assert [run.data_interval.start.day for run in runs] == [2, 3, 4]
    assert "--reprocess-behavior completed" in dag.doc_md


def test_a_scheduled_run_is_skipped_before_its_command(dag, stand_in):
    stand_in.plan([LISTED])
    for name in ("days", "account"):
        task = dag.get_task(name)
        template = task.get_template_env().from_string(task.env["CDM_RUN_IS_SCHEDULED"])
        for kind, code in (("scheduled", 99), ("backfill", 0), ("manual", 0)):
            told = template.render(dag_run=SimpleNamespace(run_type=kind))
            env = {"CDM_RUN_IS_SCHEDULED": told, "CDM_PYTHON": str(stand_in.path)}
            done = subprocess.run(["bash", "-c", task.bash_command], env=env, check=False)
            assert (name, kind, done.returncode) == (name, kind, code)
    assert len(stand_in.calls()) == 4


def test_days_are_bound_by_the_pool_and_shown_by_name(dag):
    label = dag.get_task(LABEL)
    assert label.pool == "cdm_labels"
    assert "airflow pools set cdm_labels" in dag.get_task("days").bash_command
    assert label.map_index_template == "{{ task.env['CDM_RUN_DAY'] }}"
    assert [asset.name for asset in label.outlets] == ["cdm_teacher_labels"]
    assert {dag.get_task(name).pool for name in ("days", "account")} == {"default_pool"}
    assert dag.max_active_runs == 16


def test_the_form_offers_the_teachers_that_there_are_and_their_weights(dag):
    offered = dag.params.get_param("teacher").schema["enum"]
    assert offered == [None, *USES]
    weight = dag.params.get_param("weight").schema
    for value in (weight["minimum"], weight["maximum"]):
        TeacherConfig(diversity_weight=value)
    for name in ("first_day", "last_day"):
        assert dag.params.get_param(name).schema["format"] == "date"
    for name in dag.params:
        assert dag.params.get_param(name).description


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("first_day", text) for text in ("; touch x", "$(touch x)", "2026-1-2", "", "{{ 7 }}")],
        *[("last_day", value) for value in (20260102, True, "2026-01-02\n", "2026-01-02 ")],
        *[("teacher", value) for value in ("; touch x", "$(x)", "", "MMR", "mmr\n", 7)],
        *[("weight", value) for value in ("0.5", "$(touch x)", -0.1, 10.1, "nan", True)],
        *[
            ("model", value)
            for value in ("; touch x", "../x", "", "0A1B2C3D4E5F", "0a1b2c3d4e5f\n")
        ],
        *[("force", value) for value in ("true", 1, None, "; touch x")],
        *[("lake", value) for value in ("lake", "/a\nb", "", 7)],
        *[("profile", value) for value in ("../x", "--help", "a b", "a\n")],
    ],
)
def test_a_wrong_parameter_is_refused_before_any_task(dag, name, value):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        copy.deepcopy(dag.params)[name] = value


def test_a_range_is_labelled_day_by_day_under_what_was_chosen(dag, stand_in):
    stand_in.plan([LISTED])
    made = states(dag, None, RANGE | CHOICE)
    assert made == {
        "days": "success",
        "account": "success",
        **{f"{LABEL}[{place}]": "success" for place in range(3)},
    }
    where = ["--lake", "/lake/of/the/worker", "--date"]
    chosen = ["--teacher", "msd", "--weight", "0.5", "--model", "0a1b2c3d4e5f"]
    profile = ["--profile", "kuaishou"]
    assert sorted(calls_of(stand_in, "label_candidates")) == [
        ["--skip-done", *chosen, *where, day, *profile] for day in DAYS
    ]
    listed = ["--last", DAYS[-1], *chosen]
    assert calls_of(stand_in, "labelled_days") == [
        [*listed, *where, DAYS[0], *profile],
        [*listed, "--require", *where, DAYS[0], *profile],
    ]
    for call in stand_in.calls():
        step = {"jobs.label_candidates": label_candidates, "jobs.labelled_days": labelled_days}
        args = step[call["argv"][1]].build_parser().parse_args(call["argv"][2:])
        assert (args.teacher, args.weight, args.model) == tuple(CHOICE.values())


def test_nothing_chosen_gives_no_flag_and_force_labels_again(dag, stand_in):
    stand_in.plan([LISTED])
    states(dag, None, RANGE | {"force": True, "weight": 0})
    assert len(calls_of(stand_in, "label_candidates")) == 3
    for argv in calls_of(stand_in, "label_candidates"):
        assert argv[:4] == ["--force", "--skip-done", "--weight", "0"]
        assert argv[4] == "--lake"


def test_a_try_after_the_first_does_not_skip_what_the_first_has_made(dag):
    env = dag.get_task("days").get_template_env()
    template = env.from_string(
        dag.task_group.children["label"].children[LABEL].env["CDM_RUN_FIRST_TRY"]
    )
    assert [template.render(ti=SimpleNamespace(try_number=n)) for n in (1, 2, 3)] == ["1", "", ""]


def test_a_run_with_a_date_is_about_that_day(dag, stand_in):
    stand_in.plan([(["jobs.labelled_days"], [json.dumps([DAYS[1]])])])
    assert states(dag, DAYS[1])[f"{LABEL}[0]"] == "success"
    (argv,) = calls_of(stand_in, "label_candidates")
    assert argv[argv.index("--date") + 1] == DAYS[1]
    for argv in calls_of(stand_in, "labelled_days"):
        assert argv[argv.index("--date") + 1] == argv[argv.index("--last") + 1] == DAYS[1]


def test_a_day_that_cannot_be_labelled_stops_no_other_and_the_run_fails(dag, stand_in):
    stand_in.plan(
        [
            (["jobs.label_candidates", DAYS[0]], 99),
            (["jobs.label_candidates", DAYS[1]], 2),
            (["jobs.labelled_days", "--require"], 2),
            LISTED,
        ]
    )
    assert states(dag, None, RANGE) == {
        "days": "success",
        f"{LABEL}[0]": "skipped",
        f"{LABEL}[1]": "failed",
        f"{LABEL}[2]": "success",
        "account": "failed",
    }
    assert len(calls_of(stand_in, "label_candidates")) == 3


def test_a_refused_choice_labels_nothing(dag, stand_in):
    stand_in.plan([(["jobs.labelled_days"], 2)])
    made = states(dag, None, RANGE)
    assert made == {"days": "failed", LABEL: "upstream_failed", "account": "failed"}
    assert calls_of(stand_in, "label_candidates") == []


def test_a_range_that_ends_before_it_begins_is_refused_before_its_command(dag, stand_in):
    stand_in.plan([LISTED])
    assert states(dag, None, {"first_day": DAYS[1], "last_day": DAYS[0]})["days"] == "failed"
    assert stand_in.calls() == []


def test_hostile_values_arrive_as_they_are_and_no_shell_reads_them(dag, stand_in, tmp_path):
    before = sorted(path.name for path in ROOT.iterdir())
    lake = f"{tmp_path}/../a b;touch x$(touch y)`touch z`'\"\\ {{{{ 7 * 7 }}}} && exit 3 #*"
    profile = "/p $(touch x);'\".toml"
    stand_in.plan([LISTED])
    made = states(dag, None, RANGE | {"lake": lake, "profile": profile})
    assert set(made.values()) == {"success"}
    assert len(stand_in.calls()) == 5
    for call in stand_in.calls():
        argv = call["argv"]
        assert argv[argv.index("--lake") + 1] == lake
        assert argv[-2:] == ["--profile", profile]
        assert argv.count("--lake") == 1
    assert sorted(path.name for path in ROOT.iterdir()) == before


def test_values_that_no_pattern_would_let_pass_are_still_one_argument_each(dag, stand_in):
    """Were a pattern ever loosened, the shell would still see quoted variables alone."""
    hostile = '"; touch canary; echo "$(touch canary)`touch canary`\n{{ 7 * 7 }}'
    label = dag.task_group.children["label"].children[LABEL]
    for task in (dag.get_task("days"), label, dag.get_task("account")):
        stand_in.plan([])
        env = dict.fromkeys(task.env, hostile) | NOT_SCHEDULED | {"CDM_PYTHON": str(stand_in.path)}
        subprocess.run(["bash", "-c", task.bash_command], env=env, cwd=stand_in.folder, check=True)
        (call,) = stand_in.calls()
        flags = [word for word in call["argv"][2:] if word != hostile]
        values = [word for word in call["argv"][2:] if word == hostile]
        assert all(word.startswith("--") for word in flags)
        assert len(values) >= 5
        assert not (stand_in.folder / "canary").exists()


@pytest.mark.parametrize(
    ("code", "run_type", "action"),
    [(2, "manual", "fail"), (137, "manual", "default"), (1, "backfill", "default")],
)
def test_a_crash_is_retried_also_in_a_run_by_hand(dag, code, run_type, action):
    failure = Exception(f"The command returned a non-zero exit code {code}.")
    context = {"dag_run": SimpleNamespace(run_type=run_type)}
    for task in dag.tasks:
        decision = task.retry_policy.evaluate(failure, 1, 2, context)
        assert decision.action.value == action
