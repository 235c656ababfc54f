"""The calendar day, or range of days, that a run is about, whatever started the run."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

# Only these runs are dated by their data interval. A run started by hand has one too, but
# `airflow dags trigger --logical-date` cuts it from the clock, not from the date asked for.
_DATED_BY_INTERVAL = frozenset({"scheduled", "backfill"})
MOST_DAYS = 366
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
    day = None if asked is None else _parsed(asked, "day")
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


def range_of_run(dag_run: Run, params: Mapping[str, object]) -> tuple[str, str]:
    """Return the first and the last day, YYYY-MM-DD, that a run over a range is about.

    These are `params["first_day"]` and `params["last_day"]`; where one is left out, the other one
    alone. Without both it is the day of `run_day`, as it is in every scheduled or backfill run.
    ValueError for a range of no days or of more than MOST_DAYS.
    """
    given = [params.get(name) for name in ("first_day", "last_day")]
    if given == [None, None]:
        day = run_day(dag_run, params)
        return day, day
    kind = getattr(dag_run.run_type, "value", dag_run.run_type)
    if kind in _DATED_BY_INTERVAL:
        raise ValueError(
            f"run {dag_run.run_id} is about its own day: "
            "leave params.first_day and params.last_day out of scheduled and backfill runs"
        )
    first, last = (given[0] or given[1], given[1] or given[0])
    days = days_between(first, last)
    return days[0], days[-1]


def last_whole_day(dag_run: Run) -> str:
    """Return the UTC day, YYYY-MM-DD, before the moment from which on a run may start."""
    return (_utc(dag_run, "run_after").date() - timedelta(days=1)).isoformat()


def days_between(first: object, last: object) -> list[str]:
    """Return the days from the first to the last, both included, each YYYY-MM-DD."""
    start, end = _parsed(first, "first_day"), _parsed(last, "last_day")
    count = (end - start).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise ValueError(
            f"params.first_day {first} to params.last_day {last} are {count} days: "
            f"give a range of 1 to {MOST_DAYS}, the first day first"
        )
    return [(start + timedelta(days=n)).isoformat() for n in range(count)]


def _parsed(text: object, name: str) -> date:
    # date.fromisoformat alone would take 20260102 and 2026-W01-5 as well.
    if isinstance(text, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"params.{name} is {text!r}: set a day of the calendar, such as 2026-01-02")


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
