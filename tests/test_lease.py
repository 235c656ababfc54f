"""jobs.lease: one at a time publishes into a folder, and who has lost it publishes nothing."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import lease
from jobs.errors import Held
from jobs.lease import HOLDER, LASTS_SECONDS, Lease, held, is_held, seats
from jobs.lease_holder import Holder, started_at

ME = Holder.this_process("score")
ELSEWHERE = replace(ME, host="other", machine="another boot", pid=1)
DEAD = replace(ME, started=ME.started - 1)
"""A process with the same id that began before this one, and so has ended."""


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "rankings" / "dt=2026-01-02"
    made.mkdir(parents=True)
    return made


def taken(folder: Path, holder: Holder = ME) -> Lease:
    one = Lease(folder, folder.name, holder)
    one.take()
    return one


def unheard(one: Lease, seconds: float = LASTS_SECONDS + 1) -> None:
    heard = (one.seat / HOLDER).stat().st_mtime - seconds
    os.utime(one.seat / HOLDER, (heard, heard))


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_what_is_published_is_there_whole_and_the_lease_leaves_nothing(folder):
    with held(folder, "rankings", "score") as one:
        assert is_held(folder)
        one.publish("_manifest.json", "first")
        one.publish("_manifest.json", "second")
        assert (folder / "_manifest.json").read_text() == "second"
    assert names(folder) == {"_manifest.json"}
    assert not is_held(folder)


def test_a_second_run_is_told_who_is_at_work_and_takes_nothing(folder):
    with held(folder, "rankings/dt=2026-01-02", "score") as first:
        with (
            pytest.raises(Held) as refused,
            held(folder, "rankings/dt=2026-01-02", "score"),
        ):
            pass
        assert str(refused.value) == (
            f"rankings/dt=2026-01-02 is held by score (process {os.getpid()} on {ME.host}) since "
            f"{first.holder.since}; let it end or stop it, and run this again (a holder that is "
            "not heard of for 3 minutes counts as gone)"
        )
        first.publish("x", "its own")
    assert names(folder) == {"x"}


def test_a_step_that_fails_gives_the_folder_back(folder):
    with pytest.raises(ZeroDivisionError), held(folder, "rankings", "score"):
        raise ZeroDivisionError
    assert not folder.exists()


@pytest.mark.parametrize(
    ("holder", "seconds", "lapsed"),
    [
        (ME, 0, False),
        (ME, LASTS_SECONDS - 10, False),
        (ME, LASTS_SECONDS + 10, True),
        (DEAD, 0, True),
        (ELSEWHERE, 0, False),
        (ELSEWHERE, LASTS_SECONDS - 10, False),
        (ELSEWHERE, LASTS_SECONDS + 10, True),
        (replace(DEAD, machine=""), 0, False),
    ],
)
def test_a_lease_lapses_with_its_process_or_in_silence(folder, holder, seconds, lapsed):
    first = taken(folder, holder)
    unheard(first, seconds)
    assert is_held(folder) is not lapsed
    if not lapsed:
        with pytest.raises(Held):
            taken(folder)
        return
    second = taken(folder)
    second.publish("x", "second")
    assert [seat.path for seat in seats(folder)] == [second.seat]


def test_a_process_that_is_killed_counts_as_gone_at_once(folder):
    script = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from jobs.lease import Lease
from jobs.lease_holder import Holder
one = Lease(Path({str(folder)!r}), "rankings", Holder.this_process("score"))
one.take()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    (seat,) = seats(folder)
    assert seat.holder.is_dead()
    with held(folder, "rankings", "score"):
        assert is_held(folder)
    assert names(folder) == set()


def test_a_process_that_only_left_its_exit_code_is_dead():
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(child.pid) is None
    child.wait()
    assert started_at(child.pid) is None
    assert started_at(os.getpid()) == ME.started


def test_who_lost_the_lease_publishes_nothing_whatever_he_had_staged(folder):
    first = taken(folder)
    with first.staged("x") as staged:
        staged.write_text("first")
    unheard(first)
    second = taken(folder)
    for publish in (
        lambda: first.publish("x", "first"),
        lambda: first.move("x", folder / "x"),
    ):
        with pytest.raises(Held, match="was taken over by another run"):
            publish()
    assert not (folder / "x").exists()
    second.publish("x", "second")
    first.give_back()
    assert [seat.path for seat in seats(folder)] == [second.seat]
    second.give_back()
    with pytest.raises(Held):
        first.publish("x", "first")
    assert names(folder) == {"x"}
    assert (folder / "x").read_text() == "second"


def test_a_lapsed_lease_that_nobody_took_over_still_publishes(folder):
    first = taken(folder)
    unheard(first)
    first.publish("x", "first")
    first.give_back()
    assert names(folder) == {"x"}


def test_a_holder_at_work_is_heard_of(folder, monkeypatch):
    monkeypatch.setattr(lease, "RENEWED_SECONDS", 0.01)
    first = taken(folder)
    for _ in range(3):
        unheard(first)
        for _ in range(1000):
            if is_held(folder):
                break
            time.sleep(0.01)
        assert is_held(folder)
    first.give_back()


@pytest.mark.parametrize("left", ["", "{", "[]"])
def test_a_holder_that_cannot_be_read_is_waited_for_and_then_gone(folder, left):
    first = taken(folder)
    (first.seat / HOLDER).write_text(left)
    with pytest.raises(Held, match="held by a step that cannot be read"):
        taken(folder)
    (first.seat / HOLDER).unlink()
    with pytest.raises(Held):
        taken(folder)
    long_ago = first.seat.stat().st_mtime - LASTS_SECONDS - 1
    os.utime(first.seat, (long_ago, long_ago))
    taken(folder).give_back()
    assert names(folder) == set()


def test_of_many_that_find_a_lapsed_lease_one_takes_it(folder):
    """Each publishes only while it holds: no two are ever inside at once."""
    inside, most, won, lock = 0, 0, [], threading.Lock()
    start = threading.Barrier(8)

    def work(number: int) -> None:
        nonlocal inside, most
        start.wait()
        try:
            with held(folder, "rankings", "score") as one:
                with lock:
                    inside, most = inside + 1, max(most, inside + 1)
                one.publish("x", str(number))
                with lock:
                    inside -= 1
                    won.append(number)
        except Held:
            pass

    for _ in range(20):
        taken(folder, DEAD)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert names(folder) == {"x"}
    assert most == 1
    assert len(won) >= 20
