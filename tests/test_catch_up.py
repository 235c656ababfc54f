"""What the status page ends with: what is stale, why, and the commands that bring it right."""

import dataclasses
import hashlib
import shlex

import pyarrow.compute as pc
import pytest
from conftest import DAYS
from traced_lake import TracedLake, day_of

from jobs import label_candidates, line, status, validate
from jobs.catch_up import catch_up, spans
from jobs.manifest import FILE_NAME
from jobs.published import Published, read_published
from jobs.sources.redelivered import redelivered
from model.config import TeacherConfig


@pytest.fixture
def lake(tmp_path) -> TracedLake:
    return TracedLake(tmp_path)


FILES = """
name = "files"
k = [2]
[fields]
item = ["brand"]
[source]
kind = "files"
[source.logs]
files = ["2026/log-{date}.csv", "2026/more-{date}*.csv"]
[source.logs.columns]
request_id = "r"
user_id = "u"
item_id = "i"
ts = { column = "t", unit = "s" }
label = "l"
score = "s"
[[source.items]]
files = "items.csv"
[source.items.columns]
item_id = "i"
brand = "b"
[teacher]
k = 2
[promotion]
k = 2
"""


def test_raw_files_are_compared_with_what_was_imported(tmp_path, capsys):
    profile = tmp_path / "files.toml"
    profile.write_text(FILES)
    lake, raw = TracedLake(tmp_path, profile=profile), tmp_path / "raw"
    (raw / "2026").mkdir(parents=True)
    (raw / "items.csv").write_text("i,b\n")
    for number in (1, 2):
        for name in ("log", "more"):
            (raw / "2026" / f"{name}-{day_of(number)}.csv").write_text(f"{name}{number}")
    digests = {
        f"{part}:{path.relative_to(raw).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for part, pattern in (("logs", "2026/*.csv"), ("items[0]", "items.csv"))
        for path in raw.glob(pattern)
    }

    def imported(number: int) -> None:
        known = {n: d for n, d in digests.items() if str(day_of(number)) in n or "items" in n}
        for table in ("request_logs", "reference_items", "quarantine"):
            lake.put(lake.name(table, number), known, "import_logs")

    def reasons() -> dict[str, list[str]]:
        found = redelivered(lake.profile, raw, read_published(lake.lake))
        return {name: news for name, news in found.items() if news}

    imported(1)
    imported(2)
    assert reasons() == {}  # Of day 3 no file is there any more.
    log, more = (raw / "2026" / f"{name}-{day_of(2)}.csv" for name in ("log", "more"))
    log.write_text("other")
    names = {lake.name(t, 2) for t in ("request_logs", "reference_items", "quarantine")}
    assert reasons() == {key: [f"raw file {log} was delivered again"] for key in names}
    new = more.with_name(f"more-{day_of(2)}-b.csv")
    new.write_text("b")
    assert reasons()[lake.name("quarantine", 2)][-1] == f"raw file {new} is new"
    flags = ["--lake", str(lake.root), "--profile", str(profile), "--source"]
    assert status.main([*flags, str(raw)]) == 0
    assert f"because raw file {log} was delivered again" in capsys.readouterr().out
    assert status.main(flags) == 2
    assert "names no source.path" in capsys.readouterr().err
    assert status.main([*flags, str(tmp_path / "none")]) == 2
    assert "is no folder; give the one with the raw files" in capsys.readouterr().err
    assert status.main(["--lake", str(lake.root), "--profile", "toy", "--source"]) == 2
    assert "source.kind = 'simulated'" in capsys.readouterr().err


# --- commands


def commands(lake: TracedLake, stale: list[Published] | None = None) -> list[str]:
    lineage = lake.lineage()
    return catch_up(lineage.stale if stale is None else stale, lineage, lake.profile, "my.toml")


def where(lake: TracedLake) -> str:
    return f"--lake {shlex.quote(str(lake.root))} --profile my.toml --date"


def test_a_few_steps_are_named_one_by_one_and_in_order(tmp_path):
    lake = TracedLake(tmp_path / "the lake's", days=1)
    lake.again(lake.name("examples", 1, lake.key("m0")))
    day = f"{where(lake)} 2026-01-01"
    assert commands(lake) == [
        f"python -m jobs.validate --table teacher_labels unlabelled examples {day}",
        f"python -m jobs.train {day}",
    ]


def test_many_steps_are_the_line_from_the_first_day_to_the_last(lake):
    lake.again(lake.name("request_logs", 2))
    assert commands(lake) == [
        f"python -m jobs.line {where(lake)} 2026-01-02 --days 2 --from build_candidates"
    ]


def test_raw_files_that_changed_are_brought_in_first(lake):
    logs = lake.name("request_logs", 2)
    lineage = lake.lineage({logs: ["raw file a.csv was delivered again"]})
    (command,) = commands(lake, lineage.stale)
    assert command.endswith("--date 2026-01-02 --days 2")


def test_the_first_day_has_its_own_steps(lake):
    lake.again(lake.name("candidate_sets", 1))
    found = commands(lake, [one for one in lake.lineage().stale if one.is_bootstrap])
    assert found == [f"python -m jobs.train --bootstrap {where(lake)} 2026-01-01"]


def test_what_no_step_is_known_for_is_left_to_the_line(lake):
    (lake.root / lake.name("candidate_sets", 3) / FILE_NAME).write_text("{")
    damaged = [one for one in read_published(lake.lake) if one.damage]
    assert commands(lake, damaged) == [f"python -m jobs.line {where(lake)} 2026-01-03 --days 1"]


def test_what_a_backfill_and_its_validation_made_comes_after_the_line(lake):
    asked = TeacherConfig(name="msd", k=lake.profile.teacher.k, diversity_weight=0.5)
    lake.label(3, "m2", asked)
    for table in ("promotions", "quarantine", "teacher_labels", "unlabelled"):
        lake.validate(table, 3)
    assert lake.lineage().stale == []
    lake.again(lake.name("candidate_sets", 3))
    assert commands(lake) == [
        f"python -m jobs.line {where(lake)} 2026-01-03 --days 1 --from build_candidates",
        f"python -m jobs.label_candidates --teacher msd --weight 0.5 {where(lake)} 2026-01-03",
        f"python -m jobs.validate --table promotions teacher_labels unlabelled {where(lake)} "
        "2026-01-03",
    ]


@pytest.mark.parametrize("name", ["mmr", "category_decay"])
def test_labels_on_a_model_that_a_person_named_are_made_again_on_it(lake, name):
    own = lake.profile.teacher
    asked = own if name == own.name else TeacherConfig(name=name, k=own.k)
    lake.put(lake.name("candidate_sets", 9), {}, "build_candidates")
    lake.label(9, "m1", asked)
    assert lake.lineage().stale == [], "no model is promoted on this day"
    lake.again(lake.name("candidate_sets", 9))
    flags = "" if asked == own else f"--teacher {name} "
    assert commands(lake) == [
        f"python -m jobs.label_candidates {flags}--model m1 {where(lake)} 2026-01-09"
    ]


@pytest.mark.parametrize("other", [{"k": 4}, {"name": "dpp", "window": 3}])
def test_labels_that_no_flags_ask_for_are_named(lake, other):
    asked = dataclasses.replace(lake.profile.teacher, cosine_scale=0.0, **other)
    lake.label(3, "m2", asked)
    lake.again(lake.name("candidate_sets", 3))
    told = ": this profile names no such teacher; label the day again with the profile of then"
    assert commands(lake)[1:] == [
        f"{lake.name(table, 3, lake.key('m2', asked))}{told}"
        for table in ("teacher_labels", "unlabelled")
    ]


def test_the_commands_leave_nothing_stale(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    flags = ["--lake", str(world.root), "--profile", "toy"]
    day = ["--date", str(DAYS[2])]
    assert label_candidates.main([*flags, *day, "--teacher", "msd", "--weight", "0.5"]) == 0
    tables = ["promotions", "teacher_labels", "unlabelled"]
    assert validate.main([*flags, *day, "--table", *tables]) == 0
    logs = world.partition("request_logs", DAYS[2])
    rows = logs.read()
    place = rows.schema.get_field_index("score")
    world.publish(logs, rows.set_column(place, "score", pc.multiply(rows["score"], 2.0)))

    assert status.main(flags) == 0
    told = capsys.readouterr().out.partition("in this order:\n")[2].splitlines()
    told = [shlex.split(line)[2:] for line in told if line.startswith("  python -m ")]
    assert [step for step, *_ in told] == ["jobs.line", "jobs.label_candidates", "jobs.validate"]
    for step, *argv in told:
        assert line.step_module(step.removeprefix("jobs.")).main(argv) == 0
    capsys.readouterr()
    assert status.main(flags) == 0
    assert "\nNothing is stale.\n" in capsys.readouterr().out


def test_days_are_joined_where_they_follow_each_other():
    days = {day_of(n) for n in (1, 2, 3, 7, 9, 10)}
    assert spans(days) == [(day_of(1), day_of(3)), (day_of(7), day_of(7)), (day_of(9), day_of(10))]
    assert spans(set()) == []


# --- the page


def page(lake: TracedLake, capsys, *flags: str) -> str:
    assert status.main(["--lake", str(lake.root), "--profile", "toy", *flags]) == 0
    return capsys.readouterr().out


def test_the_page_ends_with_what_is_stale_why_and_what_to_run(tmp_path, capsys):
    lake = TracedLake(tmp_path, days=5)
    lake.again(lake.name("request_logs", 2))
    assert page(lake, capsys).partition("\nStale: ")[2] == (
        "47 of 83 tables, on 4 days.\n"
        "  2026-01-02: candidate_sets, rankings, metrics, promotions, teacher_labels, unlabelled, "
        "examples, validations, models\n"
        "    because request_logs/dt=2026-01-02 was made again\n"
        "  2026-01-03 to 2026-01-05: rankings, metrics, promotions, teacher_labels, unlabelled, "
        "examples, validations, models\n"
        "    because request_logs/dt=2026-01-02 was made again\n"
        "To bring them up to date, in this order:\n"
        f"  python -m jobs.line --lake {lake.root} --profile toy --date 2026-01-02 --days 4 "
        "--from build_candidates\n"
    )


def test_some_days_are_shown_and_what_must_run_before_them_is_said(tmp_path, capsys):
    lake = TracedLake(tmp_path, days=5)
    lake.again(lake.name("request_logs", 2))
    shown = page(lake, capsys, "--date", "2026-01-04", "--days", "1")
    assert "dt=2026-01-04" in shown
    assert "dt=2026-01-05" not in shown
    assert "To bring them up to date, in this order, with 2 stale days before them:" in shown
    assert "--date 2026-01-02 --days 3 --from build_candidates" in shown
    assert "Nothing is stale." in page(lake, capsys, "--date", "2026-01-01", "--days", "1")
    assert "dt=2026-01-05" in page(lake, capsys, "--date", "2026-01-04")
    assert "holds no table of these days" in page(lake, capsys, "--date", "2027-01-01")


@pytest.mark.parametrize("flags", [("--days", "2"), ("--date", "2026-01-01", "--days", "0")])
def test_a_number_of_days_that_says_nothing_is_refused(lake, capsys, flags):
    assert status.main(["--lake", str(lake.root), "--profile", "toy", *flags]) == 2
    assert "must be 1 or more, and goes with --date" in capsys.readouterr().err
