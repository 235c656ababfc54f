"""Labels under a teacher, a weight and a model that a run asks for, and which days have them."""

import argparse
import dataclasses
import json
from datetime import date

import pytest
from conftest import DAYS

from jobs.errors import Refused
from jobs.label_choice import chosen_profile
from jobs.profile.load import load_profile
from jobs.teacher import teacher_id
from model.config import USES, TeacherConfig

DAY = DAYS[1]


def chosen(profile, teacher=None, weight=None):
    return chosen_profile(profile, argparse.Namespace(teacher=teacher, weight=weight))


@pytest.fixture(scope="module")
def profile():
    return load_profile("toy")


def test_nothing_asked_is_the_profile_itself(profile):
    assert chosen(profile) is profile


def test_a_weight_alone_is_that_of_the_profiles_first_teacher(profile):
    found = chosen(profile, weight=0.5)
    assert found.teachers == (dataclasses.replace(profile.teacher, diversity_weight=0.5),)


@pytest.mark.parametrize("name", sorted(USES))
def test_another_teacher_has_usual_parameters_and_the_profiles_k(profile, name):
    base = profile.teacher if name == profile.teacher.name else TeacherConfig(name=name, k=5)
    assert chosen(profile, name).teachers == (base,)


def test_a_further_teacher_of_the_profile_is_found_by_its_name(profile):
    further = TeacherConfig(name="ssd", k=3, window=2, diversity_weight=0.7)
    both = dataclasses.replace(profile, further_teachers=(further,))
    assert chosen(both, "ssd").teachers == (further,)
    assert chosen(both, "ssd", 0.1).teachers[0].window == 2


@pytest.mark.parametrize(
    ("teacher", "weight", "message"),
    [
        ("nobody", None, r"teacher\.name = 'nobody' .* must be one of mmr, mmr_item"),
        ("", None, r"teacher\.name = '' is not allowed"),
        (None, 10.5, r"diversity_weight = 10\.5 is not allowed; it must be from 0 to 10"),
        (None, -0.1, r"diversity_weight = -0\.1 is not allowed"),
        ("msd", float("nan"), r"diversity_weight = nan is not allowed"),
        ("msd", float("inf"), r"diversity_weight = inf is not allowed"),
        ("category_decay", 0.5, r"diversity_weight = 0\.5 .* category_decay does not read it"),
    ],
)
def test_a_teacher_that_cannot_be_is_refused_in_one_line(profile, teacher, weight, message):
    with pytest.raises(Refused, match=message) as refusal:
        chosen(profile, teacher, weight)
    assert "\n" not in str(refusal.value)


def test_labels_that_are_asked_for_lie_beside_those_that_are_there(toy, tmp_path, capsys):
    world, version = toy.copy(tmp_path / "lake"), toy.trained(DAYS[0])
    assert version != toy.registry.promoted(DAYS[0])
    before = world.files()
    asked = ["--teacher", "msd", "--weight", "0.5", "--model", version]
    assert world.run("label_candidates", DAYS[0], *asked) == 0
    teacher = TeacherConfig(name="msd", diversity_weight=0.5, k=5)
    name = teacher_id(teacher, world.profile.policy, version)
    made = world.lake.partition("teacher_labels", DAYS[0], teacher_id=name)
    assert made.manifest().rows == toy.partition_rows("teacher_labels", DAYS[0])
    assert {row["model_version"] for row in made.read().to_pylist()} == {version}
    after = world.files()
    assert {path: after[path] for path in before} == before
    added = {path for path in after.keys() - before if "items.parquet" not in path}
    assert added
    assert all(f"/teacher_id={name}/" in path for path in added)

    capsys.readouterr()
    assert world.run("label_candidates", DAYS[0], *asked) == 0
    assert world.run("label_candidates", DAYS[0], *asked, "--skip-done") == 99
    assert "is labelled already; --force labels it again" in capsys.readouterr().out
    assert world.files() == after
    assert world.run("label_candidates", DAYS[0], *asked, "--skip-done", "--force") == 0
    again = world.lake.partition("teacher_labels", DAYS[0], teacher_id=name).manifest()
    assert (again.digest, again.folder == made.manifest().folder) == (made.manifest().digest, True)
    assert world.files() != after


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--teacher", "nobody"], "teacher.name = 'nobody' is not allowed"),
        (["--weight", "11"], "teacher.diversity_weight = 11.0 is not allowed"),
        (["--model", "000000000000"], "--model: model version '000000000000' is not in"),
        (["--model", "../models"], "--model: model version '../models' is not in"),
        (["--model", "$(touch x)"], "--model: model version '$(touch x)' is not in"),
    ],
)
@pytest.mark.parametrize("step", ["label_candidates", "labelled_days"])
def test_what_cannot_label_is_refused_and_nothing_changes(toy, capsys, step, flags, message):
    before = sorted(path.name for path in toy.root.rglob("*"))
    assert toy.run(step, DAY, *flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    if "--model" in flags:
        assert f"newest first: {toy.trained(DAYS[2])}, " in line
    assert sorted(path.name for path in toy.root.rglob("*")) == before


def test_a_version_without_vectors_is_refused(toy, tmp_path, capsys):
    world, version = toy.copy(tmp_path / "lake"), toy.trained(DAYS[0])
    (world.registry.trained_items(version)).unlink()
    assert world.run("label_candidates", DAY, "--model", version) == 2
    assert f"--model: version {version} has no item vectors" in capsys.readouterr().err


# --- which days are labelled


def days_told(world, capsys, *flags, first=DAYS[0]):
    capsys.readouterr()
    code = world.run("labelled_days", first, *flags)
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err


def test_each_day_of_a_range_is_told_and_the_last_line_is_the_days(toy, capsys):
    code, lines, _ = days_told(toy, capsys, "--last", "2026-01-04")
    assert code == 0
    assert json.loads(lines[-1]) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    for line, day in zip(lines, DAYS, strict=False):
        live = toy.partition("teacher_labels", day)
        assert line == (
            f"labelled_days {day}: {live.keys[1][1]} labelled, "
            f"{live.manifest().rows:,} requests, digest {live.manifest().digest}"
        )
    assert lines[3].startswith("labelled_days 2026-01-04: no model is promoted on 2026-01-04")
    assert lines[4] == "labelled_days 2026-01-01: 4 days = 3 labelled + 1 not labelled"


def test_a_range_with_a_hole_is_refused_where_all_are_required(toy, capsys):
    assert days_told(toy, capsys, "--last", "2026-01-03", "--require")[0] == 0
    code, lines, told = days_told(toy, capsys, "--last", "2026-01-04", "--require")
    assert code == 2
    assert "refused: 1 of 4 days have no labels: 2026-01-04; " in told
    assert not lines[-1].startswith("[")
    version = toy.trained(DAYS[0])
    code, lines, told = days_told(toy, capsys, "--last", "2026-01-04", "--model", version)
    assert "candidate_sets/dt=2026-01-04 is not in" in lines[3]
    assert "not labelled yet" in lines[0]


def test_labels_of_other_candidates_are_none(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    partition = world.partition("candidate_sets", DAY)
    rows = partition.read().slice(1)
    world.publish(partition, rows)
    lines = days_told(world, capsys, first=DAY)[1]
    assert "labelled, from other candidates than there are now" in lines[0]
    assert "1 days = 0 labelled + 1 not labelled" in lines[1]


@pytest.mark.parametrize("last", ["2025-12-31", "2027-01-02"])
def test_a_range_of_no_days_or_of_too_many_is_refused(toy, capsys, last):
    code, _, told = days_told(toy, capsys, "--last", last)
    count = (date.fromisoformat(last) - DAYS[0]).days + 1
    assert code == 2
    assert f"are {count} days; give a range of 1 to 366" in told
