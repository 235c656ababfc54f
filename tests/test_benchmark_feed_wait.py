"""What the benchmark of feeds says of epochs; the training itself is the benchmark."""

from collections.abc import Iterator

import pytest

from benchmarks import feed_wait
from benchmarks.feed_wait import Stopwatch, table


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """Seconds that go by when they are added to it."""
    now = [0.0]
    monkeypatch.setattr(feed_wait.time, "perf_counter", lambda: sum(now))
    return now


def test_what_goes_by_before_a_batch_is_waited_and_the_steps_are_not(clock):
    def batches() -> Iterator[str]:
        for batch in "ab":
            clock.append(1.0)
            yield batch
        clock.append(0.5)

    watch = Stopwatch()
    for _ in watch.over(batches()):
        clock.append(3.0)
    assert (watch.waited, watch.lasted) == ([2.5], [8.5])


def test_the_first_epoch_does_not_count_and_the_median_does():
    watch = Stopwatch([9.0, 1.0, 2.0, 3.0], [9.0, 10.0, 10.0, 20.0])
    assert watch.share() == pytest.approx(0.15)
    assert watch.seconds() == 10.0
    assert table({("petastorm", "CDM"): watch}) == (
        "| feed | model | an epoch lasts, s | the trainer waits |\n"
        "| --- | --- | ---: | ---: |\n"
        "| petastorm | CDM | 10.00 | 15.0% |\n"
        "\n"
        "Wanted is less than 5% for CDM; a DCN is trained on the first day alone.\n"
    )


def test_one_epoch_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        feed_wait.main(["--folder", str(tmp_path / "wait"), "--epochs", "1"])
    assert "argument --epochs: 1 is not 2 or more" in capsys.readouterr().err
    assert not (tmp_path / "wait").exists()
