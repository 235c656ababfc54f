"""The DAG that validates the days that arrived: whose days they are, and what it does with them."""

import copy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from stand_in_python import DAY_ONE, DAY_TWO, ROOT, states

from jobs import validate, validation_report
from jobs.line import step_module

HOSTILE_LAKE = "/a b;touch x$(touch y)`touch z`'\"\\ {{ 7 * 7 }} && exit 3 #*"


@pytest.fixture(scope="module")
def dag(bag):
    return bag.dags["data_validation_report"]


@pytest.fixture(scope="module")
def arrived(bag):
    from arrivals import arrived

    return arrived


def run(kind="asset_triggered", after="2026-03-05T06:00:00+00:00"):
    return SimpleNamespace(
        run_id=f"{kind}__x",
        run_type=kind,
        logical_date=None,
        data_interval_start=None,
        data_interval_end=None,
        run_after=datetime.fromisoformat(after),
    )


def event(day, lake=None, profile=None):
    return SimpleNamespace(extra={"day": day, "lake": lake, "profile": profile})


def env(day, lake="", profile=""):
    return {"CDM_RUN_DAY": day, "CDM_RUN_LAKE": lake, "CDM_RUN_PROFILE": profile}


# --- which days


def test_the_days_are_those_that_arrived_whatever_the_clock_says(arrived):
    events = {
        "cdm_day_tables": [event("2026-01-02", "/a", "toy"), event("2024-02-29", "/a", "toy")],
        "cdm_teacher_labels": [event("2026-01-02", "/a", "toy"), event("2026-01-02", "/b", "toy")],
    }
    assert arrived(run(), {"lake": "/ignored"}, events) == [
        env("2024-02-29", "/a", "toy"),
        env("2026-01-02", "/a", "toy"),
        env("2026-01-02", "/b", "toy"),
    ]


def test_without_an_event_they_are_the_parameters_or_the_last_whole_day(arrived):
    where = {"lake": "/a", "profile": "toy"}
    asked = where | {"first_day": "2024-02-28", "last_day": "2024-03-01"}
    assert [one["CDM_RUN_DAY"] for one in arrived(run("manual"), asked, {})] == [
        *("2024-02-28", "2024-02-29", "2024-03-01"),
    ]
    assert arrived(run("manual"), where, {}) == [env("2026-03-04", "/a", "toy")]
    assert arrived(run("scheduled"), {}, {}) == [env("2026-03-04")]
    assert arrived(run("scheduled", "2028-03-01T06:00:00+00:00"), {}, {}) == [env("2028-02-29")]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({}, "first_day is ''"),
        ({"day": "2026-02-30"}, "'2026-02-30': set a day of the calendar"),
        ({"day": "$(touch x)"}, r"is '\$\(touch x\)'"),
        ({"day": ["2026-01-02"]}, r"is \['2026-01-02'\]"),
        ({"day": DAY_TWO, "lake": "../lake"}, "has the lake '../lake', which is no lake"),
        ({"day": DAY_TWO, "lake": "/a\nb"}, "which is no lake"),
        ({"day": DAY_TWO, "lake": {"a": 1}}, "which is no lake"),
        ({"day": DAY_TWO, "profile": "--help"}, "has the profile '--help', which is no profile"),
    ],
)
def test_an_event_that_anybody_posted_is_held_to_what_parameters_are(arrived, extra, message):
    with pytest.raises(ValueError, match=message):
        arrived(run(), {}, {"cdm_day_tables": [SimpleNamespace(extra=extra)]})


@pytest.mark.parametrize("producer", ["daily_retraining", "backfill_teacher_labels"])
def test_an_arrival_hands_on_its_day_its_lake_and_its_profile(bag, arrived, producer):
    from arrivals import announce

    (task,) = [task for task in bag.dags[producer].tasks if task.outlets]
    assert task.task_id in ("validate_examples", "label.label_candidates")
    assert task._post_execute_hook is announce
    asset = task.outlets[0]
    events = {asset: SimpleNamespace(extra=None)}
    for made in (env(DAY_TWO, HOSTILE_LAKE, "toy"), env(DAY_TWO)):
        command = SimpleNamespace(env=made | {"CDM_RUN_WEIGHT": "1"}, outlets=[asset])
        announce({"task": command, "outlet_events": events})
        assert arrived(run(), {}, {asset: [events[asset]]}) == [made]


def test_the_arrivals_of_both_producers_start_it_and_so_does_the_morning(bag, dag):
    produced = {
        asset.name for other in bag.dags.values() for task in other.tasks for asset in task.outlets
    }
    assert {asset.name for _, asset in dag.schedule.asset_condition.iter_assets()} == produced
    from airflow.serialization.serialized_objects import DagSerialization

    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    after = scheduled.next_dagrun_info(last_automated_run_info=None).run_after
    assert (after.hour, after.minute) == (6, 0)
    assert after - datetime.now(UTC) < timedelta(days=1)


def test_one_page_is_written_at_a_time(dag):
    assert dag.max_active_runs == 1
    assert dag.get_task("day.report").max_active_tis_per_dagrun == 1


# --- what it runs


def test_everything_that_can_be_validated_is(dag):
    command = dag.task_group.children["day"].children["day.validate"].bash_command
    words = command.split(" --lake ")[0].split()
    assert words[words.index("--table") + 1 :] == list(validate.READS)


def test_each_day_is_validated_and_shown(dag, stand_in):
    stand_in.plan([])
    conf = {"first_day": DAY_ONE, "last_day": DAY_TWO}
    made = states(dag, None, conf)
    assert set(made) == {
        "days",
        *(f"day.{name}[{n}]" for name in ("validate", "report", "verdict") for n in (0, 1)),
    }
    assert set(made.values()) == {"success"}
    calls = [call["argv"][1:] for call in stand_in.calls()]
    where = ["--lake", "/lake/of/the/worker", "--date"]
    profile = ["--profile", "kuaishou"]
    for day in (DAY_ONE, DAY_TWO):
        tables = ["--table", *validate.READS]
        assert ["jobs.validate", *tables, *where, day, *profile] in calls
        assert ["jobs.validation_report", *where, day, *profile] in calls
    assert len(calls) == 4
    for module, *argv in calls:
        step = step_module(module.removeprefix("jobs."))
        assert step in (validate, validation_report)
        step.build_parser().parse_args(argv)


def test_a_day_that_breaks_a_rule_is_shown_all_the_same_and_the_run_is_red(dag, stand_in):
    stand_in.plan([(["jobs.validate", DAY_ONE], 2)])
    assert states(dag, None, {"first_day": DAY_ONE, "last_day": DAY_TWO}) == {
        "days": "success",
        "day.validate[0]": "failed",
        "day.report[0]": "success",
        "day.verdict[0]": "upstream_failed",
        "day.validate[1]": "success",
        "day.report[1]": "success",
        "day.verdict[1]": "success",
    }
    assert sum("jobs.validate" in call["argv"] for call in stand_in.calls()) == 2


def test_a_day_with_nothing_in_it_is_skipped(dag, stand_in):
    stand_in.plan([([DAY_ONE], 99)])
    made = states(dag, None, {"first_day": DAY_ONE})
    assert made.pop("days") == "success"
    assert set(made.values()) == {"skipped"}


def test_hostile_values_arrive_as_they_are_and_no_shell_reads_them(dag, stand_in):
    before = sorted(path.name for path in ROOT.iterdir())
    profile = "/p $(touch x);'\".toml"
    stand_in.plan([])
    conf = {"first_day": DAY_ONE, "lake": HOSTILE_LAKE, "profile": profile}
    assert set(states(dag, None, conf).values()) == {"success"}
    assert len(stand_in.calls()) == 2
    for call in stand_in.calls():
        tail = ["--lake", HOSTILE_LAKE, "--date", DAY_ONE, "--profile", profile]
        assert call["argv"][-6:] == tail
    assert sorted(path.name for path in ROOT.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("first_day", value) for value in ("; touch x", "2026-1-2", "2026-01-02\n", 20260102)],
        *[("last_day", value) for value in ("", "{{ 7 }}", True)],
        *[("lake", value) for value in ("lake", "/a\nb", "/a\n")],
        *[("profile", value) for value in ("../x", "--help", "toy\n")],
    ],
)
def test_a_wrong_parameter_is_refused_before_any_task(dag, name, value):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        copy.deepcopy(dag.params)[name] = value
