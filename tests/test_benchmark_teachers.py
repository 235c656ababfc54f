"""The benchmark of the teachers: what it refuses and writes, and that its own peer is right."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from slow_novelty import of_one

from benchmarks import peers, teachers
from benchmarks.clustered import batch
from benchmarks.teachers import Contestant, measure, table
from benchmarks.teachers_picture import picture
from model.teachers.lazy_greedy import LOG, Novelty, pick_by

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


def test_it_writes_table_picture_and_readme(monkeypatch, tmp_path, capsys):
    fields = [
        Contestant("SSD", "SSD", lambda requests, k: np.sort(requests.table, axis=0)),
        Contestant("pyversity SSD", "SSD", lambda requests, k: None),
        Contestant("its Gram", "SSD", lambda requests, k: 1 / 0, lambda n, k: 10**9),
    ]
    monkeypatch.setattr(teachers, "contestants", lambda: fields)
    monkeypatch.setattr(peers, "require_peers", lambda: None)
    readme = tmp_path / "README.md"
    readme.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    flags = ["--sizes", "1", "--rounds", "1", "--out", str(tmp_path), "--readme", str(readme)]
    assert teachers.main(flags) == 0
    shown = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert shown in readme.read_text(encoding="utf-8")
    assert shown in capsys.readouterr().out
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
    assert set(calls) == {(16, 5)}


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
