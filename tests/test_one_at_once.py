"""Two runs of one partition: one publishes whole, the other says who is at work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World
from decided_lake import DecidedLake, day_of
from examples_lake import DAY, ExamplesLake

from jobs import data_docs, learning, promote, simulate_logs, train
from jobs.cli import HELD
from jobs.errors import Held
from jobs.lease import HOLDER, LASTS_SECONDS, held, seats
from jobs.promotion_history import FILE, history
from jobs.publish import Publication
from jobs.report import __main__ as report
from schemas.arrow import arrow_schema

WAIT_S = 120
TABLES = simulate_logs.WRITES


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path / "lake")


@contextmanager
def stopped_at_work(world: World, *flags: str) -> Iterator[subprocess.Popen]:
    """A run of simulate_logs in a process of its own that holds its partitions and stands still."""
    where = ["--lake", str(world.root), "--profile", "toy", "--date", str(DAYS[0])]
    command = [sys.executable, "-m", "jobs.simulate_logs", *where, *flags]
    step = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + WAIT_S
        while not seats(world.partition(TABLES[-1], DAYS[0]).path):
            assert step.poll() is None, step.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        step.send_signal(signal.SIGSTOP)
        yield step
    finally:
        step.kill()
        step.wait()


def ended(step: subprocess.Popen) -> tuple[int, str]:
    """Let it go on to its end."""
    step.send_signal(signal.SIGCONT)
    said = step.communicate(timeout=WAIT_S)[1]
    return step.returncode, said


def unheard(world: World) -> None:
    """Make every holder one that was last heard of long ago."""
    for path in world.root.rglob(HOLDER):
        heard = path.stat().st_mtime - LASTS_SECONDS - 1
        os.utime(path, (heard, heard))


def test_the_second_run_says_who_is_at_work_and_the_first_publishes(world, capsys):
    with stopped_at_work(world) as first:
        assert world.run("simulate_logs", DAYS[0], "--requests", "70") == HELD
        said = capsys.readouterr().err
        assert said.startswith("simulate_logs: held: truth_requests/dt=2026-01-01 is held by ")
        assert f"simulate_logs (process {first.pid} on " in said
        assert said.count("\n") == 1
        assert world.manifests() == {}
        assert ended(first) == (0, "")
    assert {live.counts["requests"] for live in world.manifests().values()} == {80}
    assert [name for name in world.files() if ".lease" in name] == []


def test_an_orphan_that_ends_after_its_retry_publishes_nothing(world):
    with stopped_at_work(world, "--requests", "70") as orphan:
        unheard(world)
        assert world.run("simulate_logs", DAYS[0]) == 0
        live, files = world.manifests(), world.files()
        code, said = ended(orphan)
    assert code == HELD
    assert said.startswith("simulate_logs: held: truth_requests/dt=2026-01-01 was taken over by ")
    assert said.count("\n") == 1
    assert world.manifests() == live
    assert world.files() == files
    assert {one.counts["requests"] for one in live.values()} == {80}


def test_an_attempt_that_lost_its_lease_leaves_the_winner_alone(world):
    partition = world.partition("reference_items", DAYS[0])
    rows = pa.table({"item_id": [1], "vector": [[1.0]]}, arrow_schema(partition.table))
    mine, other = (Publication(partition, step="s", inputs={}, parameters={}) for _ in range(2))

    def taken_over() -> Iterator[pa.Table]:
        yield rows
        unheard(world)
        other.publish_rows([rows], {})

    with pytest.raises(Held):
        mine.publish_rows(taken_over(), {})
    live = partition.manifest().folder
    assert {path.name for path in partition.path.iterdir()} == {"_manifest.json", live}
    assert partition.read().equals(rows)


def meanwhile(monkeypatch, module, name: str, act) -> None:
    """Do something else once, when a step comes to a function of its own."""
    call = getattr(module, name)

    def interrupted(*args, **kwargs):
        monkeypatch.setattr(module, name, call)
        act()
        return call(*args, **kwargs)

    monkeypatch.setattr(module, name, interrupted)


def test_a_model_is_trained_by_one_at_a_time(tmp_path, monkeypatch, capsys):
    lake = ExamplesLake(tmp_path / "lake")
    lake.put_examples()
    codes = []
    again = lake.flags("--force")
    meanwhile(monkeypatch, learning, "publish_model", lambda: codes.append(train.main(again)))
    assert train.main(lake.flags()) == 0
    assert codes == [HELD]
    assert "train: held: models/dt=2026-01-01 is held by train (" in capsys.readouterr().err


def test_a_training_that_lost_its_lease_does_not_point_at_its_model(tmp_path, monkeypatch):
    lake = ExamplesLake(tmp_path / "lake")
    lake.put_examples()
    pointers = []

    def overtake() -> None:
        unheard(lake)
        assert train.main(lake.flags("--force")) == 0
        pointers.append((lake.lake.models / f"dt={DAY}" / "_manifest.json").stat().st_ino)

    meanwhile(monkeypatch, learning, "publish_model", overtake)
    assert train.main(lake.flags()) == HELD
    assert [(lake.lake.models / f"dt={DAY}" / "_manifest.json").stat().st_ino] == pointers
    assert not list(lake.lake.models.glob(".attempt-*"))


def test_a_damaged_version_is_mended_by_training_it_again(tmp_path):
    lake = ExamplesLake(tmp_path / "lake")
    lake.put_examples()
    assert train.main(lake.flags()) == 0
    weights = lake.registry.folder(lake.trained(DAY)) / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert train.main(lake.flags()) == 0
    assert weights.read_bytes() == whole


def test_the_vectors_that_a_day_brought_stay_when_it_brings_others(world):
    folder = world.lake.models / "m1" / "items.parquet"
    folder.mkdir(parents=True)

    def bring(vectors: dict[int, float]) -> None:
        vectors = pa.table({"item_id": list(vectors), "e": [[e] for e in vectors.values()]})
        world.registry.add_items("m1", DAYS[0], vectors, lease)

    with held(world.root / "labels", "labels", "label_candidates") as lease:
        bring({1: 1.0, 2: 2.0})
        bring({2: 2.5, 3: 3.0})
        unheard(world)
        with held(world.root / "labels", "labels", "label_candidates"), pytest.raises(Held):
            bring({4: 4.0})
    (path,) = folder.iterdir()
    assert path.name == "dt=2026-01-01.parquet"
    assert pq.read_table(path).to_pydict() == {"item_id": [2, 3, 1], "e": [[2.5], [3.0], [1.0]]}


def test_no_decision_is_lost_between_two_people(tmp_path, monkeypatch):
    lake = DecidedLake(tmp_path).days(2)
    codes = []
    meanwhile(
        monkeypatch, promote, "whose_turn", lambda: codes.append(lake.by_hand(2, "promote", "m0"))
    )
    assert lake.by_hand(2, "hold") == 0
    assert codes == [HELD]
    assert lake.by_hand(2, "promote", "m0") == 0
    assert [one.decision for one in lake.decided(2)] == ["promoted", "held", "promoted"]


def test_a_decision_that_was_killed_before_its_history_is_in_it_after_a_rerun(
    tmp_path, monkeypatch
):
    lake = DecidedLake(tmp_path).days(1)
    lake.judged(2)

    def killed() -> None:
        raise KeyboardInterrupt

    meanwhile(monkeypatch, promote, "write_history", killed)
    with pytest.raises(KeyboardInterrupt):
        lake.promote(2)
    path = lake.lake.models / FILE
    assert "2026-01-02" not in path.read_text()
    assert lake.promote(2) == 0
    assert path.read_text() == history(lake.lake)
    assert "2026-01-02" in path.read_text()


def test_a_day_that_is_refused_counts_as_undecided(tmp_path):
    lake = DecidedLake(tmp_path).days(1)
    assert lake.by_hand(3, "promote", "nobody") == 2
    assert lake.by_hand(1, "hold") == 2
    assert f"{day_of(3)}" not in history(lake.lake)


def test_reports_are_written_by_one_at_a_time(world, monkeypatch, capsys):
    assert world.run("simulate_logs", DAYS[0]) == 0
    codes = []
    meanwhile(monkeypatch, report, "page", lambda: codes.append(world.run("report", DAYS[0])))
    assert world.run("report", DAYS[0]) == 0
    assert codes == [HELD]
    assert "report: held: reports is held by report (" in capsys.readouterr().err
    names = {path.name for path in (world.root / "reports").iterdir()}
    assert names == {"2026-01-01.html", "index.html", "summary.txt"}


def test_validation_is_told_by_one_at_a_time(world, monkeypatch, capsys):
    assert world.run("simulate_logs", DAYS[0]) == 0
    assert world.run("validate", DAYS[0], "--table", "request_logs") == 0
    codes = []
    again = ("validation_report", DAYS[0])
    meanwhile(monkeypatch, data_docs, "build", lambda: codes.append(world.run(*again)))
    assert world.run(*again) == 0
    assert codes == [HELD]
    said = capsys.readouterr().err
    assert "held: the validation report is held by validation_report (" in said
    names = {path.name for path in (world.root / "reports").iterdir()}
    assert names == {"validation-2026-01-01.html", "validation.html", "data_docs"}
    assert not list(world.root.rglob(HOLDER))
