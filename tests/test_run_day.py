"""The day of a run, for every way in which Airflow starts one.

Each case holds the fields that Airflow 3.3.2 gave such a run when it was really started so.
"""

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import SimpleNamespace

import pytest

from dags.run_day import days_between, last_whole_day, range_of_run, run_day

MIDNIGHT = "2026-01-02T00:00:00+00:00"
NOW = "2026-11-21T12:08:01.036904+00:00"


def run(run_type, logical_date=None, interval=(None, None), run_after=NOW):
    start, end, logical_date, run_after = (
        text and datetime.fromisoformat(text) for text in (*interval, logical_date, run_after)
    )
    return SimpleNamespace(
        run_id=f"{run_type}__x",
        run_type=run_type,
        logical_date=logical_date,
        data_interval_start=start,
        data_interval_end=end,
        run_after=run_after,
    )


def interval_run(run_type, start, days=1):
    end = datetime.fromisoformat(start) + timedelta(days=days)
    return run(run_type, start, (start, end.isoformat()), end.isoformat())


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2026-01-02T00:00:00+00:00", "2026-01-02"),
        ("2024-02-29T00:00:00+00:00", "2024-02-29"),
        ("2025-12-31T00:00:00+00:00", "2025-12-31"),
        # The days on which clocks change in Europe and in America are as long as any in UTC.
        ("2026-03-29T00:00:00+00:00", "2026-03-29"),
        ("2026-11-01T00:00:00+00:00", "2026-11-01"),
    ],
)
def test_a_scheduled_or_backfill_run_is_about_its_interval(run_type, start, day):
    assert run_day(interval_run(run_type, start), {"day": None}) == day


def test_the_interval_is_read_on_the_utc_clock():
    summer = interval_run("scheduled", "2026-07-01T02:00:00+02:00")
    assert run_day(summer, {}) == "2026-07-01"


@pytest.mark.parametrize(
    ("run_type", "logical_date", "run_after", "day"),
    [
        # airflow dags test DAG 2026-01-02, airflow dags trigger --logical-date 2026-01-02
        ("manual", MIDNIGHT, NOW, "2026-01-02"),
        ("operator_triggered", MIDNIGHT, NOW, "2026-01-02"),
        ("manual", "2026-01-02T01:00:00+01:00", NOW, "2026-01-02"),
        # the UI's form, whose date is now
        ("manual", "2026-01-02T00:00:00.000001+00:00", NOW, "2026-01-01"),
        ("manual", "2026-03-01T05:06:07+00:00", NOW, "2026-02-28"),
        ("manual", "2024-03-01T23:59:59+00:00", NOW, "2024-02-29"),
        ("manual", "2026-01-01T12:00:00+00:00", NOW, "2025-12-31"),
        ("manual", "2026-01-02T00:00:00+09:00", NOW, "2025-12-31"),
        # airflow dags trigger DAG, an asset's event: no logical date
        ("manual", None, NOW, "2026-11-20"),
        ("asset_triggered", None, "2026-01-01T00:00:00.5+00:00", "2025-12-31"),
        ("asset_triggered", None, "2026-01-03T00:00:00+00:00", "2026-01-02"),
        ("asset_materialization", None, "2024-03-01T08:00:00+00:00", "2024-02-29"),
    ],
)
def test_any_other_run_is_about_its_midnight_or_the_last_whole_day(
    run_type, logical_date, run_after, day
):
    # `airflow dags trigger --logical-date` cuts the interval from the clock: it must not matter.
    from_the_clock = ("2026-11-20T00:00:00+00:00", "2026-11-21T00:00:00+00:00")
    assert run_day(run(run_type, logical_date, from_the_clock, run_after), {}) == day


def test_a_run_type_is_an_enum_in_a_template():
    run_type = Enum("DagRunType", {"BACKFILL": "backfill"}).BACKFILL
    assert run_day(interval_run(run_type, MIDNIGHT), {}) == "2026-01-02"


@pytest.mark.parametrize("logical_date", [None, MIDNIGHT, "2026-03-01T05:06:07+00:00"])
def test_the_day_asked_for_wins_in_a_run_started_by_hand(logical_date):
    assert run_day(run("manual", logical_date), {"day": "2024-02-29"}) == "2024-02-29"


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30", "2025-02-29", "2026-13-01", "0000-01-01"),
        *("20260102", "2026-W01-5", "2026-1-2", " 2026-01-02", "2026-01-02\n", "\u0662026-01-02"),
        *("", "../2026-01-02", "2026-01-02/..", "; touch x", "$(touch x)", 20260102, True),
    ],
)
@pytest.mark.parametrize("run_type", ["manual", "scheduled"])
def test_what_is_no_day_is_refused_by_its_value(text, run_type):
    with pytest.raises(
        ValueError, match=r"params\.day is .*: set a day of the calendar"
    ) as refusal:
        run_day(interval_run(run_type, MIDNIGHT), {"day": text})
    assert repr(text) in str(refusal.value)


def test_a_backfill_keeps_its_days_apart():
    """One `day` in a backfill's configuration would run every date of it on that day."""
    assert run_day(interval_run("backfill", MIDNIGHT), {"day": "2026-01-02"}) == "2026-01-02"
    with pytest.raises(ValueError, match=r"is about 2026-01-02, but params\.day says 2026-01-03"):
        run_day(interval_run("backfill", MIDNIGHT), {"day": "2026-01-03"})


@pytest.mark.parametrize(
    "undecided",
    [
        # What schedule="@daily" gives: no width. Then hourly, weekly, cut at another hour, none.
        interval_run("scheduled", MIDNIGHT, days=0),
        interval_run("scheduled", MIDNIGHT, days=1 / 24),
        interval_run("backfill", MIDNIGHT, days=7),
        interval_run("scheduled", "2026-01-02T02:00:00+00:00"),
        interval_run("scheduled", "2026-01-02T00:00:00+01:00"),
        run("scheduled", MIDNIGHT),
    ],
)
def test_an_interval_that_is_not_one_day_is_refused(undecided):
    with pytest.raises(ValueError, match="not one whole UTC day: schedule the DAG by Cron"):
        run_day(undecided, {})


def test_what_has_no_date_is_refused():
    with pytest.raises(ValueError, match="has no date of any kind"):
        run_day(run("manual", run_after=None), {})
    with pytest.raises(ValueError, match="of the unknown type 'lunar'"):
        run_day(run("lunar", MIDNIGHT), {})
    with pytest.raises(ValueError, match="without a time zone"):
        run_day(run("manual", "2026-01-02T00:00:00"), {})


def test_the_day_does_not_depend_on_the_machines_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    at = datetime(2026, 1, 2, 13, tzinfo=timezone(timedelta(hours=13)))
    assert at.astimezone(UTC) == datetime(2026, 1, 2, tzinfo=UTC)
    assert run_day(run("manual", at.isoformat()), {}) == "2026-01-02"


# --- ranges


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"first_day": "2024-02-28", "last_day": "2024-03-01"}, ("2024-02-28", "2024-03-01")),
        ({"first_day": "2026-01-02", "last_day": None}, ("2026-01-02", "2026-01-02")),
        ({"first_day": None, "last_day": "2026-01-02"}, ("2026-01-02", "2026-01-02")),
        ({"first_day": None}, ("2026-11-20", "2026-11-20")),
    ],
)
def test_a_range_is_what_was_asked_for_or_the_runs_own_day(params, found):
    assert range_of_run(run("manual"), params) == found


def test_a_backfills_run_is_its_own_range_and_takes_no_other():
    one = interval_run("backfill", MIDNIGHT)
    assert range_of_run(one, {}) == ("2026-01-02", "2026-01-02")
    with pytest.raises(ValueError, match=r"first_day and params\.last_day out"):
        range_of_run(one, {"first_day": "2026-01-02"})


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-01-02", "2026-01-01", "are 0 days: give a range of 1 to 366, the first day first"),
        ("2026-01-01", "2027-01-02", "are 367 days: give a range of 1 to 366"),
        ("2026-02-30", "2026-03-01", r"params\.first_day is '2026-02-30': set a day"),
        ("2026-02-01", "$(touch x)", r"params\.last_day is '\$\(touch x\)': set a day"),
    ],
)
def test_a_range_of_no_days_or_too_many_is_refused(first, last, message):
    with pytest.raises(ValueError, match=message):
        range_of_run(run("manual"), {"first_day": first, "last_day": last})


def test_every_day_of_a_range_is_there_once():
    days = days_between("2026-10-24", "2026-11-02")
    assert (len(days), days[0], days[-1], sorted(set(days))) == (
        *(10, "2026-10-24", "2026-11-02", days),
    )
    assert len(days_between("2024-01-01", "2024-12-31")) == 366


def test_the_last_whole_day_is_the_one_before():
    assert last_whole_day(run("scheduled", run_after="2024-03-01T06:00:00+00:00")) == "2024-02-29"
