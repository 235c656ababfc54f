r"""Add one day of logs, judge yesterday's model on it, and train the next model.

A run is about one UTC day D that has ended, from 00:00 to 00:00. Every task is one command of
`jobs`; it publishes its table of day D whole or not at all, and does nothing where that is done.
**So any task of any day may be cleared and run again at any time.**

## At 3 a.m.

Nothing is on fire: the model promoted last stays promoted until `promote` says otherwise, and no
half-written table is ever visible. Open the red task's log; its last lines say what was found.

* `... refused: ...` (exit code 2): the input is bad, so it was not retried. The line names the
  file, the column and the next move.
* `... held: ...` (exit code 75): another run is at work on the same table; it was tried again. The
  line names the process and the machine. One that died there lets go within three minutes.
* anything else is a crash, tried three times within a quarter of an hour: mostly memory, disk or a
  lost machine.
* pink (exit code 99) is no failure: nothing to do on that day. The first day has no model, so it
  skips `score` to `validate_rankings`; every later day skips `bootstrap_*`.

Put that right, then go on from the red task (D is the run's logical date):

    airflow tasks clear daily_retraining -s D -e D --only-failed

What a red task means:

* `ingest`: the day's logs are missing, damaged or do not fit the profile. Has the source delivered?
* `validate_*`: a table breaks a rule, and **nothing after it has run**. `validate_candidates` is
  the gate to the day's use, `validate_rankings` to a promotion, the others to training. Read the
  broken rules in the log, repair the source, and clear the whole day: what is unchanged is
  not made again. Never mark a validation as success.
* `build_candidates`, `label_candidates`, `build_examples`, `bootstrap_examples`: Spark failed.
* `score`, `evaluate`: yesterday's model could not be judged, so none is promoted today.
* `promote`: no decision was made. (Holding a model back is a decision, and green.) A model that
  must not serve is rolled back by `python -m jobs.promote --help`, and its day cleared from
  `label_candidates` on.
* `train`, `bootstrap_train`: day D left no model; D+1 is judged with an older one.
* `report`: all is done but the page. Clear it when convenient.

**One step by hand**, on the worker, from the folder above `dags` (all of it is in the task's log):

    python -m jobs.build_candidates --lake LAKE --date D --profile PROFILE

**A whole day again**, and the days after it, in order, if their models should change too:

    airflow tasks clear daily_retraining -s D -e D
    airflow dags test daily_retraining D               # the same, without a scheduler

**Days that were missed**, one at a time, for each needs the model of the day before:

    airflow backfill create --dag-id daily_retraining --max-active-runs 1 \
        --from-date D1 --to-date D2

It leaves out days that have a run already unless `--reprocess-behavior completed` (or `failed`).

**Hold**: `airflow dags pause daily_retraining`. Unpausing starts the last whole day at once and no
day before it. **Skip a day**: mark its run failed; the next day works with what there is.

**Parameters**: `lake` (absolute path) and `profile` (a name, or a TOML file's absolute path)
default to CDM_LAKE and CDM_PROFILE of the worker. `day` is for runs started by hand; without it a
logical date at midnight is the day, else the last whole day is. CDM_PYTHON is the interpreter (the
checkout's `.venv/bin/python` if unset). Runs started by hand are not retried: you are there.

**Who is told**: a task that failed for good says so in one line at the end of its log: DAG, day,
task, try, cause, log and the next command. CDM_ON_FAILURE, where it is set, is a program that is
given that line as its one argument.

**What follows**: when a day's tables are there and valid, the Asset `cdm_day_tables` is updated,
which starts `data_validation_report` for that day.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, TriggerRule, chain
from airflow.timetables.interval import CronDataIntervalTimetable

from arrivals import DAY_TABLES, announce
from run_day import run_day
from steps import DAY, DEFAULT_ARGS, optional_text, step, where_params

with DAG(
    "daily_retraining",
    doc_md=__doc__,
    # Neither "@daily" nor a bare cron: their data interval has no width in Airflow 3.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    # Older than the oldest logs that anybody may backfill.
    start_date=datetime(1990, 1, 1, tzinfo=UTC),
    # Days missed are made up by a backfill, one by one: not all at once, because of an unpause.
    catchup=False,
    # Each day needs the model of the day before.
    max_active_runs=1,
    tags=["cdm", "retraining"],
    params={
        **where_params(),
        "day": optional_text(DAY, "The day of a run started by hand, such as 2026-01-02."),
    },
    user_defined_macros={"run_day": run_day},
    default_args=DEFAULT_ARGS,
):
    chain(
        step("ingest", "ingest"),
        step("build_candidates", "build_candidates", hours=3),
        candidates := step("validate_candidates", "validate --table request_logs candidate_sets"),
        step("score", "score"),
        step("evaluate", "evaluate"),
        step("validate_rankings", "validate --table rankings metrics"),
        # One branch of the two is skipped; both are when nothing came in, and then so is this.
        promote := step("promote", "promote", trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS),
        step("label_candidates", "label_candidates", hours=3),
        step("build_examples", "build_examples", hours=3),
        step(
            "validate_examples",
            "validate --table teacher_labels unlabelled examples",
            # What starts data_validation_report.
            outlets=[DAY_TABLES],
            post_execute=announce,
        ),
        step("train", "train", hours=6),
        step("report", "report"),
    )
    chain(
        candidates,
        step("bootstrap_examples", "build_examples --bootstrap", hours=3),
        step("validate_bootstrap", "validate --table examples"),
        step("bootstrap_train", "train --bootstrap", hours=6),
        promote,
    )
