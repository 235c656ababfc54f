"""jobs.gc: what nothing reads goes, by kind and age."""

import re
from datetime import timedelta

import pytest
from decided_lake import DecidedLake, day_of
from gc_lake import VERSION, aged, check_live, everything, lost, put, run, unlabelled

from jobs import gc
from jobs.errors import Refused
from jobs.manifest import FILE_NAME


@pytest.fixture
def lake(tmp_path) -> DecidedLake:
    """Three decided days, all of them long ago."""
    made = DecidedLake(tmp_path).days(3)
    aged(made.root, 100)
    return made


def test_an_old_version_goes_once_it_and_what_replaced_it_are_old_enough(lake):
    folder = lake.lake.partition("metrics", day_of(2))
    old = folder.path / folder.manifest().folder
    lake.judged(2, better=False)
    aged(old, 100)
    aged(folder.path / FILE_NAME, 10)
    assert run(lake, "--delete") == 0
    assert old.is_dir()
    assert run(lake, "--delete", age="9d") == 0
    assert not old.exists()
    assert check_live(lake) > 5
    assert folder.read().num_rows == 3


def test_without_delete_it_lists_by_kind_and_touches_nothing(lake, capsys):
    aged(put(lake, "quarantine", 1, [lost(1), lost(2)]).path, 20)
    left = lake.lake.partition("metrics", day_of(9)).path / VERSION
    left.mkdir(parents=True)
    (left / "part-0.parquet").write_bytes(b"x" * 1234)
    aged(left, 30)
    before = everything(lake)
    capsys.readouterr()
    assert run(lake) == 0
    assert everything(lake) == before
    printed = capsys.readouterr().out
    assert re.search(r"^old versions +0 in +0 files +0 B$", printed, re.MULTILINE)
    assert re.search(r"^leftovers +1 in +1 files +1.2 KB$", printed, re.MULTILINE)
    assert f"1.2 KB  left alone since 2026-05-02 00:00  metrics/dt=2026-01-09/{VERSION}" in printed
    assert re.search(r"^quarantine +1 in +2 files ", printed, re.MULTILINE)
    assert re.search(r"^gc: would remove 2 things, .* KB; to do so, add --delete$", printed, re.M)
    assert run(lake, "--delete") == 0
    assert "gc: removed 2 of 2 things" in capsys.readouterr().out
    assert not left.exists()
    assert run(lake) == 0
    assert "gc: nothing to do" in capsys.readouterr().out


LEFTOVERS = (
    f"promotions/dt=2026-01-01/.{FILE_NAME}.4711",
    f"models/dt=2026-01-01/.{FILE_NAME}.12",
    "promotions/dt=2026-02-01/v=aaaaaaaaaaaa/staged/logs/part-0.parquet",
    "models/.attempt-0123456789ab/model/weights.safetensors",
    "models/.unfinished/2026-01-02/0123.safetensors",
    "models/.unfinished/2026-01-03/.0123456789abcdef",
    "models/m1/items.parquet/.dt=2026-01-02.0a1b2c3d",
    "models/.HISTORY.txt.0a1b2c3d",
    "models/.HISTORY.txt.99",
    "models/dt=2026-01-01/.lease/0123456789ab/_manifest.json.part",
    "models/dt=2026-01-01/.lease-0123456789ab/0123456789ab/holder.json",
    "promotions/dt=2026-01-01/.lease-0123456789ab-taken/_manifest.json.part",
    "reports/.lease/0123456789ab/index.html.part",
    "reports/.index.html.99",
    "reports/.summary.txt.0a1b2c3d",
)
OURS_OR_NOT = (
    "reports/index.html",
    "models/notes.txt",
    "models/a folder of yours/x.bin",
    "models/m1/items.parquet/dt=2026-01-02.parquet",
    "promotions/dt=2026-01-01/notes.txt",
    "promotions/dt=soon/v=aaaaaaaaaaaa/x.parquet",
    "promotions/dt=2026-01-01/v=mine/x.parquet",
    "another_table/dt=2026-01-01/v=aaaaaaaaaaaa/x.parquet",
    ".airflow/x.db",
)


def test_what_killed_steps_leave_goes_and_nothing_that_is_not_known_does(lake):
    for name in (*LEFTOVERS, *OURS_OR_NOT):
        path = lake.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    aged(lake.root, 15)
    assert run(lake, "--delete") == 0
    assert [name for name in LEFTOVERS if (lake.root / name).exists()] == []
    assert [name for name in OURS_OR_NOT if not (lake.root / name).exists()] == []
    assert check_live(lake) > 5


def test_what_is_new_stays_and_one_new_file_keeps_its_folder(lake):
    for name in LEFTOVERS:
        path = lake.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    aged(lake.root, 15)
    for name in LEFTOVERS:
        aged(lake.root / name, 13)
    before = everything(lake)
    assert run(lake, "--delete") == 0
    assert everything(lake) == before


def test_quarantine_goes_by_the_day_and_whole(lake):
    old, new = (put(lake, "quarantine", n, [lost(n)]) for n in (1, 2))
    aged(old.path, 30)
    aged(new.path, 3)
    assert run(lake, "--delete") == 0
    assert not old.path.exists()
    assert new.read().num_rows == 1


def test_a_model_goes_when_nothing_live_names_it(lake):
    lake.train(2, "x2")  # Takes the pointer of m2, which is promoted on day 3.
    lake.train(3, "x3")  # Takes that of m3, which nothing else names.
    aged(lake.root, 50)
    assert run(lake, "--delete") == 0
    there = {path.name for path in lake.lake.models.iterdir() if path.name[0] in "mx"}
    assert there == {"m0", "m1", "m2", "x2", "x3"}


def test_a_model_stays_as_long_as_labels_or_rankings_name_it(lake):
    lake.train(3, "x3")
    labels = unlabelled(lake, 4, "mmr-1", {"model": "m3"})
    aged(lake.root, 50)
    assert run(lake, "--delete") == 0
    assert (lake.lake.models / "m3").is_dir()
    (labels.path / FILE_NAME).unlink()
    assert run(lake, "--delete") == 0
    assert not (lake.lake.models / "m3").exists()


def test_a_model_whose_day_was_trained_again_of_late_stays_for_its_readers(lake):
    aged(lake.root, 50)
    lake.train(3, "x3")
    pointer = lake.lake.models / f"dt={day_of(3)}" / FILE_NAME
    aged(pointer, 3)
    assert run(lake, "--delete") == 0
    assert (lake.lake.models / "m3").is_dir()
    aged(pointer, 15)
    assert run(lake, "--delete") == 0
    assert not (lake.lake.models / "m3").exists()


# --- the command


@pytest.mark.parametrize(
    ("age", "days"), [("1d", 1), ("24h", 1), ("36h", 1.5), ("2w", 14), ("400d", 400)]
)
def test_an_age_is_a_number_and_a_unit(age, days):
    assert gc.parse_age(age) == timedelta(days=days)


@pytest.mark.parametrize("age", ["", "14", "d", "0d", "23h", "-3d", "1.5d", "99999d", "3 d", "2m"])
def test_another_age_is_refused(age):
    with pytest.raises(Refused, match="must be 1d or more, written as 14d, 36h or 2w"):
        gc.parse_age(age)


def test_a_lake_that_is_not_there_has_nothing_to_remove(tmp_path, capsys):
    where = ["--lake", str(tmp_path / "none"), "--profile", "toy", "--older-than", "2w"]
    assert gc.main([*where, "--delete"]) == 0
    assert "gc: removed 0 of 0 things" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
