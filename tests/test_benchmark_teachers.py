"""The benchmark of the teachers: what it refuses and writes, and that its own peer is right."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from slow_novelty import of_one

from benchmarks import bars, eager, peers, teachers
from benchmarks.bars import Bar, Result
from benchmarks.clustered import batch
from benchmarks.teachers import measure, table
from benchmarks.teachers_picture import picture
from benchmarks.turns import Contestant
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import LOG, Novelty

README = Path(__file__).resolve().parents[1] / "README.md"


def test_a_missing_peer_is_refused_with_the_command(monkeypatch, capsys):
    def nowhere(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(peers, "version", nowhere)
    assert teachers.main([]) == 2
    assert capsys.readouterr().err == (
        "teachers: refused: pyversity 0.2.0 is needed but not installed; "
        "run: pip install -r requirements.lock -r requirements-benchmarks.lock\n"
    )
    monkeypatch.setattr(peers, "version", lambda name: "0.1.0")
    assert teachers.main([]) == 2
    assert "pyversity 0.2.0 is needed but 0.1.0; run: " in capsys.readouterr().err


def result(weight: float, ratio: float, of_eager: float = 0.5) -> Result:
    return Result(Bar("MMR", 500, 50, 4, 10), weight, 10.0, 10 * ratio, ratio, 0.98, of_eager)


def test_the_bars_by_hand():
    found = bars.table(
        [result(0.05, 72.0), result(0.1, 12.0), result(0.25, 2.0), result(1.0, 3, 2)]
    )
    assert found.splitlines()[2:] == [
        "| MMR, N 500, K 50 | 0.05 | 10 | 720 | 72.0x | 4x | 98% | 0.50 |",
        "| MMR, N 500, K 50 | 0.1 | 10 | 120 | 12.0x | 4x | 98% | 0.50 |",
        "| MMR, N 500, K 50 | 0.25 | 10 | 20 | **2.0x** | 4x | 98% | 0.50 |",
        "| MMR, N 500, K 50 | 1 | 10 | 30 | 3.0x |  | 98% | **2.00** |",
        "| MMR, N 500, K 50 | mean | | | 12.0x | 10x | | |",
    ]


def test_the_eager_kernel_picks_the_same():
    requests = batch(200, 16, 3)
    for weight in (0.05, 1.0):
        assert (eager.pick(requests, weight, 20) == bars.our_mmr(weight, requests, 20)).all()


@pytest.mark.parametrize("method", ["DPP on f", "DPP on z", "SSD on f", "SSD on z"])
def test_a_race_is_run_on_one_problem(method):
    pytest.importorskip("pyversity", reason=peers.INSTALL)
    found = bars.race(Bar(method, 100, 20, 3, 3), 0.25, batch(100, 64, 2), rounds=1)
    assert found.alike == 1.0
    assert found.ratio > 0


def test_it_writes_table_picture_and_readme(monkeypatch, tmp_path, capsys):
    fields = [
        Contestant("SSD", "SSD", lambda requests, k: np.sort(requests.table, axis=0)),
        Contestant("pyversity SSD", "SSD", lambda requests, k: None),
        Contestant("its Gram", "SSD", lambda requests, k: 1 / 0, lambda n, k: 10**9),
    ]
    monkeypatch.setattr(teachers, "contestants", lambda: fields)
    monkeypatch.setattr(peers, "require_peers", lambda: None)
    raced = [result(0.05, 12.0)]
    monkeypatch.setattr(teachers, "run_bars", lambda chosen, rounds: raced)
    readme = tmp_path / "README.md"
    readme.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    flags = ["--sizes", "1", "--rounds", "1", "--out", str(tmp_path), "--readme", str(readme)]
    assert teachers.main(flags) == 0
    shown = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert shown in readme.read_text(encoding="utf-8")
    assert shown in capsys.readouterr().out
    assert bars.table(raced) == (tmp_path / "bars.md").read_text(encoding="utf-8")
    assert bars.table(raced) in readme.read_text(encoding="utf-8")
    head, _, ours, other, left_out = shown.splitlines()
    assert head == "| µs per request | N 200, K 50, d 64 |"
    assert ours.startswith("| **SSD** | ")
    assert other.endswith("x) |")
    assert left_out == "| its Gram | - |"
    drawn = ElementTree.parse(tmp_path / "cost.svg").getroot()
    assert "pyversity SSD" in "".join(drawn.itertext())


def test_the_table_by_hand():
    fields = [Contestant("DPP", "DPP", print), Contestant("other", "DPP", print)]
    found = table(fields, {(200, 50, 64): {"DPP": [10.0, 20.0, 90.0], "other": [50.0, 40.0, 90.0]}})
    assert found.splitlines()[2:] == ["| **DPP** | 20 |", "| other | 50 (2x) |"]


def test_contestants_are_measured_at_each_round():
    calls = []
    one = Contestant("one", "MMR", lambda requests, k: calls.append((len(requests.ends), k)))
    found = measure([one], (200, 5, 8), rounds=2)
    assert len(found["one"]) == 2
    assert set(calls) == {(50, 5)}


def test_a_picture_of_both_axes_says_the_same_each_time():
    medians = {(n, k, 64): {"MMR": n * k / 9} for n, k in ((200, 50), (5000, 50), (5000, 5))}
    assert picture(medians) == picture(medians)
    assert "K picks (N = 5,000, d = 64)" in picture(medians)


def test_requests_are_as_described():
    requests = batch(1000, 64, 8)
    assert requests.ends.tolist() == list(range(1000, 8001, 1000))
    assert 0.05 < requests.f.mean() < 0.15
    assert abs(np.linalg.norm(requests.table, axis=1).mean() - 1.8) < 0.05


def test_the_published_algorithm_picks_what_our_kernel_picks():
    rng = np.random.default_rng(6)
    e, f = rng.normal(size=(80, 24)), rng.random(80)
    unit = e / np.linalg.norm(e, axis=1, keepdims=True)
    q = np.exp(2.0 * f)
    theirs = peers.fast_map_dpp(unit @ unit.T * q * q[:, None], 20)
    ours = pick_by(Novelty(LOG, 0.25), of_one(f, e), 20, interest=False).order
    assert ours[theirs].tolist() == list(range(1, 21))


def test_peers_run_where_they_are_installed():
    try:
        peers.require_peers()
    except peers.Missing as missing:
        pytest.skip(str(missing))
    requests = batch(30, 8, 2)
    for one in teachers.contestants():
        one.run(requests, 5)
