r"""Label a range of days under a teacher, a weight (lambda) and a model of your choice.

The labels of each day stand under a `teacher_id` of their own, which names teacher, weight, policy
and model. So they lie beside those that are there, and **nothing is ever replaced**; training goes
on reading those of the profile's teacher and the day's promoted model.

## Starting it

Unpause the DAG first. Its scheduled runs, one a night, label nothing and are skipped (pink), for
Airflow backfills no DAG that has no schedule.

**By hand**, a range in one run: *Trigger* in the UI shows a form, or

    airflow dags trigger backfill_teacher_labels --conf \
        '{"first_day": "2026-01-01", "last_day": "2026-01-14", "teacher": "mmr", "weight": 0.5}'

**As Airflow's own backfill**, a run for each day (leave `first_day` and `last_day` out):

    airflow backfill create --dag-id backfill_teacher_labels --from-date D1 --to-date D2 \
        --reprocess-behavior completed --dag-run-conf '{"teacher": "mmr", "weight": 0.5}'

`--reprocess-behavior completed` is needed: Airflow has one run of a date at most, and else leaves
out, without a word, each day that had one, under another teacher or skipped in the night.

Without `teacher` and `weight` the profile's teachers label, without `model` the model that is
promoted on each day. Days run side by side up to the slots of the pool `cdm_labels`, which has to
exist (`airflow pools set cdm_labels 2 'days that are labelled at once'`); without it their tasks
stay *scheduled* for good, and only the log of `days` and the scheduler's own log say why.

## What the colours mean

* `days` lists the range and what is there of it. Red: the choice itself is refused (no such
  teacher, weight or model; no range), and nothing was labelled. Its last lines say what is allowed.
* `label_candidates`, a task for each day, by its name: green was labelled now; pink was labelled
  before under the same `teacher_id`, and is left alone unless `force` is set. Red is a day that
  cannot be labelled: mostly it has no candidate sets or no promoted model. **The other days go
  on**, and the run is red at its end, so that nobody takes a range with holes for whole.
* `account` counts the labelled days, prints the digest of each, and is red while one is missing.

Crashes and kills are tried three times, with growing pauses; refusals (exit code 2) are not. Then
do what the red day's log says, such as building its candidate sets, and go on with what is red:

    airflow tasks clear backfill_teacher_labels --only-failed      # or "Clear" on the run's page

**Any task may be cleared or killed at any time**: a day is published whole or not at all, and the
same day, teacher and model give the same labels, to the digest.

**Each day that is labelled updates the Asset `cdm_teacher_labels`**, which starts
`data_validation_report` for that day.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param, TriggerRule, task_group
from airflow.timetables.interval import CronDataIntervalTimetable

from arrivals import TEACHER_LABELS, announce
from day_list import day_list
from retries import RetryCrashes
from run_day import range_of_run
from steps import DEFAULT_ARGS, END, WHERE, optional_day, optional_text, step, where_params

POOL = "cdm_labels"
TEACHERS = "mmr mmr_item one_pass category_decay msd calibrated dpp ssd".split()
CHOICE = {
    **WHERE,
    "CDM_RUN_TEACHER": "{{ params.teacher or '' }}",
    "CDM_RUN_WEIGHT": "{{ '' if params.weight is none else params.weight }}",
    "CDM_RUN_MODEL": "{{ params.model or '' }}",
}
CHOSEN = (
    ' ${CDM_RUN_TEACHER:+--teacher "$CDM_RUN_TEACHER"}'
    ' ${CDM_RUN_WEIGHT:+--weight "$CDM_RUN_WEIGHT"}'
    ' ${CDM_RUN_MODEL:+--model "$CDM_RUN_MODEL"}'
)
# A DAG that can be backfilled cannot be told to have no scheduled runs.
UNSCHEDULED = '[ -z "$CDM_RUN_IS_SCHEDULED" ] || exit 99\n'
# Airflow never starts a task whose pool is missing, nor fails it, nor says so on any page.
POOL_TOLD = (
    f"echo 'Where the days stay scheduled, the pool {POOL} may be missing: "
    f"airflow pools set {POOL} 2 labelling'\n"
)
RANGE = {
    "CDM_RUN_IS_SCHEDULED": "{{ '1' if dag_run.run_type == 'scheduled' else '' }}",
    "CDM_RUN_DAY": "{{ range_of_run(dag_run, params)[0] }}",
    "CDM_RUN_LAST": "{{ range_of_run(dag_run, params)[1] }}",
    **CHOICE,
}
# A day that this run has labelled before it was killed is no day that was labelled before the run.
ONE_DAY = {
    "CDM_RUN_FORCE": "{{ '1' if params.force else '' }}",
    "CDM_RUN_FIRST_TRY": "{{ '1' if ti.try_number == 1 else '' }}",
    **CHOICE,
}


@task_group
def label(day: str) -> None:
    """Label one day."""
    step(
        "label_candidates",
        "label_candidates ${CDM_RUN_FORCE:+--force} ${CDM_RUN_FIRST_TRY:+--skip-done}" + CHOSEN,
        env={"CDM_RUN_DAY": day, **ONE_DAY},
        hours=3,
        pool=POOL,
        map_index_template="{{ task.env['CDM_RUN_DAY'] }}",
        outlets=[TEACHER_LABELS],
        post_execute=announce,
    )


with DAG(
    "backfill_teacher_labels",
    doc_md=__doc__,
    # A backfill of Airflow's takes its days from here; scheduled runs are skipped, see UNSCHEDULED.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(1990, 1, 1, tzinfo=UTC),
    catchup=False,
    # Runs label side by side; the pool bounds their work.
    max_active_runs=16,
    tags=["cdm", "labels"],
    params={
        "first_day": optional_day("The first day to label; the last whole day if empty."),
        "last_day": optional_day("The last day to label; the first one alone if empty."),
        "teacher": Param(
            None,
            type=["null", "string"],
            enum=[None, *TEACHERS],
            description="The teacher; the profile's teachers if empty.",
        ),
        "weight": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=10,
            title="weight (lambda)",
            description="The weight of diversity, 0 to 10; the profile's if empty.",
        ),
        "model": optional_text(
            "^[0-9a-f]{12}" + END, "The model version; the one promoted on each day if empty."
        ),
        "force": Param(
            False, type="boolean", description="Label days again that are labelled already."
        ),
        **where_params(),
    },
    user_defined_macros={"range_of_run": range_of_run},
    default_args=DEFAULT_ARGS | {"retry_policy": RetryCrashes(started_by_hand=True)},
):
    listed = 'labelled_days --last "$CDM_RUN_LAST"' + CHOSEN
    days = step(
        "days",
        listed,
        env=RANGE,
        before=UNSCHEDULED + POOL_TOLD,
        do_xcom_push=True,
        output_processor=day_list,
    )
    whole = step(
        "account",
        f"{listed} --require",
        env=RANGE,
        before=UNSCHEDULED,
        trigger_rule=TriggerRule.ALL_DONE,
    )
    label.expand(day=days.output) >> whole
