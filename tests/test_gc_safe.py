"""jobs.gc: nothing that is live goes, whatever happens meanwhile, nor what is outside."""

import shutil
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from decided_lake import DecidedLake, day_of
from gc_lake import NOW, VERSION, aged, check_live, everything, lost, put, run, unlabelled
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import gc_remove
from jobs.gc_find import Finder, is_left_alone
from jobs.gc_references import References
from jobs.lake import verified
from jobs.lease import held
from jobs.manifest import FILE_NAME, Manifest


@pytest.fixture
def lake(tmp_path) -> DecidedLake:
    """Three decided days, all of them long ago."""
    made = DecidedLake(tmp_path).days(3)
    aged(made.root, 100)
    return made


def test_links_are_neither_followed_nor_removed(lake, tmp_path):
    outside = tmp_path / "outside"
    (outside / VERSION).mkdir(parents=True)
    (outside / VERSION / "part-0.parquet").write_bytes(b"dear")
    (outside / "config.json").write_text("{}")
    (outside / "dt=2026-03-01" / VERSION).mkdir(parents=True)
    partition = lake.lake.partition("metrics", day_of(2)).path
    links = {
        partition / "v=aaaaaaaaaaaa": outside / VERSION,
        lake.root / "metrics" / "dt=2026-03-01": outside,
        lake.lake.models / "0a1b2c3d4e5f": outside,
        lake.lake.models / ".attempt-0123456789ab": outside,
        lake.root / "candidate_sets": outside,
    }
    for link, target in links.items():
        link.symlink_to(target)
    inside = partition / "v=bbbbbbbbbbbb"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    aged(lake.root, 50)
    aged(outside, 50)
    before = {path: path.stat().st_mtime for path in outside.rglob("*")}
    assert run(lake, "--delete") == 0
    assert {path: path.stat().st_mtime for path in outside.rglob("*")} == before
    assert all(link.is_symlink() for link in links)
    assert not inside.exists()


def test_a_model_stays_that_a_table_behind_a_link_names(lake, tmp_path):
    lake.train(3, "x3")
    unlabelled(lake, 4, "mmr-1", {"model": "m3"})
    (lake.root / "unlabelled").rename(tmp_path / "elsewhere")
    (lake.root / "unlabelled").symlink_to(tmp_path / "elsewhere")
    aged(lake.root, 50)
    assert run(lake, "--delete") == 0
    assert (lake.lake.models / "m3").is_dir()


def test_a_lake_behind_a_link_is_cleared_as_any_other(lake, tmp_path):
    (tmp_path / "link").symlink_to(lake.root)
    left = lake.lake.models / ".attempt-0123456789ab"
    left.mkdir()
    aged(left, 50)
    lake.root = tmp_path / "link"
    assert run(lake, "--delete") == 0
    assert not left.exists()


def test_where_a_pointer_is_damaged_nothing_of_it_goes_and_no_model(lake, capsys):
    lake.train(3, "x3")
    partition = lake.lake.partition("metrics", day_of(2))
    lake.judged(2, better=False)
    (partition.path / FILE_NAME).write_text("{")
    other = lake.lake.partition("metrics", day_of(3))
    old = other.path / other.manifest().folder
    lake.judged(3, better=False)
    aged(lake.root, 50)
    before = everything(lake)
    assert run(lake, "--delete") == 0
    assert {name for name in before if name not in everything(lake)} == {
        str(path.relative_to(lake.root)) for path in (old, old / "part-0.parquet")
    }
    printed = capsys.readouterr().out
    assert f"{partition.path} is left as it is: " in printed
    assert "no model is removed: " in printed


def found_of(lake: DecidedLake) -> tuple[list, References]:
    references = References(lake.lake)
    found = list(Finder(lake.lake, references).find())
    return [one for one in found if is_left_alone(one, NOW.timestamp())], references


def test_a_version_that_is_published_meanwhile_is_kept(lake, monkeypatch):
    partition = lake.lake.partition("metrics", day_of(2))
    first = (partition.path / FILE_NAME).read_text()
    lake.judged(2, better=False)
    aged(lake.root, 50)
    (one,), references = found_of(lake)
    # Before it is set aside, and between that and the second look.
    (partition.path / FILE_NAME).write_text(first)
    assert gc_remove.remove(one, references, NOW.timestamp()) is False
    assert check_live(lake) > 5
    lake.judged(2, better=False)
    old = partition.path / Manifest.read(partition.path).folder
    aged(lake.root, 50)
    rename = Path.rename

    def renamed_then_published(path: Path, target: Path) -> Path:
        done = rename(path, target)
        if path.name.startswith("v="):
            (partition.path / FILE_NAME).write_text(first)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renamed_then_published)
        assert gc_remove.remove(one, references, NOW.timestamp()) is False
    assert check_live(lake) > 5
    assert old.is_dir()


@pytest.mark.parametrize("taken", ["promoted", "labels again"])
def test_a_model_that_is_taken_into_use_meanwhile_is_kept(lake, taken):
    lake.train(3, "x3")
    unlabelled(lake, 4, "mmr-1", {"model": "m2"})
    aged(lake.root, 50)
    (one,), references = found_of(lake)
    assert one.path.name == "m3"
    if taken == "promoted":
        assert lake.by_hand(4, "promote", "m3") == 0
    else:
        unlabelled(lake, 4, "mmr-1", {"model": "m3"})
    assert gc_remove.remove(one, references, NOW.timestamp()) is False
    assert one.path.is_dir()
    assert check_live(lake) > 5


def test_what_is_written_to_meanwhile_is_kept(lake):
    left = lake.lake.partition("metrics", day_of(9)).path / VERSION
    left.mkdir(parents=True)
    aged(left, 50)
    (one,), references = found_of(lake)
    (left / "part-0.parquet").write_bytes(b"more")
    assert gc_remove.remove(one, references, NOW.timestamp() - 86_400) is False
    assert (left / "part-0.parquet").read_bytes() == b"more"
    shutil.rmtree(left)
    assert gc_remove.remove(one, references, NOW.timestamp()) is False


def test_a_killed_gc_is_gone_on_with_and_what_became_live_is_put_back(lake, monkeypatch, capsys):
    partition = lake.lake.partition("metrics", day_of(2))
    old = partition.path / partition.manifest().folder
    lake.judged(2, better=False)
    lake.train(3, "x3")
    day = put(lake, "quarantine", 1, [lost(1)])
    aged(lake.root, 50)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gc_remove, "_delete", killed)
        for count in (1, 2):
            with pytest.raises(KeyboardInterrupt):
                run(lake, "--delete")
            assert len(list(lake.root.rglob(".gc-*"))) == count
    assert check_live(lake) > 4
    assert run(lake, "--delete") == 0
    assert not [path for path in lake.root.rglob(".gc-*")]
    assert not old.exists()
    assert not day.path.exists()
    assert not (lake.lake.models / "m3").exists()
    # Killed between the rename and the second look, while a step published that very version.
    live = partition.path / partition.manifest().folder
    live.rename(live.with_name(f".gc-{live.name}"))
    model = lake.lake.models / "m2"
    model.rename(model.with_name(".gc-m2"))
    capsys.readouterr()
    assert run(lake, "--delete") == 0
    assert "has been taken into use since" in capsys.readouterr().out
    assert check_live(lake) > 4
    assert partition.read().num_rows == 3


def test_while_a_step_is_at_work_nothing_of_its_place_goes_however_old(lake):
    partition = lake.lake.partition("metrics", day_of(2))
    lake.judged(2, better=False)
    lake.train(3, "x3")
    left = [
        partition.path / "v=bbbbbbbbbbbb",
        lake.lake.models / ".attempt-0123456789ab",
        lake.lake.models / ".unfinished" / "2026-01-03",
        lake.root / "reports" / ".index.html.0a1b2c3d",
    ]
    for path in left:
        path.mkdir(parents=True)
    others = [lake.lake.partition("metrics", day_of(3)).path / "v=bbbbbbbbbbbb"]
    others[0].mkdir()
    places = [partition.path, lake.lake.models / "dt=2026-01-02", lake.root / "reports"]
    aged(lake.root, 50)
    before = {str(path.relative_to(lake.root)) for path in others}
    with ExitStack() as leases:
        for place in places:
            leases.enter_context(held(place, place.name, "a step"))
        there = everything(lake)
        assert run(lake, "--delete") == 0
        assert there - everything(lake) == before
    assert run(lake, "--delete") == 0
    assert [path for path in left if path.exists()] == []
    assert not (lake.lake.models / "m3").exists()


def test_what_cannot_be_removed_is_named_and_fails_the_command(lake, monkeypatch, capsys):
    left = lake.lake.models / ".attempt-0123456789ab"
    left.mkdir()
    aged(left, 50)

    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(gc_remove, "_delete", denied)
    assert run(lake, "--delete") == 1
    printed = capsys.readouterr().out
    assert f"failed {left}: [Errno 13] Permission denied" in printed
    assert "removed 0 of 1 things, 0 B; 1 could not be" in printed


# --- the property


ACTIONS = st.sampled_from(["judge", "decide", "train", "label", "quarantine", "leave", "kill"])
STEPS = st.lists(st.tuples(ACTIONS, st.integers(1, 4), st.integers(0, 60)), max_size=14)


@settings(max_examples=25)
@given(steps=STEPS, age=st.integers(0, 70), again=st.integers(0, 70))
def test_at_any_age_whatever_is_live_still_verifies_byte_by_byte(steps, age, again):
    with tempfile.TemporaryDirectory() as folder:
        lake = DecidedLake(Path(folder))
        # A gc is killed after all else: no step can read what it has set aside.
        in_order = sorted(steps, key=lambda one: one[0] == "kill")
        for step, (action, number, days) in enumerate(in_order):
            act(lake, action, number, step)
            newest = max(lake.root.rglob("*"), key=lambda path: path.stat().st_mtime)
            aged(newest if newest.is_dir() else newest.parent, days)
        kept = {
            path: Manifest.read(path.parent)
            for path in lake.root.rglob(FILE_NAME)
            if "quarantine" not in path.parts
        }
        for days in (age, again):
            references = References(lake.lake)
            before = (NOW - timedelta(days=days)).timestamp()
            for one in list(Finder(lake.lake, references).find()):
                if is_left_alone(one, before):
                    assert one.touched < before or one.path.name.startswith(".gc-")
                    gc_remove.remove(one, references, before)
            check_live(lake)
            for path, live in kept.items():
                assert Manifest.read(path.parent) == live
                verified(path.parent / live.folder, live)
            for number in range(1, 5):
                for one in lake.decided(number):
                    for version in (one.promoted_version, one.candidate_version):
                        assert (lake.lake.models / version).is_dir()


def act(lake: DecidedLake, action: str, number: int, step: int) -> None:
    """Do one thing that steps, people or accidents do to a lake."""
    match action:
        case "judge":
            lake.judged(number, better=bool(step % 2))
        case "decide":
            lake.promote(number)
        case "train":
            lake.train(number, f"m{number}-{step}")
        case "label":
            unlabelled(lake, number, f"mmr-{step % 2}", {"model": "m0", "step": str(step)})
        case "quarantine":
            put(lake, "quarantine", number, [lost(step + 1)])
        case "leave":
            folder = lake.lake.partition("metrics", day_of(number)).path / f"v={step:012x}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "part-0.parquet").write_bytes(b"PAR1")
        case "kill":
            for live in sorted(lake.root.rglob("v=*"))[:1]:
                live.rename(live.with_name(f".gc-{live.name}"))
