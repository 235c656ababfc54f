"""Logs of two requests in, exact candidate sets out; the one order, in Spark as in numpy."""

import math
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import World

from jobs.cli import REFUSED
from jobs.parquet_file import write_parquet
from jobs.publish import Publication
from model.ordering import best_first
from schemas.arrow import arrow_schema

DAY = date(2026, 1, 31)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PROFILE = """
name = "hand-made"
k = [2]
[fields]
item_id = "{item_id}"
item = ["category"]
context = ["query"]
dense = ["score", "price"]
category = "category"
[promotion]
k = 2
"""


@pytest.fixture(params=["int64", "string"])
def item_kind(request) -> str:
    return request.param


@pytest.fixture
def world(spark, tmp_path: Path, item_kind: str) -> World:
    path = tmp_path / "hand-made.toml"
    path.write_text(PROFILE.format(item_id=item_kind))
    return World(tmp_path / "lake", path)


def log(request_id: str, item_id: object, score: float, label: int | None = None, **rest) -> dict:
    """One row; a label makes it exposed."""
    return {
        "request_id": request_id,
        "user_id": 7,
        "ts": NOON,
        "query": "q",
        "missed_positives": 0,
        "item_id": item_id,
        "category": f"of {item_id}",
        "price": 2.5,
        "score": score,
        "exposed": int(label is not None),
        "shown_rank": None if label is None else 1,
        "label": label,
        "derived": 0,
    } | rest


def publish(world: World, rows: list[dict]) -> None:
    partition = world.lake.partition("request_logs", DAY)
    world.publish(partition, pa.Table.from_pylist(rows, arrow_schema(partition.table)))


# Ascending, as the tie-break wants them; floats cannot tell the last two integers apart, and UTF-16
# would put the last two strings the other way round.
IDS = {
    "int64": [-3, 2, 10, 2**53, 2**53 + 1],
    "string": ["10", "9", "B", "a", "z", "é", "\uff5e", "\U0001f600"],
}


def test_two_requests_become_two_rows_in_the_one_order(world, item_kind):
    a, b, c, d, e = IDS[item_kind][-5:]
    publish(
        world,
        [
            log("r2", b, 1.0, price=-1.0),
            log("r1", e, 0.5),
            log("r1", d, 0.5, 0),
            log("r1", a, -0.0, 1),
            log("r1", c, 7.25),
            log("r1", b, 0.0, shown_rank=None, label=0, exposed=1),
            log("r2", a, -1.0, 1, missed_positives=0),
        ],
    )
    assert world.run("build_candidates", DAY) == 0
    first, second = sorted(world.rows("candidate_sets", DAY), key=lambda row: row["request_id"])
    assert first == {
        "request_id": "r1",
        "user_id": 7,
        "ts": NOON,
        "query": "q",
        "missed_positives": 0,
        "n_candidates": 5,
        "item_id": [c, d, e, a, b],
        "category": [f"of {item}" for item in (c, d, e, a, b)],
        "price": [2.5] * 5,
        "score": [7.25, 0.5, 0.5, 0.0, 0.0],
        "exposed": [0, 1, 0, 1, 1],
        "shown_rank": [None, 1, None, 1, None],
        "label": [None, 0, None, 1, 0],
        "derived": [0] * 5,
    }
    # -0.0 ties with 0.0 and is kept as it came.
    assert [math.copysign(1, score) for score in first["score"][3:]] == [-1, 1]
    assert (second["item_id"], second["score"], second["price"]) == ([b, a], [1.0, -1.0], [-1, 2.5])
    assert second["n_candidates"] == 2


def test_ties_go_to_the_lower_id(world, item_kind):
    ids = IDS[item_kind]
    publish(world, [log("r1", item, 0.0) for item in reversed(ids)])
    assert world.run("build_candidates", DAY) == 0
    (row,) = world.rows("candidate_sets", DAY)
    assert row["item_id"] == ids


def test_spark_orders_as_numpy_does_and_loses_no_row(world, item_kind):
    rng = np.random.default_rng(1)
    scores = np.array([-1.5, -0.0, 0.0, 5e-324, 0.1, 1e300, -1e300])
    if item_kind == "int64":
        pool = np.concatenate([rng.integers(-(2**62), 2**62, 40), 2**53 + np.arange(20)]).tolist()
    else:
        pool = ["".join(chr(c) for c in rng.choice([48, 65, 97, 233, 65374, 128512], 4))
                for _ in range(60)]  # fmt: skip
    pool = sorted(set(pool))
    rows = []
    for request in range(30):
        drawn = rng.choice(len(pool), size=rng.integers(1, len(pool)), replace=False)
        rows += [log(f"r{request}", pool[i], float(rng.choice(scores))) for i in drawn]
    rng.shuffle(rows)
    publish(world, rows)
    assert world.run("build_candidates", DAY) == 0
    found = {row["request_id"]: row for row in world.rows("candidate_sets", DAY)}
    assert sum(row["n_candidates"] for row in found.values()) == len(rows)
    for name, row in found.items():
        mine = [r for r in rows if r["request_id"] == name]
        ids = np.array([r["item_id"] for r in mine], object if item_kind == "string" else np.int64)
        order = best_first(np.array([r["score"] for r in mine]), ids)
        assert row["item_id"] == [mine[i]["item_id"] for i in order]
        assert row["score"] == [mine[i]["score"] for i in order]


@pytest.mark.parametrize(
    "other",
    [
        {"user_id": 8},
        {"ts": NOON.replace(microsecond=1)},
        {"query": "p"},
        {"missed_positives": 1},
    ],
    ids=lambda other: next(iter(other)),
)
@pytest.mark.parametrize("item_kind", ["int64"], indirect=True)
def test_a_torn_request_is_refused_by_its_id(world, other, capsys):
    publish(world, [log("whole", 1, 1.0), log("torn", 1, 1.0), log("torn", 2, 0.5, **other)])
    assert world.run("build_candidates", DAY) == REFUSED
    assert capsys.readouterr().err == (
        "build_candidates: refused: request_logs/dt=2026-01-31: request_id 'torn' has rows of "
        "different users, times or contexts; a request has one of each. Mend the source and ingest "
        "it again\n"
    )
    day = world.lake.partition("candidate_sets", DAY)
    assert not day.path.exists()


def test_the_digest_does_not_depend_on_the_order_or_the_files_of_the_logs(
    world, item_kind, tmp_path
):
    ids = IDS[item_kind]
    rows = [log(f"r{n}", item, (n * 7 + i) % 3) for n in range(9) for i, item in enumerate(ids)]
    publish(world, rows)
    assert world.run("build_candidates", DAY) == 0
    one = world.lake.partition("candidate_sets", DAY).manifest()

    other = World(tmp_path / "other", world.profile_name)
    logs = other.lake.partition("request_logs", DAY)
    output = Publication(logs, step="by hand", inputs={}, parameters={})
    np.random.default_rng(2).shuffle(rows)
    with output.attempt() as folder:
        for number in range(5):
            part = pa.Table.from_pylist(rows[number::5], arrow_schema(logs.table))
            write_parquet(folder / f"part-{number}.parquet", logs.table, [part])
        output.publish(folder, {})
    assert other.run("build_candidates", DAY) == 0
    two = other.lake.partition("candidate_sets", DAY).manifest()
    assert (two.digest, two.rows, two.counts) == (one.digest, 9, one.counts)
    assert one.counts == {"log_rows": len(rows), "candidates": len(rows), "longest": len(ids)}


@pytest.mark.parametrize("item_kind", ["int64"], indirect=True)
def test_a_rerun_does_nothing_and_other_logs_are_grouped_again(world, capsys):
    publish(world, [log("r1", 1, 1.0)])
    world.run("build_candidates", DAY)
    before = world.files()
    assert world.run("build_candidates", DAY) == 0
    assert "unchanged: candidate_sets/dt=2026-01-31 holds 1 rows already" in capsys.readouterr().out
    assert world.files() == before
    publish(world, [log("r1", 1, 1.0), log("r2", 1, 1.0)])
    assert world.run("build_candidates", DAY) == 0
    assert len(world.rows("candidate_sets", DAY)) == 2
