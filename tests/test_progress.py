"""The progress of a long step: a line every ten seconds in a log, a bar where somebody watches."""

import io

import pytest

from jobs.progress import ERASE, Progress


class Watched(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Told:
    """Progress at a pace of the test's choice."""

    def __init__(self, out: io.StringIO) -> None:
        self.now, self.said, self.out = 100.0, [], out
        self.progress = Progress("train 2026-01-01:", self.said.append, out, lambda: self.now)

    def work(self, steps: range, total: int, seconds_each: float) -> None:
        for done in steps:
            self.now += seconds_each
            self.progress.show(done, total, "batches")


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_log_has_a_line_at_most_every_ten_seconds():
    told = Told(io.StringIO())
    told.work(range(1, 101), 100, 1.0)
    assert told.said == [
        f"{done} of 100 batches, about {100 - done} s left" for done in range(11, 101, 10)[:9]
    ]
    assert told.out.getvalue() == ""


def test_a_step_of_a_few_seconds_says_nothing():
    told = Told(io.StringIO())
    told.work(range(1, 1001), 1000, 0.009)
    assert told.said == []


def test_what_an_earlier_run_did_does_not_count_as_fast():
    told = Told(io.StringIO())
    told.work(range(901, 1001), 1000, 5.0)
    assert told.said[0] == "903 of 1,000 batches, about 485 s left"


def test_a_terminal_has_one_bar_that_is_redrawn_and_goes():
    told = Told(Watched())
    told.work(range(1, 101), 100, 0.0625)
    drawn = told.out.getvalue().split(ERASE)
    assert told.said == []
    assert drawn[0] == ""
    # Ten times a second, whatever the pace.
    assert len(drawn) - 1 == 49
    assert drawn[25] == (
        f"train 2026-01-01: [{13 * '#'}{12 * '.'}] 51 of 100 batches, about 3 s left"
    )
    assert all(len(line) < 80 for line in drawn)
    assert "\n" not in told.out.getvalue()
    told.progress.clear()
    told.progress.clear()
    assert told.out.getvalue().endswith(f"left{ERASE}")


def test_a_narrow_terminal_has_words_without_a_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    told = Told(Watched())
    told.work(range(1, 4), 100, 1.0)
    assert told.out.getvalue().split(ERASE)[-1] == (
        "train 2026-01-01: 3 of 100 batches, about 97 s left"
    )
