"""The benchmark of the student: what it writes, and that it times what trains and serves."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from benchmarks import student, student_bars, student_learned, student_memory
from benchmarks.student_bars import Found, beside
from benchmarks.student_field import (
    BESIDE_DCN,
    DCN,
    PLAIN,
    STUDENTS,
    candidates,
    in_turn,
    model_of,
    one_by_one,
    scoring,
    step_of,
    stepping,
)
from benchmarks.student_picture import picture
from model.learning_config import TrainingConfig
from model.training import fit

README = Path(__file__).resolve().parents[1] / "README.md"
WIDE, NARROW = "CDM, 128 landmarks", "CDM, 32 landmarks"
TIMES = {
    500: {DCN: [100.0, 200.0, 300.0], WIDE: [140.0, 320.0, 480.0], NARROW: [120.0, 240.0, 360.0]}
    | {"MMR, kernel": [10.0, 10.0, 10.0]},
    20_000: {DCN: [4e3] * 3, WIDE: [8.8e3] * 3, NARROW: [6e3] * 3, "MMR, kernel": [9.0] * 3},
}
ALONE = {DCN: [100.0, 100.0], WIDE: [160.0, 180.0], NARROW: [145.0, 145.0]}
STEP = {DCN: [200.0, 300.0, 400.0], WIDE: [1900.0, 2300.0, 2700.0]}
LEARNED = {"CDM": {"0": [0.5, 0.75], "128": [0.5, 0.77], "32": [0.45, 0.75]}}


def test_the_bars_by_hand():
    """Differences and ratios are taken in each round; a bar that is missed is bold."""
    found = student_bars.table(Found(TIMES, ALONE, STEP, {200: 50.0, 5000: 59.0}, LEARNED))
    said = [line.strip("| ").split(" | ") for line in found.splitlines()[2:]]
    assert [(cells[1], cells[2] if len(cells) > 2 else "") for cells in said] == [
        ("2.00", "at most 2"),
        ("0.30", ""),
        ("50 / 59", "flat: at most 1.2x apart"),
        ("**0.60x**", "at most 0.5x"),
        ("0.20x", "at most 0.5x"),
        ("**0.70x**", "at most 0.5x"),
        ("0.45x", "at most 0.5x"),
        ("1.00x", "linear: at most 1.25x"),
        ("1.25x", "linear: at most 1.25x"),
        ("**12.0x**", "1x, in the long run"),
        ("**4.0x**", "1x, in the long run"),
        ("+0.010", "at least -0.01"),
        ("**-0.025**", "at least -0.01"),
    ]
    assert "N = 200, 5,000" in said[2][0]
    assert said[-1][0].startswith("swap-AUC of CDM, 32 landmarks (0.600, 2 seeds)")


def test_what_was_not_measured_has_no_line():
    assert student_bars.table(Found({}, {}, {}, {}, None)).splitlines()[2:] == []


def test_the_table_by_hand():
    shown = student.table(TIMES, ALONE, STEP).splitlines()
    assert shown[0] == "| µs per request | N 500 | N 20,000 |"
    assert shown[2:6] == [
        "| DCN | 200 | 4,000 |",
        "| **CDM, 128 landmarks** | 120 (0.6x) | 4,800 (1.2x) |",
        "| **CDM, 32 landmarks** | 40 (0.2x) | 2,000 (0.5x) |",
        "| MMR, kernel | 10 (0.05x) | 9 (0.0022x) |",
    ]
    assert (
        shown[7]
        == "| µs per request, N 500 | scoring, a request a call | a training step, 64 targets |"
    )
    assert shown[9:] == [
        "| DCN | 100 | 300 |",
        "| **CDM, 128 landmarks** | 70 (0.7x) | 2,000 (6.7x) |",
        "| **CDM, 32 landmarks** | 45 (0.45x) | - |",
    ]


def test_it_writes_tables_picture_and_readme(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(student, "measure", lambda sizes, rounds: (TIMES, ALONE, STEP))
    monkeypatch.setattr(student, "rise", lambda n, requests: 50.0 + n / 1000)
    monkeypatch.setattr(student_learned, "run", lambda folder, seeds: LEARNED)
    readme = tmp_path / "README.md"
    readme.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    flags = ["--out", str(tmp_path / "out"), "--readme", str(readme)]
    assert student.main([*flags, "--learn", str(tmp_path)]) == 0
    assert student.main(flags) == 0, "what was learned is quoted"
    bars, table = ((tmp_path / "out" / name).read_text() for name in ("bars.md", "table.md"))
    said, quoted = capsys.readouterr().out, readme.read_text(encoding="utf-8")
    assert "(0.600, 2 seeds)" in bars
    for shown in (bars, table):
        assert shown in quoted
        assert shown in said
    drawn = ElementTree.parse(tmp_path / "out" / "cost.svg").getroot()
    assert "CDM, 128 landmarks" in "".join(drawn.itertext())
    assert json.loads((tmp_path / "out" / "learned.json").read_text()) == LEARNED


def test_the_picture_says_the_same_each_time():
    medians = {500: {DCN: 9.0, WIDE: 4.0}, 2000: {DCN: 30.0, WIDE: 20.0, "MMR, kernel": 1.0}}
    assert picture(medians) == picture(medians)


def test_all_take_part_up_to_where_the_plain_student_does_not():
    names = [one.name for one in scoring(40)[1]]
    assert names[0] == DCN
    assert set(BESIDE_DCN) == {*STUDENTS, PLAIN}
    assert set(BESIDE_DCN) < set(names)
    assert PLAIN not in [one.name for one in scoring(2001)[1]]


def test_each_contestant_runs_and_students_are_counted_beside_dcn():
    requests, field = scoring(130)
    for one in field:
        one.run(requests, 5)
    assert beside({DCN: [2.0, 3.0], WIDE: [5.0, 5.0]}, WIDE).tolist() == [3.0, 2.0]
    assert beside({DCN: [2.0, 3.0], "MMR, kernel": [5.0, 5.0]}, "MMR, kernel").tolist() == [5, 5]


def test_requests_are_as_described():
    drawn = candidates(130, 3)
    assert drawn.exposed.sum(1).tolist() == [20] * 3
    assert drawn.win.sum(1).tolist() == [50] * 3
    assert sorted(drawn.shown_rank[0][drawn.exposed[0]].tolist()) == list(range(1, 21))


@pytest.mark.parametrize("changes", [{"win_rate": 0.0}, {"landmarks": 32}, {"student": "wear"}])
def test_a_step_is_one_of_the_training_loop(changes):
    drawn, trained = candidates(70, 4), []
    for way in ("step", "loop"):
        model = model_of(**changes)
        torch.manual_seed(5)
        if way == "step":
            step_of(model, drawn)()
        else:
            config = TrainingConfig(epochs=1)
            fit(model, lambda _: [drawn], lambda: [drawn], config, lambda _: None, 1)
        trained.append(model.state_dict())
    assert trained[0].keys() == trained[1].keys()
    for name, weight in trained[0].items():
        assert torch.equal(weight, trained[1][name]), name
    untrained = model_of(**changes).state_dict()
    assert not torch.equal(untrained["backbone.head.weight"], trained[0]["backbone.head.weight"])


def test_all_score_request_by_request_what_they_score_together():
    requests, field = one_by_one(90)
    assert [one.name for one in field] == [DCN, *STUDENTS]
    assert len(requests.ends) == 64
    model, drawn = model_of(landmarks=32), candidates(90, 3)
    together, seen, score = model.score(drawn), [], model.score
    model.score = lambda batch, at_once: seen.append(score(batch, at_once))
    in_turn(model, drawn)(None, 50)
    for told, expected in zip(zip(*seen, strict=True), together, strict=True):
        torch.testing.assert_close(torch.cat(told), expected, rtol=0, atol=1e-6)


def test_every_step_runs():
    requests, field = stepping(90, 2)
    assert len(requests.ends) == 2
    assert [one.name for one in field] == [DCN, *STUDENTS]
    for one in field:
        one.run(requests, 50)


def test_the_memory_of_a_step_is_a_number(capsys):
    assert student_memory.main(["--candidates", "60", "--requests", "2"]) == 0
    float(capsys.readouterr().out)


def test_learning_is_in_the_worlds_of_the_study(monkeypatch, tmp_path):
    data = student_learned.world()
    assert (data.profile, data.changes["world.requests"]) == ("kuaishou", 250)
    told = [("CDM", "0", 0.5), ("CDM", "128", 0.25), ("CDM", "32", 0.0)]
    told += [("Better context", "0", 0.75), ("Better context", "128", 0.5)]
    made = []
    monkeypatch.setattr(student_learned, "prepare", lambda *args: made.append(args[1]))
    monkeypatch.setattr(student_learned, "read_arena", lambda *args: None)
    monkeypatch.setattr(student_learned, "trained", lambda arena: told)
    found = student_learned.run(tmp_path, 2)
    assert made == [1, 2]
    assert found["CDM"] == {"0": [0.5, 0.5], "128": [0.25, 0.25], "32": [0.0, 0.0]}
    assert found["Better context"] == {"0": [0.75, 0.75], "128": [0.5, 0.5]}
    student_learned.write(found, tmp_path / "learned.json")
    assert student_learned.read(tmp_path / "learned.json") == found
    assert student_learned.read(tmp_path / "none.json") is None
