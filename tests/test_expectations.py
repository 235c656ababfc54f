"""Every table has a suite, and each kind of fault breaks exactly the expectation that names it."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from planted_lake import (
    DAY,
    GOOD,
    LOGS,
    PROFILE,
    arrow,
    candidate_set,
    failed,
    part,
    plant,
    plant_rows,
    results,
    run,
    toy_lake,
)

from jobs import validate
from jobs.lake import Lake
from jobs.profile.load import load_profile
from jobs.table_rules import suite_of
from schemas.table import Table

NAN = float("nan")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return toy_lake(tmp_path)


@pytest.mark.parametrize("name", validate.READS)
def test_every_table_has_a_suite_that_names_each_column(name, lake, tmp_path):
    table: Table = lake.tables[name]
    suite = suite_of(table, load_profile(str(tmp_path / "toy.toml")), DAY)
    asked = [(e.meta["column"], e.meta["expected"]) for e in suite.expectations]
    assert (("", "at least one row") in asked) == (name not in ("quarantine", "unlabelled"))
    assert len(asked) == len(set(asked)), "two expectations could not be told apart"
    assert {column for column, _ in asked} >= set(table.names)


@pytest.mark.parametrize("limit", [2, 3])
def test_lists_of_one_shape_share_their_view(limit, tmp_path):
    text = PROFILE.replace("max_candidates = 3", f"max_candidates = {limit}")
    table = toy_lake(tmp_path, text).tables["examples"]
    suite = suite_of(table, load_profile(str(tmp_path / "toy.toml")), DAY)
    views = {e.meta["view"] for e in suite.expectations if e.meta["column"] == "label"}
    # There are two user tokens: with two candidates those lists are as long as all the others.
    assert views == {"types", "rows", "user_tokens" if limit == 2 else "exposed"}


@pytest.mark.parametrize("name", validate.READS)
def test_a_good_partition_passes(name, lake, capsys):
    plant_rows(lake, name, GOOD[name])
    assert run(lake, name) == 0
    assert failed(lake, name) == []
    assert {row["table"] for row in results(lake, name)} == {name}
    assert f"expectations hold on {len(GOOD[name])} rows of {name}" in capsys.readouterr().out


# --- the faults of a partition: how they are put in, the one expectation that each breaks, and
# how it is told. Faults in one partition are those that do not hide each other.


def put(row: int, column: str, value: object, place: int | None = None) -> Callable:
    def change(rows: list[dict]) -> None:
        if place is None:
            rows[row][column] = value
        else:
            rows[row][column][place] = value

    return change


def again(row: int) -> Callable:
    return lambda rows: rows.append(copy.deepcopy(rows[row]))


def show_nothing(rows: list[dict]) -> None:
    for row in rows:
        row |= {"exposed": 0, "label": None, "shown_rank": None}


def share_above_1(rows: list[dict]) -> None:
    rows[0] |= {"value": 1.2, "high": 1.3}


Fault = tuple[Callable, str, str, str]
NULL, NUMBERS, ONCE = "no null", "finite numbers", "each once a list"
TODAY = "from 2026-01-31 00:00 until 2026-02-01 00:00 UTC"
YESTERDAY = datetime(2026, 1, 30, 23, 59, 59, 999_999, UTC)
TOMORROW = datetime(2026, 2, 1, tzinfo=UTC)
# fmt: off
LOG_VALUES: list[Fault] = [
    (put(0, "user_id", None), "user_id", NULL, "null at request_id 'r1', item_id 'a'"),
    (put(0, "query", None), "query", NULL, "null at request_id 'r1', item_id 'a'"),
    (put(1, "ts", None), "ts", NULL, "null at request_id 'r1', item_id 'b'"),
    (put(1, "score", NAN), "score", NUMBERS, "nan at request_id 'r1', item_id 'b'"),
    (put(4, "score", -float("inf")), "score", NUMBERS, "-inf at request_id 'r2', item_id 'c'"),
    (put(3, "score", None), "score", NULL, "1 of 5 not so: null at request_id 'r2', item_id 'a'"),
    (put(0, "derived", 2), "derived", "0 or 1", "2 at request_id"),
    (put(0, "shown_rank", 0), "shown_rank", "values from 1", "0 at request_id"),
    (put(4, "shown_rank", 3), "shown_rank", "null where exposed is 0",
     "shown_rank 3, exposed 0 at request_id 'r2', item_id 'c'"),
    (put(2, "label", 0), "label", "null where exposed is 0",
     "1 of 2 not so: label 0, exposed 0 at request_id 'r1', item_id 'é'"),
    (put(0, "label", None), "label", "no null where exposed is 1", "label null, exposed 1"),
]
LOG_ROWS: list[Fault] = [
    (put(0, "ts", YESTERDAY), "ts", TODAY, "2 of 6 not so"),
    (put(3, "ts", TOMORROW), "ts", TODAY, "2, 1, 0, 0"),
    (again(4), "request_id, item_id", "each once: a row is one candidate of one request",
     "2 of 6 not so: request_id 'r2', item_id 'c'; request_id 'r2', item_id 'c'"),
]
SET_VALUES: list[Fault] = [
    (put(0, "category", None, 1), "category", NULL, "null at request_id 'r1', item_id 'b'"),
    (put(0, "score", 3.0, 1), "score", "score down, then item_id up",
     "1 of 5 not so: request_id 'r1', item_id 'b'"),
    (put(1, "score", NAN, 0), "score", NUMBERS, "nan at request_id 'r2', item_id 'a'"),
    (put(1, "item_id", "a", 1), "item_id", ONCE, "2 of 5 not so: request_id 'r2', item_id 'a'"),
    (put(1, "label", 1, 1), "label", "null where exposed is 0", "label 1, exposed 0"),
    (put(1, "ts", TOMORROW), "ts", TODAY, "at request_id 'r2'"),
]
SET_LENGTHS: list[Fault] = [
    (put(0, "derived", None), "derived", "a list in every row", "null at request_id 'r1'"),
    (put(1, "label", [1]), "label", "as many values as item_id",
     "length_of_label 1, length_of_item_id 2 at request_id 'r2'"),
    (put(0, "n_candidates", 4), "n_candidates", "the length of the lists",
     "n_candidates 4, length_of_item_id 3 at request_id 'r1'"),
]
TIE: Fault = (put(0, "item_id", "A", 2), "score", "score down, then item_id up", "item_id 'A'")
TRUTH: list[Fault] = [
    (put(0, "item_id", "a", 1), "item_id", ONCE, "2 of 2 not so: request_id 'r1', item_id 'a'"),
    (put(0, "propensity", NAN, 1), "propensity", "finite numbers from 0 to 1", "nan at"),
    (put(0, "p", 1.5, 0), "p", "finite numbers from 0 to 1", "1 of 2 not so: 1.5 at"),
    (put(0, "examination", -0.5, 2), "examination", "finite numbers from 0 to 1",
     "1 of 3 not so: -0.5 at request_id 'r1', place 2"),
]
LABELS: list[Fault] = [
    (put(0, "k", 3), "k", "as many as there are winners",
     "k 3, wins 2 at request_id 'r1', teacher_id mmr-1"),
    (put(0, "pick_order", None, 0), "pick_order", "no null where win is 1",
     "pick_order null, win 1 at request_id 'r1', item_id 'a'"),
    (put(0, "pick_order", 4, 2), "pick_order", "up to k", "k 3, pick_order 4"),
    (put(0, "gain", 0.1, 1), "gain", "null where win is 0", "gain 0.1, win 0"),
    (put(1, "pick_order", 1, 1), "pick_order", ONCE,
     "2 of 5 not so: 1 at request_id 'r2', item_id 'a'"),
    (put(1, "relaxed", 4), "relaxed", "as many as the rules have in all",
     "relaxed 4, relaxations 3 at request_id 'r2'"),
    (put(0, "u", NAN, 3), "u", NUMBERS, "nan at request_id 'r1', place 3"),
]
EXAMPLES: list[Fault] = [
    (put(0, "dense", [0.0, 0.0]), "dense", "3 values a row",
     "2 at request_dt 20484, request_id 'r1'"),
    (put(1, "item_tokens", 4, 3), "item_tokens", "0 in padding", "'r2', candidate 1"),
    (put(1, "win", 1, 2), "win", "0 in padding",
     "1 of 2 not so: 1.0 at request_dt 20484, request_id 'r2', place 2"),
    (put(1, "shown_rank", 1, 2), "shown_rank", "0 in padding",
     "1 of 2 not so: 1 at request_dt 20484, request_id 'r2', place 2"),
    (put(0, "exposed", 0, 1), "label", "0 where nothing may be learned", "exposed 0.0, label 1.0"),
    (put(0, "n_candidates", 4), "n_candidates", "values from 1 to 3", "4 at"),
]
RANKINGS: list[Fault] = [
    (put(4, "rank", 4), "rank", "1, 2, ... in each list, no gap",
     "1 of 5 not so: request_id 'r1', method 'cdm', model_version 'm1', rank 4"),
    (put(1, "rank", 1), "request_id, method, model_version, rank",
     "each once: a row is one ranked item of one request under one method", "2 of 5 not so"),
    (put(1, "item_id", "a"), "item_id", ONCE,
     "2 of 5 not so: 'a' at request_id 'r1', method 'dcn'"),
    (put(0, "win_probability", NAN), "win_probability", "finite numbers from 0 to 1", "nan at"),
]
METRICS: list[Fault] = [
    (share_above_1, "value", "from 0 to 1 for recall, mrr, ndcg, category_coverage",
     "1 of 2 not so: 1.2 at model_version 'm1', method 'cdm', baseline '', metric 'recall', k 2"),
    (put(2, "low", 9.0), "high", "not below low", "high 7.6, low 9.0 at"),
]
# fmt: on
FAULTY: dict[str, tuple[str, list[Fault]]] = {
    "values of logs": ("request_logs", LOG_VALUES),
    "rows of logs": ("request_logs", LOG_ROWS),
    "nothing shown": ("request_logs", [(show_nothing, "exposed", "a share above 0", "0.0")]),
    "values of sets": ("candidate_sets", SET_VALUES),
    "lengths in sets": ("candidate_sets", SET_LENGTHS),
    "falling id in a tie": ("candidate_sets", [TIE]),
    "truth": ("truth_requests", TRUTH),
    "labels": ("teacher_labels", LABELS),
    "examples": ("examples", EXAMPLES),
    "rankings": ("rankings", RANKINGS),
    "list that starts at 2": (
        "rankings",
        [(lambda rows: rows.pop(0), "rank", "1, 2, ... in each list, no gap", "'dcn'")],
    ),
    "metrics": ("metrics", METRICS),
    "decision": (
        "promotions",
        [(put(0, "decision", "maybe"), "decision", "promoted, held or rolled back", "'maybe'")],
    ),
    "item twice": (
        "reference_items",
        [(again(0), "item_id", "each once: a row is one item", "2 of 3 not so: item_id 'a'")],
    ),
}


@pytest.mark.parametrize(("name", "faults"), FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_breaks_exactly_its_expectation(name, faults, lake):
    rows = copy.deepcopy(GOOD[name])
    for change, *_ in faults:
        change(rows)
    plant_rows(lake, name, rows)
    assert run(lake, name) == 2
    assert {*failed(lake, name)} == {(column, expected) for _, column, expected, _ in faults}
    found = {(row["column"], row["expectation"]): row["observed"] for row in results(lake, name)}
    for _, column, expected, told in faults:
        assert told in found[column, expected]


@pytest.mark.parametrize("name", validate.READS)
def test_an_empty_partition_fails_unless_it_says_that_there_was_nothing(name, lake):
    plant_rows(lake, name, [])
    may_be_empty = name in ("quarantine", "unlabelled")
    assert run(lake, name) == (0 if may_be_empty else 2)
    assert failed(lake, name) == ([] if may_be_empty else [("", "at least one row")])


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("request_logs", "request_id", "string"),
        ("candidate_sets", "item_id", "list of string"),
        ("reference_items", "item_id", "string"),
    ],
)
def test_a_missing_column_fails_once_and_names_the_file(name, column, kind, lake, capsys):
    good = arrow(lake.tables[name], GOOD[name])
    plant(part(lake, name), good, good.slice(0, 0).drop_columns([column]))
    assert run(lake, name) == 2
    assert failed(lake, name) == [(column, f"a column of type {kind}")]
    assert "1 of 2 not so: 'missing' at file 'part-1.parquet'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["request_logs", "candidate_sets"])
def test_a_wrong_type_fails_once_and_names_it(name, lake, capsys):
    good = arrow(lake.tables[name], GOOD[name])
    place = good.column_names.index("score")
    words = pa.string() if name == "request_logs" else pa.list_(pa.string())
    plant(part(lake, name), good.set_column(place, "score", pa.nulls(good.num_rows, words)))
    assert run(lake, name) == 2
    wanted = "float64" if name == "request_logs" else "list of float64"
    assert failed(lake, name) == [("score", f"a column of type {wanted}")]
    assert "string' at file 'part-0.parquet'" in capsys.readouterr().err


def test_no_column_at_all(lake):
    plant(part(lake, "promotions"), pa.table({"other": [1]}))
    assert run(lake, "promotions") == 2
    assert [column for column, _ in failed(lake, "promotions")] == [
        *lake.tables["promotions"].names
    ]


@pytest.mark.parametrize("cells", [1, 10**6])
def test_chunks_change_nothing(cells, lake, monkeypatch):
    monkeypatch.setattr("jobs.stored_rows.CELLS_AT_ONCE", cells)
    rows = [candidate_set("r1") | {"request_id": f"r{n}"} for n in range(5)]
    rows[1] = copy.deepcopy(rows[1]) | {"n_candidates": 9}
    rows[4] = copy.deepcopy(rows[4])
    rows[4]["score"][0] = NAN
    good = arrow(lake.tables["candidate_sets"], [*rows, rows[2]])
    plant(part(lake, "candidate_sets"), good.slice(0, 4), good.slice(4, 0), good.slice(4))
    assert run(lake, "candidate_sets") == 2
    bad = {r["column"]: r for r in results(lake, "candidate_sets") if r["success"] == 0}
    assert {column: (row["unexpected"], row["rows"]) for column, row in bad.items()} == {
        "request_id": (2, 6),
        "n_candidates": (1, 6),
        "score": (1, 18),
    }
    assert "request_id 'r4', item_id 'a'" in bad["score"]["observed"]


def test_integers_beyond_a_float_are_told_apart(tmp_path):
    lake = toy_lake(tmp_path, PROFILE.replace('item_id = "string"', 'item_id = "int64"'))
    rows = [copy.deepcopy(LOGS[0]) | {"item_id": 2**53 + n} for n in range(3)]
    rows[0]["shown_rank"] = None
    plant_rows(lake, "request_logs", rows)
    assert run(lake, "request_logs") == 0
