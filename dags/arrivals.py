"""The Assets by which one DAG starts another, and the day that an arrival of one is about."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from airflow.sdk import Asset, Context

from run_day import Run, days_between, last_whole_day, range_of_run
from steps import LAKE, PROFILE

DAY_TABLES = Asset("cdm_day_tables")
"""All tables of a day up to its examples, published and validated."""
TEACHER_LABELS = Asset("cdm_teacher_labels")
"""A day's labels, made by a backfill."""


class Event(Protocol):
    """What is read of Airflow's event of an Asset."""

    extra: Mapping[str, Any]


def announce(context: Context, result: object = None) -> None:
    """After a step: say with its Assets' events which day arrived, in which lake."""
    env = context["task"].env
    about = {
        "day": env["CDM_RUN_DAY"],
        "lake": env["CDM_RUN_LAKE"] or None,
        "profile": env["CDM_RUN_PROFILE"] or None,
    }
    for asset in context["task"].outlets:
        context["outlet_events"][asset].extra = about


def arrived(
    dag_run: Run,
    params: Mapping[str, object],
    triggering_asset_events: Mapping[object, Sequence[Event]],
) -> list[dict[str, str]]:
    """Return the environment of each day that a run is about, each once, in order.

    Where events started the run, these are their days, and lake and profile are theirs. A scheduled
    run is about the last whole day, any other one about those of `range_of_run`. An event, which
    anybody may have posted, is held to what parameters are held to; ValueError otherwise.
    """
    events = [event for several in triggering_asset_events.values() for event in several]
    if events:
        found = {_of_event(event.extra) for event in events}
    else:
        where = (str(params.get("lake") or ""), str(params.get("profile") or ""))
        found = {(day, *where) for day in _days(dag_run, params)}
    names = ("CDM_RUN_DAY", "CDM_RUN_LAKE", "CDM_RUN_PROFILE")
    return [dict(zip(names, about, strict=True)) for about in sorted(found)]


def _days(dag_run: Run, params: Mapping[str, object]) -> list[str]:
    if getattr(dag_run.run_type, "value", dag_run.run_type) == "scheduled":
        return [last_whole_day(dag_run)]
    return days_between(*range_of_run(dag_run, params))


def _of_event(extra: Mapping[str, Any]) -> tuple[str, str, str]:
    day, lake, profile = (extra.get(name) or "" for name in ("day", "lake", "profile"))
    for name, value, pattern in (("lake", lake, LAKE), ("profile", profile, PROFILE)):
        if value and not (isinstance(value, str) and re.search(pattern, value)):
            raise ValueError(f"an asset's event has the {name} {value!r}, which is no {name}")
    (only,) = days_between(day, day)
    return only, lake, profile
