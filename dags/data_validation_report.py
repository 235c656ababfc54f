"""Validate all tables of the days that arrived, and put the result on a page.

`daily_retraining` holds its own tables to their rules before anything follows from them; nothing
there waits for this DAG. Here all that a day has is validated together, also what a backfill made,
and `reports/validation.html` is written: what failed and since when, with every measure over four
weeks (and `validation-D.html`, the same by its day).

## What starts it

* **A table's arrival**: `daily_retraining` updates the Asset `cdm_day_tables` when a day's tables
  are there and valid, and `backfill_teacher_labels` updates `cdm_teacher_labels` with each day that
  it labels. The event says which day, in which lake under which profile; **that day is validated,
  whatever the clock says**. Several arrivals may start one run: it has a task for each day.
* **Every morning at 06:00 UTC**, the last whole day: a day whose line broke has its page too.
* **By hand**: *Trigger* with `first_day` and `last_day`, or without either for the last whole day.

    airflow dags trigger data_validation_report --conf '{"first_day": "2026-01-02"}'

There is no backfill of it: a range by hand is that.

## When it is red

* `days`: the parameters, or an event that somebody posted, name no days, lake or profile.
* `validate` (a task for each day): tables of that day break a rule, which its log and the page
  name. It is not tried again, for the same rows would break it again. A crash is.
* `report`: the page could not be written. It is written whatever the validation said.
* `verdict` does nothing: it keeps the run from being green where a day is not.
* pink: nothing of that day is in the lake.

What was validated already is read, not judged again, so a run may be cleared at any time:

    airflow tasks clear data_validation_report --only-failed

It has one run at a time, for all of them write the same page.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, chain, task_group
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from arrivals import DAY_TABLES, TEACHER_LABELS, arrived
from day_list import environments
from retries import RetryCrashes
from steps import DEFAULT_ARGS, optional_day, step, where_params

TABLES = (
    "request_logs truth_requests reference_items quarantine candidate_sets rankings metrics "
    "promotions teacher_labels unlabelled examples"
)
NAMED = "{{ task.env['CDM_RUN_DAY'] }}"


@task_group
def day(about: dict[str, str]) -> None:
    """Validate one day and show it."""
    one = {"env": about, "map_index_template": NAMED}
    validated = step("validate", f"validate --table {TABLES}", **one)
    shown = step(
        "report",
        "validation_report",
        trigger_rule=TriggerRule.ALL_DONE,
        # All days write the same page; side by side each would find it held by another.
        max_active_tis_per_dagrun=1,
        **one,
    )
    chain(validated, shown, verdict := EmptyOperator(task_id="verdict"))
    validated >> verdict


with DAG(
    "data_validation_report",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"),
        assets=DAY_TABLES | TEACHER_LABELS,
    ),
    allowed_run_types=["scheduled", "manual", "asset_triggered", "asset_materialization"],
    start_date=datetime(1990, 1, 1, tzinfo=UTC),
    # A morning that was missed is made up by hand, or by the day's own arrival.
    catchup=False,
    # All runs write the same page.
    max_active_runs=1,
    tags=["cdm", "validation"],
    params={
        "first_day": optional_day("The first day to validate; the last whole day if empty."),
        "last_day": optional_day("The last day; the first one alone if empty."),
        **where_params(),
    },
    user_defined_macros={"arrived": arrived},
    default_args=DEFAULT_ARGS | {"retry_policy": RetryCrashes(started_by_hand=True)},
):
    days = BashOperator(
        task_id="days",
        bash_command='printf "%s" "$CDM_RUN_ARRIVED"',
        env={"CDM_RUN_ARRIVED": "{{ arrived(dag_run, params, triggering_asset_events) | tojson }}"},
        append_env=True,
        output_processor=environments,
        do_xcom_push=True,
        execution_timeout=timedelta(minutes=10),
    )
    day.expand(about=days.output)
