"""What is stale, because of what, and what brings it up to date."""

import pytest
from traced_lake import TracedLake, day_of

from jobs import status
from jobs.lineage import State, told
from jobs.manifest import FILE_NAME, Manifest


@pytest.fixture
def lake(tmp_path) -> TracedLake:
    return TracedLake(tmp_path)


def stale(lake: TracedLake) -> dict[str, str]:
    """Everything that is not as it was, in words."""
    states = lake.lineage().states
    return {name: str(state) for name, state in states.items() if str(state) != "nothing"}


def tables(lake: TracedLake, number: int) -> set[str]:
    """The tables of a day that are stale."""
    found = lake.lineage().stale
    return {one.table for one in found if one.day == day_of(number)}


AFTER_SETS = {
    "rankings", "metrics", "promotions", "unlabelled", "teacher_labels", "examples", "models",
    "validations",
}  # fmt: skip


def test_of_a_lake_as_the_line_leaves_it_nothing_is_stale(lake):
    assert len(lake.lineage().states) == len(list(lake.root.rglob(FILE_NAME)))
    assert stale(lake) == {}


def test_logs_made_again_make_their_day_and_all_later_ones_stale_because_of_them(lake):
    logs = lake.name("request_logs", 2)
    lake.again(logs)
    assert tables(lake, 1) == set()
    assert tables(lake, 2) == AFTER_SETS | {"candidate_sets"}
    assert tables(lake, 3) == AFTER_SETS
    found = stale(lake)
    own = {lake.name("candidate_sets", 2), lake.name("validations", 2, "of=request_logs")}
    assert {name for name, why in found.items() if why == f"{logs} was made again"} == own
    assert {found[name] for name in found.keys() - own} == {f"stale: {logs} was made again"}
    assert lake.name("validations", 3, "of=candidate_sets") not in found


def test_a_first_day_is_stale_through_its_base_dcn(lake):
    logs = lake.name("request_logs", 1)
    lake.again(logs)
    found = stale(lake)
    assert found[f"models/bootstrap/dt={day_of(1)}"] == f"stale: {logs} was made again"
    assert found[lake.name("promotions", 1)] == f"stale: {logs} was made again"


def test_lists_of_a_promoted_model_are_stale_with_the_decision_that_promoted_it(tmp_path):
    lake = TracedLake(tmp_path, days=2)
    rankings = lake.name("rankings", 3)
    lake.put(rankings, {"promoted": "m1"}, "score")
    assert stale(lake) == {}
    metrics = lake.name("metrics", 2)
    lake.again(metrics)
    assert stale(lake)[rankings] == f"stale: {metrics} was made again"


def test_candidates_that_come_out_the_same_end_it_there(lake):
    logs, sets = lake.name("request_logs", 2), lake.name("candidate_sets", 2)
    lake.again(logs)
    lake.put(sets, lake.live(logs), "build_candidates")
    lake.validate("request_logs", 2)
    assert stale(lake) == {}


def test_what_is_gone_or_damaged_is_a_cause_too(lake):
    labels = lake.name("teacher_labels", 2, lake.key("m1"))
    (lake.root / labels / FILE_NAME).unlink()
    found = stale(lake)
    assert found[lake.name("examples", 2, lake.key("m1"))] == f"{labels} is gone"
    assert found[lake.name("models", 2)] == f"stale: {labels} is gone"
    (lake.root / labels / FILE_NAME).write_text("{")
    found = stale(lake)
    assert found[lake.name("examples", 2, lake.key("m1"))] == f"{labels} is damaged"
    assert " is damaged (" in found[labels]


def test_another_model_is_a_cause_and_is_told_with_the_table_that_it_changes(lake):
    lake.put(lake.name("models", 2), Manifest.read(lake.root / lake.name("models", 2)).inputs,
             "train", "m9")  # fmt: skip
    found = stale(lake)
    rankings = lake.name("rankings", 3)
    assert found[rankings] == "candidate is m9 now"
    assert found[lake.name("promotions", 3)] == "candidate is m9 now"
    assert found[lake.name("metrics", 3)] == f"stale: {rankings}: candidate is m9 now"


def test_a_decision_by_hand_makes_the_labels_of_its_day_stale(lake):
    lake.decide(3, "m2", "m1")
    found = stale(lake)
    labels = lake.name("teacher_labels", 3, lake.key("m2"))
    assert found[labels] == "model is m1 now"
    assert found[lake.name("models", 3)].startswith(f"stale: {labels}: model is m1 now")
    assert lake.name("rankings", 3) not in found


def test_labels_of_a_model_that_is_not_promoted_any_more_are_superseded_step_by_step(lake):
    lake.decide(3, "m2", "m1")
    lake.label(3, "m1")
    old = {table: lake.name(table, 3, lake.key("m2")) for table in ("teacher_labels", "examples")}
    found = stale(lake)
    assert found[old["teacher_labels"]] == "superseded: model m1 is promoted on this day now"
    assert found[old["examples"]] == (
        f"{old['teacher_labels']} is superseded; "
        f"{lake.name('unlabelled', 3, lake.key('m2'))} is superseded; "
        "the day's labels are of model m1 now"
    )
    assert found[lake.name("models", 3)].startswith("stale: ")
    of_labels = lake.name("validations", 3, "of=teacher_labels")
    assert found[of_labels] == f"{lake.name('teacher_labels', 3, lake.key('m1'))} is there now"
    lake.learn(3, "m1", "m8")
    for table in ("teacher_labels", "examples"):
        lake.validate(table, 3)
    found = stale(lake)
    assert set(found) == {*old.values(), lake.name("unlabelled", 3, lake.key("m2"))}
    assert all(why.startswith("superseded: ") for why in found.values())
    assert lake.lineage().stale == []


def test_a_day_that_arrives_late_belongs_to_the_windows_of_later_days(tmp_path):
    lake = TracedLake(tmp_path, days=4)
    sets = lake.name("candidate_sets", 2)
    examples = lake.name("examples", 3, lake.key("m2"))
    known = Manifest.read(lake.root / examples).inputs
    lake.put(examples, {n: d for n, d in known.items() if "dt=2026-01-02" not in n},
             "build_examples")  # fmt: skip
    found = stale(lake)
    assert found == {examples: f"{sets} is there now"} | {
        name: f"stale: {sets} is there now" for name in found.keys() - {examples}
    }
    assert lake.name("models", 3) in found
    assert lake.name("rankings", 4) in found


def test_vectors_that_come_after_the_metrics_are_told(lake):
    name, metrics = lake.name("reference_items", 3), lake.name("metrics", 3)
    known = Manifest.read(lake.root / metrics).inputs
    lake.put(metrics, {n: d for n, d in known.items() if n != name}, "evaluate")
    assert stale(lake)[metrics] == f"{name} is there now"


def test_other_code_is_told_and_makes_nothing_stale(lake, monkeypatch):
    monkeypatch.setattr("jobs.lineage.code_version", lambda: "another")
    assert set(stale(lake).values()) == {"the code"}
    assert lake.lineage().stale == []


def test_causes_are_named_up_to_a_number(lake):
    for table in ("teacher_labels", "unlabelled"):
        for number in (2, 3):
            lake.again(lake.name(table, number, lake.key(f"m{number - 1}")))
    model = lake.lineage().states[lake.name("models", 3)]
    assert len(model.inherited) == 4
    assert str(model).endswith(" and more")
    assert told(("a", "b", "c")) == "a; b; c"


def test_an_unreadable_promotion_is_a_reason_of_its_own(lake):
    partition = lake.lake.partition("promotions", day_of(3))
    (partition.folder() / "part-0.parquet").unlink()
    found = stale(lake)
    assert "cannot be read" in found[partition.name]
    assert found[lake.name("teacher_labels", 3, lake.key("m2"))] == "model is none now"


# --- raw files


def test_raw_files_are_no_tables_whatever_they_are_called(lake):
    assert lake.name("request_logs", 1) not in stale(lake)
    made = status.made_from(Manifest.read(lake.root / lake.name("request_logs", 1)))
    assert made == "items[0] 22222222, logs 11111111"


def test_a_raw_file_delivered_again_makes_stale_what_came_of_it(lake):
    logs = lake.name("request_logs", 2)
    states = lake.lineage({logs: ["raw file raw/a.csv was delivered again"]}).states
    assert str(states[logs]) == "raw file raw/a.csv was delivered again"
    sets = states[lake.name("candidate_sets", 2)]
    assert str(sets) == "stale: raw file raw/a.csv was delivered again"


def test_a_state_says_the_least_that_is_needed():
    assert str(State()) == "nothing"
    assert (
        str(State(own=("a is gone",), inherited=("b",), other_code=True)) == "a is gone; the code"
    )
    assert not State(own=("a",), superseded="b").is_stale
