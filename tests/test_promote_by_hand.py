"""Decisions by a person: what they do, how long they hold, and that who, when and why are kept."""

from datetime import UTC, datetime

import pytest
from decided_lake import DecidedLake, day_of

GATE = "the gate"
HISTORY = """\
day         decision     promoted  before  candidate  by        at                    why
2026-01-01  promoted     m0        -       m0         the gate  -                     the first model, without a rival
2026-01-02  promoted     m1        m0      m1         the gate  -                     recall@5 +0.0000 [+0.0100, +0.1000], margin -0.02; no diversity is asked against a base DCN
2026-01-02  rolled back  m0        m0      m1         ann       2026-01-31 07:30 UTC  fewer clicks
"""  # noqa: E501 - as it is printed


@pytest.fixture
def lake(tmp_path) -> DecidedLake:
    return DecidedLake(tmp_path)


def test_the_gate_alone_promotes_each_better_model_and_holds_a_worse_one(lake):
    lake.days(3)
    assert [lake.in_force(n) for n in (1, 2, 3)] == [
        ("promoted", "m0", GATE),
        ("promoted", "m1", GATE),
        ("promoted", "m2", GATE),
    ]
    lake.judged(4, better=False)
    assert lake.promote(4) == 0
    assert lake.in_force(4) == ("held", "m2", GATE)
    assert lake.decided(4)[-1].decided_at is None


def test_a_rollback_is_kept_with_who_when_and_why_beside_what_it_replaced(lake, capsys):
    lake.days(3)
    assert lake.by_hand(3, "rollback", "m1") == 0
    gate, ann = lake.decided(3)
    assert (gate.decision, gate.promoted_version, gate.decided_by) == ("promoted", "m2", GATE)
    assert (ann.decision, ann.promoted_version, ann.previous_version) == ("rolled back", "m1", "m1")
    assert (ann.decided_by, ann.reason) == ("ann", "fewer clicks")
    assert ann.decided_at == datetime(2026, 1, 31, 7, 30, tzinfo=UTC)
    assert lake.registry.promoted(day_of(3)) == "m1"
    assert "next: python -m jobs.label_candidates" in capsys.readouterr().out


def test_no_rerun_takes_back_what_a_person_decided(lake, capsys):
    lake.days(3)
    lake.by_hand(3, "rollback", "m1")
    before = lake.files()
    for flags in ([], ["--when", "2026-01-31T09:30Z"]):
        assert lake.promote(3, *flags) == 0
        assert lake.files() == before
    printed = capsys.readouterr().out
    assert "ann decided by hand (rolled back: fewer clicks); it stands until" in printed
    decisions = lake.decided(3)
    assert lake.promote(3, "--force") == 0
    assert lake.decided(3) == decisions
    lake.judged(3, better=False)
    assert lake.promote(3) == 0
    assert lake.decided(3) == decisions


def test_the_same_decision_again_is_no_second_one(lake):
    lake.days(3)
    lake.by_hand(3, "rollback", "m1")
    before = lake.files()
    again = ["--decision", "rollback", "--model", "m1", "--who", "ann", "--why", "fewer clicks"]
    assert lake.promote(3, *again) == 0
    assert lake.files() == before
    assert lake.by_hand(3, "rollback", "m0", "--why", "still fewer") == 0
    assert [one.reason for one in lake.decided(3)[1:]] == ["fewer clicks", "still fewer"]


def test_a_rollback_holds_until_the_gate_promotes_a_newer_model(lake):
    lake.days(3)
    lake.by_hand(3, "rollback", "m0")
    # No day in between left a model: the newest is the one that was rolled back from, or older.
    pointer = lake.lake.models / f"dt={day_of(3)}" / "_manifest.json"
    kept = pointer.read_text()
    pointer.unlink()
    for number in (4, 5):
        lake.judged(number)
        assert lake.promote(number) == 0
        assert lake.in_force(number) == ("held", "m0", GATE)
        reason = lake.decided(number)[-1].reason
        assert reason == (
            "ann decided by hand for 2026-01-03 (rolled back: fewer clicks); only a model trained "
            "on that day or later is judged again"
        )
        word = lake.lake.partition("promotions", day_of(3))
        live = lake.lake.partition("promotions", day_of(number)).manifest()
        assert live.inputs[word.name] == word.manifest().digest
    pointer.write_text(kept)
    lake.judged(6, better=False)
    assert lake.promote(6) == 0
    assert lake.in_force(6) == ("held", "m0", GATE)
    lake.judged(7)
    assert lake.promote(7) == 0
    assert lake.in_force(7) == ("promoted", "m3", GATE)


def test_a_hold_keeps_the_candidate_out_although_it_is_better(lake):
    lake.days(2)
    lake.judged(3)
    assert lake.by_hand(3, "hold") == 0
    assert lake.in_force(3) == ("held", "m1", "ann")
    lake.judged(4)
    assert lake.promote(4) == 0
    assert lake.in_force(4) == ("held", "m1", GATE)
    lake.train(3, "m3")
    assert lake.promote(4) == 0
    assert lake.in_force(4) == ("promoted", "m3", GATE)


def test_a_person_may_promote_what_the_gate_held(lake):
    lake.days(2)
    lake.judged(3, better=False)
    lake.promote(3)
    assert lake.in_force(3) == ("held", "m1", GATE)
    assert lake.by_hand(3, "promote", "m2") == 0
    assert lake.in_force(3) == ("promoted", "m2", "ann")
    assert lake.promote(4) == 0
    assert lake.in_force(4) == ("promoted", "m2", GATE)


def test_a_hold_follows_what_was_promoted_before_and_a_day_can_be_given_back(lake):
    lake.days(3)
    lake.by_hand(3, "hold")
    assert lake.in_force(3) == ("held", "m1", "ann")
    lake.by_hand(2, "rollback", "m0")
    assert lake.promote(3) == 0
    assert lake.in_force(3) == ("held", "m0", "ann")
    assert len(lake.decided(3)) == 2
    lake.judged(3)
    assert lake.promote(3, "--decision", "gate") == 0
    assert lake.in_force(3) == ("promoted", "m2", GATE)
    assert [one.decided_by for one in lake.decided(3)] == [GATE, "ann", GATE]
    before = lake.files()
    assert lake.promote(3) == 0
    assert lake.files() == before
    lake.judged(3, better=False)
    assert lake.promote(3) == 0
    assert [one.decision for one in lake.decided(3)] == ["promoted", "held", "held"]


def test_numbers_against_another_model_than_the_one_to_beat_decide_nothing(lake, capsys):
    lake.days(4)
    lake.by_hand(3, "rollback", "m0")
    before = lake.decided(4)
    assert lake.promote(4) == 2
    said = capsys.readouterr().err
    assert "metrics/dt=2026-01-04 compare with model m2, and m0 is promoted before that day" in said
    assert lake.decided(4) == before
    lake.judged(4)
    assert lake.promote(4) == 0
    assert lake.in_force(4) == ("promoted", "m3", GATE)


def test_the_gate_keeps_one_line_a_day_when_its_numbers_change(lake):
    lake.days(3)
    lake.judged(3, better=False)
    assert lake.promote(3, "--when", "2026-01-04T00:05Z") == 0
    (only,) = lake.decided(3)
    assert (only.decision, only.when) == ("held", "2026-01-04 00:05 UTC")


def test_the_history_is_there_to_be_read_beside_the_models_and_on_request(lake, capsys):
    lake.days(2)
    lake.by_hand(2, "rollback", "m0")
    written = (lake.lake.models / "HISTORY.txt").read_text(encoding="utf-8")
    assert written == HISTORY
    capsys.readouterr()
    assert lake.promote(2, "--history") == 0
    assert capsys.readouterr().out == HISTORY
    assert lake.promote(1, "--history") == 0
    assert capsys.readouterr().out.count("\n") == 2
    (lake.lake.partition("promotions", day_of(1)).path / "_manifest.json").write_text("{")
    assert lake.promote(2, "--history") == 0
    assert "2026-01-01  ?" in capsys.readouterr().out


def test_a_lake_without_decisions_has_a_history_that_says_so(lake, capsys):
    assert lake.promote(1, "--history") == 0
    assert "holds no promotions yet" in capsys.readouterr().out


def test_days_that_are_decided_already_are_named(lake, capsys):
    lake.days(4)
    assert lake.by_hand(2, "rollback", "m0") == 0
    said = "later days, up to 2026-01-04, are decided already and do not follow by themselves"
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("rollback", "m2"), "model m2 is the promoted one already; to keep it, --decision hold"),
        (("rollback", "none"), "model version 'none' is not in"),
        (("promote", "m3"), "model m3 was trained on 2026-01-03, so it has seen 2026-01-03; a "
         "model may be promoted from the day after its own: --date 2026-01-04"),
        (("rollback", "m9"), "model m9 was not promoted on any day before 2026-01-03, so nothing "
         "can be rolled back to it; the last that were: m1, m0. To promote another"),
        (("promote", ""), "--model is needed with --decision promote and rollback"),
        (("hold", "m1"), "--model is needed with --decision promote and rollback, and has no"),
        (("hold", "", "--who", " "), "--who ' ' must be printable text of 1 to 80 characters"),
        (("hold", "", "--why", "a\nb"), "--why 'a\\nb' must be printable text of 1 to 500"),
        (("hold", "", "--who", GATE), "--who 'the gate' is what decides where nobody does"),
        (("gate", ""), "--who belongs to a decision by hand"),
    ],
)  # fmt: skip
def test_a_decision_that_cannot_be_is_refused_and_nothing_is_published(lake, capsys, flags, words):
    lake.days(3)
    lake.train(2, "m9")
    before = lake.files()
    assert lake.by_hand(3, *flags) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert lake.files() == before


def test_on_the_first_day_there_is_nothing_to_hold_on_to(lake, capsys):
    assert lake.by_hand(1, "hold") == 2
    assert "no model was promoted before that day" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        lake.by_hand(1, "hold", "", "--when", "2026-01-31 09:30")
    assert "is no time with its zone; write it as 2026-01-31T09:30Z" in capsys.readouterr().err
