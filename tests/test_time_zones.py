"""What a step publishes does not hang on the machine's zone; days of 23 and 25 hours are whole."""

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import World
from raw_shop import HEADER, shop

LEAP = date(2028, 2, 29)
BACK = date(2026, 11, 1)
"""In New York 01:00 to 02:00 comes twice."""
STEPS = (
    ("ingest",),
    ("build_candidates", "--master", "local[2]"),
    ("validate", "--table", "request_logs", "candidate_sets"),
    ("build_examples", "--bootstrap", "--master", "local[2]"),
)
SCRIPT = """
import sys
from jobs.line import step_module
for words in {steps!r}:
    assert step_module(words[0]).main([*words[1:], *sys.argv[1:]]) == 0, words
"""


@pytest.mark.parametrize(
    ("zone", "day"), [("Pacific/Auckland", LEAP), ("America/New_York", BACK)], ids=str
)
def test_a_machine_of_another_zone_publishes_the_same_bytes(
    tmp_path, spark, profile_with, zone, day
):
    profile = profile_with(seed=f"2026\nfirst_day = {day}")
    here, there = World(tmp_path / "here", profile), World(tmp_path / "there", profile)
    for name, *flags in STEPS:
        assert here.run(name, day, *flags) == 0
    where = ["--lake", str(there.root), "--profile", str(profile), "--date", day.isoformat()]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(steps=STEPS), *where],
        env=os.environ | {"TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert published(there) == published(here)
    assert len(published(here)) == 11


def published(world: World) -> dict[str, tuple]:
    """Digest, rows, counts and every file's checksum of all that is live.

    Of files that Spark's JVM writes the size alone: the order in which they name the encodings of a
    column is another in every process.
    """
    found = {}
    for name, live in world.manifests().items():
        by_jvm = live.step == "build_examples"
        made = [replace(one, sha256="") if by_jvm else one for one in live.files]
        found[name] = (live.digest, live.rows, live.counts, made)
    return found


@pytest.mark.parametrize("day", [date(2026, 3, 8), BACK, LEAP], ids=str)
def test_rows_around_a_changed_clock_are_of_one_day_each(tmp_path, spark, day):
    """A file of moments is imported day by day: none is lost, none is in two days."""
    made = shop(tmp_path)
    profile = Path(made.profile)
    text = profile.read_text().replace('["log-*.csv", "log-*.csv.gz"]', '"log-*.csv"')
    text = text.replace('{ column = "at", zone = "UTC" }', '{ column = "at", unit = "s" }')
    profile.write_text(text.replace("k = [2]", 'k = [2]\nday_zone = "America/New_York"', 1))
    days = [day + timedelta(days=n) for n in (-1, 0, 1)]
    # New York is 4 or 5 hours behind, so all of these are on the three days.
    first = datetime(days[0].year, days[0].month, days[0].day, 6, tzinfo=UTC)
    moments = [first + timedelta(minutes=15 * n) for n in range(4 * 68)]
    rows = "".join(
        f"r{n},ann,home,{int(at.timestamp())},{item},0.5,1,1\n"
        for n, at in enumerate(moments)
        for item in "ab"
    )
    (made.source / "log-1.csv").write_text(HEADER + rows, encoding="utf-8")
    found = Counter()
    for one in days:
        assert made.run(one.isoformat()) == 0
        found.update((row["ts"], row["item_id"]) for row in made.rows("request_logs", str(one)))
    assert set(found.values()) == {1}
    assert {at.replace(tzinfo=UTC) for at, _ in found} == set(moments)
    assert len(found) == 2 * len(moments)
    hours = {date(2026, 3, 8): 23, BACK: 25, LEAP: 24}[day]
    assert made.manifest("request_logs", str(day)).rows == 2 * 4 * hours


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (BACK, 25)], ids=str)
def test_a_simulated_day_of_another_length_has_all_its_requests(tmp_path, profile_with, day, hours):
    zone = '"New York"\nday_zone = "America/New_York"'
    profile = profile_with(description=zone, seed=f"2026\nfirst_day = {day}")
    world = World(tmp_path / "lake", profile)
    assert world.run("simulate_logs", day) == 0
    moments = {row["request_id"]: row["ts"] for row in world.rows("request_logs", day)}
    assert len(moments) == world.profile.world.requests
    begin, end = world.profile.bounds(day)
    assert end - begin == timedelta(hours=hours)
    step = (end - begin) / len(moments)
    assert sorted(at.replace(tzinfo=UTC) for at in moments.values()) == [
        begin + n * step for n in range(len(moments))
    ]


def test_pages_tell_the_same_in_every_zone(tmp_path, monkeypatch, profile_with):
    texts, profile = [], profile_with(seed=f"2026\nfirst_day = {LEAP}")
    for zone in ("UTC", "Pacific/Auckland"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        world = World(tmp_path / zone.replace("/", "-"), profile)
        assert world.run("simulate_logs", LEAP) == 0
        assert world.run("report", LEAP) == 0
        texts.append([path.read_bytes() for path in sorted((world.root / "reports").iterdir())])
    monkeypatch.undo()
    time.tzset()
    assert texts[0] == texts[1]
