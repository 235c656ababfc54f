"""Several teachers on one scoring, by a scorer made by hand: no model and no Spark."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.audit import audit_file
from jobs.errors import Refused
from jobs.item_vectors import ItemVectors
from jobs.labeller import Labeller
from jobs.parquet_file import write_parquet
from jobs.scorer import Scores, spans
from model.config import RULES, PolicyConfig, TeacherConfig
from model.lookup import Lookup
from schemas.label_tables import RELAXED, teacher_labels, unlabelled
from schemas.table import Fields

FIELDS = Fields(item=("kind",), category="kind", category_separator="|")
TOP = TeacherConfig(k=3, diversity_weight=0.0)
DECAY = TeacherConfig(name="category_decay", k=2, decay=0.1)
SETS = pa.RecordBatch.from_pydict(
    {
        "request_id": ["r1", "r2", "r3"],
        "item_id": [[1, 2, 3, 4], [5, 1], [2]],
        "kind": [["a", "a", "a|b", ""], ["c", "a"], ["a"]],
    }
)
F = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], np.float32)


class Fixed:
    """A scorer that gives F, and u of ones, and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, sets: pa.RecordBatch) -> Scores:
        self.calls += 1
        return Scores(F, np.ones((sets.num_rows, 2), np.float32))


def labeller(*teachers: TeacherConfig, score=None, **policy: object) -> Labeller:
    e = np.eye(5, 2, dtype=np.float32)
    vectors = ItemVectors(Lookup(pa.array(range(1, 6))), e)
    rules = PolicyConfig(**policy)
    return Labeller(FIELDS, teachers, rules, "m1", score or Fixed(), vectors)


def orders(labels: pa.RecordBatch) -> dict[str, list]:
    return {row["request_id"]: row["pick_order"] for row in labels.to_pylist()}


def test_each_teacher_labels_what_was_scored_once():
    score = Fixed()
    top, decay = labeller(TOP, DECAY, score=score).label(SETS)
    assert score.calls == 1
    assert orders(top.labels) == {"r1": [1, 2, 3, None], "r2": [1, 2], "r3": [1]}
    assert orders(decay.labels) == {"r1": [1, None, None, 2], "r2": [1, 2], "r3": [1]}
    assert [row["k"] for row in top.labels.to_pylist()] == [3, 2, 1]
    assert top.unlabelled.num_rows == decay.unlabelled.num_rows == 0
    for made, teacher in ((top, TOP), (decay, DECAY)):
        assert labeller(teacher).label(SETS)[0] == made


def test_what_a_labeller_makes_are_rows_of_the_tables(tmp_path):
    made = labeller(TOP, quotas={"c": 1}).label(SETS)[0]
    for table, rows in (
        (teacher_labels(FIELDS), made.labels), (unlabelled(FIELDS), made.unlabelled)
    ):  # fmt: skip
        path = tmp_path / f"{table.name}.parquet"
        write_parquet(path, table, [rows])
        assert audit_file(path, table, table.name).digest.rows == rows.num_rows
    assert made.unlabelled.to_pylist() == [
        {
            "request_id": name,
            "reason": "a quota of 1 of category 'c' cannot be kept with 0 such items and "
            f"{places} places",
        }
        for name, places in (("r1", 3), ("r3", 1))
    ]
    assert orders(made.labels) == {"r2": [1, 2]}


def test_a_list_may_be_shorter_than_k_and_what_gave_way_is_counted():
    made = labeller(TOP, max_per_category=1).label(SETS)[0]
    assert orders(made.labels) == {"r1": [1, None, None, 2], "r2": [1, 2], "r3": [1]}
    assert [row["k"] for row in made.labels.to_pylist()] == [2, 2, 1]
    made = labeller(TOP, max_per_category=1, blocked=(2,), relax=("max_per_category", "blocked"))
    rows = made.label(SETS)[0].labels.to_pylist()
    assert [row["pick_order"] for row in rows] == [[1, None, 3, 2], [1, 2], [1]]
    counts = [
        [row[name] for name in ("relaxed", "relaxed_blocked", "relaxed_max_per_category")]
        for row in rows
    ]
    assert counts == [[1, 0, 1], [0, 0, 0], [1, 1, 0]]


def test_a_request_that_only_one_teacher_can_label_is_lost_to_the_other_alone():
    made = labeller(TOP, replace(TOP, k=2), quotas={"a": 3}, relax=()).label(SETS)
    assert [list(orders(one.labels)) for one in made] == [["r1"], []]
    assert [one.unlabelled["request_id"].to_pylist() for one in made] == [
        ["r2", "r3"], ["r1", "r2", "r3"]
    ]  # fmt: skip


def test_every_rule_of_a_profile_has_its_column():
    assert tuple(RELAXED) == RULES


def test_an_item_without_a_vector_is_named():
    sets = pa.RecordBatch.from_pydict(SETS.to_pydict() | {"item_id": [[1, 2, 3, 4], [6, 1], [2]]})
    with pytest.raises(Refused, match="item 6 is a candidate and has no vector"):
        labeller(TOP).label(sets)


@given(st.lists(st.integers(1, 40), min_size=1), st.integers(1, 100))
def test_runs_cover_all_rows_and_hold_no_more_than_asked_but_for_a_single_row(counts, most):
    found = list(spans(np.array(counts), most))
    assert [row for start, end in found for row in range(start, end)] == list(range(len(counts)))
    for start, end in found:
        assert end - start == 1 or max(counts[start:end]) * (end - start) <= most
        if end < len(counts):
            assert max(counts[start : end + 1]) * (end + 1 - start) > most


@pytest.mark.parametrize(
    ("f", "u", "request_id"), [(np.nan, 1.0, "r2"), (np.inf, 1.0, "r2"), (0.5, -np.inf, "r1")]
)
def test_scores_that_are_not_finite_are_refused_by_the_request(f, u, request_id):
    scores = Scores(F.copy(), np.ones((3, 2), np.float32))
    scores.f[4], scores.u[0, 1] = f, u
    with pytest.raises(Refused, match=f"model m1 gives request '{request_id}' an f or u that is"):
        labeller(TOP, score=lambda sets: scores).label(SETS)
