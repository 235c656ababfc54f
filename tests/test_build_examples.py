"""Two requests made by hand in, exact training rows out; splits, cuts and missing days."""

import shutil
import zlib
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World

from jobs.build_examples import TRAINING, VALIDATION, VOCABULARY
from jobs.cli import REFUSED
from jobs.table_views import BY_RULE
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema

DAY = date(2026, 1, 31)
PROFILE = """
name = "hand-made"
k = [2]
unexposed_as_negative = {unexposed_as_negative}
[fields]
item = ["category"]
context = ["query"]
dense = ["score", "price"]
category = "category"
[teacher]
k = 2
[training]
max_candidates = 3
min_count = 2
validation_share = 0.5
[promotion]
k = 2
"""
# Half of the users are held out: the lower half by the checksum of their id.
LEARNER, HELD_OUT = (
    next(user for user in range(1, 100) if (zlib.crc32(b"%d" % user) % 10_000 < 5000) == held_out)
    for held_out in (False, True)
)
COLUMNS = ("item_id", "category", "price", "score", "exposed", "label", "win", "shown_rank")
REQUESTS = {
    # Exposed: 11 once more than the other request's one, 12 once; the last two are cut.
    "r1": {
        "user_id": LEARNER,
        "query": "q1",
        "candidates": [
            (11, "c", 1.0, 4.0, 1, 1, 1, 3),
            (12, "d", 1.0, 3.0, 1, 0, 0, None),
            (13, "c", 3.0, 2.0, 0, None, 0, None),
            (14, "d", 3.0, 1.0, 0, None, 1, None),
            (15, "c", 2.0, 0.0, 1, 1, 0, 1),
        ],
    },
    "r2": {
        "user_id": HELD_OUT,
        "query": "q2",
        "candidates": [
            (11, "c", 2.0, 2.0, 1, 0, 1, 2),
            (16, "e", 2.0, 2.0, 0, None, 1, None),
        ],
    },
}


def hand_made(folder: Path, unexposed_as_negative: str = "false") -> World:
    """A lake with the requests as candidate sets and labels, and the model that labelled them."""
    path = folder / "hand-made.toml"
    path.write_text(PROFILE.format(unexposed_as_negative=unexposed_as_negative))
    world = World(folder / "lake", path)
    sets, labels = [], []
    for name, request_row in REQUESTS.items():
        lists = dict(zip(COLUMNS, zip(*request_row["candidates"], strict=True), strict=True))
        win, n = lists.pop("win"), len(lists["item_id"])
        heads = {key: request_row[key] for key in ("user_id", "query")}
        sets.append(
            {"request_id": name, "ts": datetime(2026, 1, 31, 12, tzinfo=UTC), "n_candidates": n}
            | heads
            | lists
            | {"missed_positives": 0, "derived": [0] * n}
        )
        labels.append(
            {"request_id": name, "model_version": "m1", "k": 2, "u": [0.0], "win": win}
            | {"item_id": lists["item_id"], "f": [0.5] * n}
            | {key: [None] * n for key in ("pick_order", "gain")}
            | dict.fromkeys(("relaxed", *BY_RULE), 0)
        )
    decision = {"candidate_version": "m1", "previous_version": "", "promoted_version": "m1"}
    decision |= {"number": 1, "decision": "promoted", "reason": "", "decided_by": "ann"}
    put(world, "promotions", [decision])
    put(world, "candidate_sets", sets)
    put(world, "teacher_labels", labels)
    put(world, "unlabelled", [])
    return world


@pytest.fixture(scope="module")
def built(spark, tmp_path_factory) -> World:
    world = hand_made(tmp_path_factory.mktemp("built"))
    assert world.run("build_examples", DAY) == 0
    return world


def put(world: World, table: str, rows: list[dict]) -> None:
    partition = world.partition(table, DAY)
    world.publish(partition, pa.Table.from_pylist(rows, arrow_schema(partition.table)))


def by_request(world: World) -> dict[str, dict]:
    return {row["request_id"]: row for row in world.rows("examples", DAY)}


def standard(values: list[float], of: list[float]) -> list[float]:
    """In float64 and then in single precision, as the mean and deviation are kept to 6 digits."""
    mean, deviation = (float(f"{x:.6g}") for x in (np.mean(of), np.std(of)))
    return [float(np.float32((value - mean) / deviation)) for value in values]


def test_two_requests_become_two_exact_rows(built):
    score = [4.0, 3.0, 2.0, 1.0, 0.0, 2.0, 2.0]
    price = [1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 2.0]
    s, p = standard([4.0, 3.0, 2.0], score), standard([1.0, 1.0, 3.0], price)
    assert by_request(built) == {
        "r1": {
            "request_id": "r1",
            "request_dt": (DAY - date(1970, 1, 1)).days,
            "is_validation": 0,
            "n_candidates": 3,
            # Known: the learner and q1 (three exposures), item 11 and category c; q2 is not.
            "user_tokens": [2, 2],
            "item_tokens": [2, 2, 1, 1, 1, 2],
            "dense": [s[0], p[0], s[1], p[1], s[2], p[2]],
            "exposed": [1, 1, 0],
            "label": [1, 0, 0],
            "win": [1, 0, 0],
            "shown_rank": [3, 0, 0],
        },
        "r2": {
            "request_id": "r2",
            "request_dt": (DAY - date(1970, 1, 1)).days,
            "is_validation": 1,
            "n_candidates": 2,
            "user_tokens": [1, 1],
            "item_tokens": [2, 2, 1, 1, 0, 0],
            "dense": [*(standard([2.0], score) + standard([2.0], price)) * 2, 0, 0],
            "exposed": [1, 0, 0],
            "label": [0, 0, 0],
            "win": [1, 1, 0],
            "shown_rank": [2, 0, 0],
        },
    }


def test_what_is_cut_is_counted(built):
    counts = built.partition("examples", DAY).manifest().counts
    assert counts == {"days": 1, "unlabelled": 0, "cut": 2, "cut_winners": 1}


def test_the_vocabulary_is_of_what_was_exposed_often_enough(built):
    folder = built.partition("examples", DAY).folder() / VOCABULARY
    names = built.profile.fields.user_tokens + built.profile.fields.item_tokens
    tokens = Vocabulary.load(folder, names).tokens
    assert {name: values.to_pylist() for name, values in tokens.items()} == {
        "user_id": [LEARNER],
        "query": ["q1"],
        "item_id": [11],
        "category": ["c"],
    }


def test_unexposed_candidates_are_negatives_where_the_profile_says_so(spark, tmp_path):
    world = hand_made(tmp_path, unexposed_as_negative="true")
    assert world.run("build_examples", DAY) == 0
    rows = by_request(world)
    assert (rows["r1"]["exposed"], rows["r1"]["label"]) == ([1, 1, 1], [1, 0, 0])
    assert (rows["r2"]["exposed"], rows["r2"]["label"]) == ([1, 1, 0], [0, 0, 0])


def test_a_request_without_labels_is_left_out_and_told(spark, tmp_path, capsys):
    world = hand_made(tmp_path)
    labels = world.rows("teacher_labels", DAY)
    put(world, "teacher_labels", [row for row in labels if row["request_id"] == "r1"])
    put(world, "unlabelled", [{"request_id": "r2", "reason": "by hand"}])
    assert world.run("build_examples", DAY) == 0
    assert "2 requests in, 1 without labels, 1 out" in capsys.readouterr().out
    assert by_request(world).keys() == {"r1"}
    assert world.partition("examples", DAY).manifest().counts["unlabelled"] == 1


def test_labels_that_are_not_of_these_candidate_sets_are_refused(tmp_path, capsys):
    world = hand_made(tmp_path)
    put(world, "unlabelled", [{"request_id": "r2", "reason": "by hand"}])
    assert world.run("build_examples", DAY) == REFUSED
    said = capsys.readouterr().err
    assert "has 2 requests and unlabelled/dt=2026-01-31/teacher_id=mmr-" in said
    assert "1, but candidate_sets/dt=2026-01-31 has 2; label the day again: python -m jobs." in said


def test_the_bootstrap_needs_no_teacher(spark, tmp_path):
    world = hand_made(tmp_path)
    for table in ("teacher_labels", "unlabelled"):
        shutil.rmtree(world.root / table)
    assert world.run("build_examples", DAY, "--bootstrap") == 0
    rows = world.lake.partition("examples", DAY, teacher_id="none").read().to_pylist()
    assert {row["request_id"]: row["win"] for row in rows} == {"r1": [0] * 3, "r2": [0] * 3}
    assert sum(sum(row["label"]) for row in rows) == 1


# --- on the toy world


def test_a_file_holds_one_split_and_no_user_stands_on_both_sides(toy):
    users = {
        row["request_id"]: row["user_id"] for day in DAYS for row in toy.rows("candidate_sets", day)
    }
    sides: dict[str, set[int]] = {TRAINING: set(), VALIDATION: set()}
    requests = []
    for path in toy.partition("examples", DAYS[2]).files():
        rows = pq.read_table(path, columns=["request_id", "is_validation"]).to_pylist()
        side = path.name.partition("-")[0]
        assert {row["is_validation"] for row in rows} == {int(side == VALIDATION)}
        sides[side] |= {users[row["request_id"]] for row in rows}
        requests += [row["request_id"] for row in rows]
    assert sorted(requests) == sorted(users)
    assert sides[TRAINING] | sides[VALIDATION] == set(users.values())
    assert not sides[TRAINING] & sides[VALIDATION]
    assert min(len(side) for side in sides.values()) >= 5


def test_every_row_of_the_window_is_its_candidates_and_its_labels(toy):
    """Item by item, decoded through the vocabulary that stands beside the rows."""
    examples = toy.partition("examples", DAYS[2])
    names = toy.profile.fields.user_tokens + toy.profile.fields.item_tokens
    tokens = Vocabulary.load(examples.folder() / VOCABULARY, names).tokens
    known = {name: ["-", None, *values.to_pylist()] for name, values in tokens.items()}
    limit, compared = toy.profile.training.max_candidates, 0
    rows = {row["request_id"]: row for row in examples.read().to_pylist()}
    for day in DAYS:
        wins = {row["request_id"]: row["win"] for row in toy.rows("teacher_labels", day)}
        for one in toy.rows("candidate_sets", day):
            row = rows.pop(one["request_id"])
            n = min(limit, one["n_candidates"])
            assert (row["n_candidates"], row["request_dt"]) == (n, day.toordinal() - 719163)
            assert row["win"][:n] == wins[one["request_id"]][:n]
            assert row["label"][:n] == [label or 0 for label in one["label"][:n]]
            assert row["exposed"][:n] == one["exposed"][:n]
            assert row["shown_rank"][:n] == [rank or 0 for rank in one["shown_rank"][:n]]
            fields = np.array(row["item_tokens"]).reshape(limit, -1)
            for column, name in enumerate(toy.profile.fields.item_tokens):
                for index, value in zip(fields[:n, column], one[name][:n], strict=True):
                    assert known[name][index] == (value if value in known[name] else None)
            assert not fields[n:].any()
            compared += n
    assert rows == {}
    assert compared + examples.manifest().counts["cut"] == sum(
        toy.partition_rows("request_logs", day) for day in DAYS
    )
    assert examples.manifest().counts["cut"] > 0


def test_a_day_of_the_window_without_labels_is_refused(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    labels = world.partition("teacher_labels", DAYS[0])
    (labels.path / "_manifest.json").unlink()
    before = world.files()
    assert world.run("build_examples", DAYS[1]) == REFUSED
    assert capsys.readouterr().err == (
        f"build_examples: refused: {labels.name} is not in {world.root}; make it first: "
        f"python -m jobs.label_candidates --lake {world.root} --date 2026-01-01 --profile ...\n"
    )
    assert world.files() == before


def test_a_day_of_the_window_without_a_decision_is_refused(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    (world.partition("promotions", DAYS[0]).path / "_manifest.json").unlink()
    assert world.run("build_examples", DAYS[1]) == REFUSED
    assert "no model is promoted on 2026-01-01, a day of the training window" in (
        capsys.readouterr().err
    )


def test_the_bootstrap_is_over_once_a_model_was_trained(toy, capsys):
    assert toy.run("build_examples", DAYS[1], "--bootstrap") == 99
    assert "no base DCN is needed" in capsys.readouterr().out
