"""The calendar day that a run is about, whatever started the run."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

# Only these runs are dated by their data interval. A run started by hand has one too, but
# `airflow dags trigger --logical-date` cuts it from the clock, not from the date asked for.
_DATED_BY_INTERVAL = frozenset({"scheduled", "backfill"})
_DATED_BY_INSTANT = frozenset(
    {"manual", "operator_triggered", "asset_triggered", "asset_materialization"}
)


class Run(Protocol):
    """What is read of Airflow's `dag_run`."""

    run_id: str
    run_type: str
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime | None


def run_day(dag_run: Run, params: Mapping[str, object]) -> str:
    """Return the UTC day, YYYY-MM-DD, that a run reads and writes.

    A scheduled or backfill run is about its data interval, one whole day. Any other run is about
    `params["day"]` where given; else about the day that its logical date names, if that is exactly
    midnight; else about the last whole day before its logical date, or before `run_after` where it
    has none, as an asset-triggered run. What has no single answer raises ValueError.
    """
    kind = getattr(dag_run.run_type, "value", dag_run.run_type)
    asked = params.get("day")
    day = None if asked is None else _parsed(asked)
    if kind in _DATED_BY_INTERVAL:
        scheduled = _day_of_interval(dag_run)
        if day not in (None, scheduled):
            raise ValueError(
                f"run {dag_run.run_id} is about {scheduled}, but params.day says {day}: "
                "leave params.day out of scheduled and backfill runs"
            )
        return scheduled.isoformat()
    if day is None:
        if kind not in _DATED_BY_INSTANT:
            raise ValueError(
                f"run {dag_run.run_id} is of the unknown type {kind!r}: set params.day"
            )
        day = _day_of_instant(dag_run)
    return day.isoformat()


def _parsed(text: object) -> date:
    # date.fromisoformat alone would take 20260102 and 2026-W01-5 as well.
    if isinstance(text, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"params.day is {text!r}: set a day of the calendar, such as 2026-01-02")


def _day_of_interval(dag_run: Run) -> date:
    start = _utc(dag_run, "data_interval_start")
    end = _utc(dag_run, "data_interval_end")
    if start is None or end is None or start.time() != time() or end - start != timedelta(days=1):
        raise ValueError(
            f"run {dag_run.run_id} has the data interval {start} to {end}, not one whole UTC day: "
            'schedule the DAG by CronDataIntervalTimetable("0 0 * * *", timezone="UTC")'
        )
    return start.date()


def _day_of_instant(dag_run: Run) -> date:
    logical_date = _utc(dag_run, "logical_date")
    if logical_date is not None and logical_date.time() == time():
        return logical_date.date()
    instant = logical_date or _utc(dag_run, "run_after")
    if instant is None:
        raise ValueError(f"run {dag_run.run_id} has no date of any kind: set params.day")
    return instant.date() - timedelta(days=1)


def _utc(dag_run: Run, name: str) -> datetime | None:
    instant = getattr(dag_run, name)
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError(f"run {dag_run.run_id} has {name} {instant} without a time zone")
    return instant.astimezone(UTC)
