"""The trailing window against its definition, and that a request tells it nothing."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from jobs.sources.config import MICROSECONDS_A_MINUTE, LogFiles, RawColumn, SourceConfig
from jobs.sources.trailing_window import Trailing

COLUMNS = {
    name: RawColumn(column=name) for name in ("request_id", "user_id", "item_id", "ts", "label")
}
LOGS = LogFiles(files=("x",), rows="requests", columns=COLUMNS)
SCHEMA = pa.schema(
    [
        ("request_id", pa.int64()),
        ("user_id", pa.int64()),
        ("item_id", pa.string()),
        ("brand", pa.string()),
        ("ts", pa.int64()),
        ("score", pa.float64()),
        ("exposed", pa.int32()),
        ("label", pa.int32()),
        *[
            (name, pa.int32())
            for name in ("derived", "missed_positives", "_left_out", "_missed_shown")
        ],
    ]
)
Visit = tuple[int, int, list[str], set[str], bool]
"""(user, minute, shown items, clicked items, whether it is a request of the day)."""


@st.composite
def visits(draw: st.DrawFn) -> list[Visit]:
    found = []
    for _ in range(draw(st.integers(1, 8))):
        shown = draw(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1, max_size=4))
        clicked = draw(st.sets(st.sampled_from(shown)))
        user, minute = draw(st.integers(1, 3)), draw(st.integers(0, 8))
        found.append((user, minute, shown, clicked, draw(st.booleans())))
    return found


def rows_of(world: list[Visit]) -> pa.Table:
    rows = [
        {
            "request_id": number,
            "user_id": user,
            "item_id": item,
            "brand": item.upper(),
            "ts": minute * MICROSECONDS_A_MINUTE,
            "_at": minute * MICROSECONDS_A_MINUTE,
            "_place": place,
            "exposed": 1,
            "label": int(item in clicked),
            "_is_request": is_request,
        }
        for number, (user, minute, shown, clicked, wanted) in enumerate(world)
        for is_request in ({False, wanted})
        for place, item in enumerate(shown)
    ]
    own = [("_at", pa.int64()), ("_place", pa.int64()), ("_is_request", pa.bool_())]
    schema = pa.schema([*(f for f in SCHEMA if f.name in rows[0]), *own])
    return pa.Table.from_pylist(rows, schema)


def trailing(world: list[Visit], **source) -> list[dict]:
    config = SourceConfig(kind="files", logs=LOGS, window_minutes=3, **source)
    rows = Trailing(config, frozenset({"item_id", "brand"}), SCHEMA).candidates(rows_of(world))
    return rows.to_pylist()


def before(world: list[Visit], number: int) -> dict[str, int]:
    """Return the clicks of what others were shown in the three minutes before, by definition."""
    user, minute, *_ = world[number]
    pool: dict[str, int] = {}
    for other, then, shown, clicked, _ in world:
        if other != user and minute - 3 <= then < minute:
            for item in shown:
                pool[item] = pool.get(item, 0) + (item in clicked)
    return pool


@given(visits())
def test_derived_candidates_are_what_others_were_shown(world):
    found = trailing(world, candidates="window")
    for number, (user, minute, shown, clicked, is_request) in enumerate(world):
        mine = {row["item_id"]: row for row in found if row["request_id"] == number}
        pool = before(world, number) if is_request else {}
        assert {item: row["score"] for item, row in mine.items()} == pool
        for item, row in mine.items():
            assert row["brand"] == item.upper()
            assert (row["user_id"], row["ts"]) == (user, minute * MICROSECONDS_A_MINUTE)
            own = item in shown
            assert (row["exposed"], row["derived"]) == (own, not own)
            assert row["label"] == (int(item in clicked) if own else None)
            assert row["missed_positives"] == len(clicked - set(pool))
            assert row["_left_out"] == row["_missed_shown"] == len(set(shown) - set(pool))


@given(visits(), st.integers(1, 3))
def test_a_pool_of_a_size_is_the_most_popular_of_it(world, size):
    found = trailing(world, candidates="window", pool_size=size)
    for number, (*_, is_request) in enumerate(world):
        pool = before(world, number) if is_request else {}
        best = sorted(pool, key=lambda item: (-pool[item], item))[:size]
        assert {row["item_id"] for row in found if row["request_id"] == number} == set(best)


@given(visits())
def test_what_the_user_met_in_the_window_can_be_left_out(world):
    found = trailing(world, candidates="window", skip_seen=True)
    for number, (user, minute, *_, is_request) in enumerate(world):
        met = {
            item
            for other, then, shown, *_ in world
            if other == user and minute - 3 <= then < minute
            for item in shown
        }
        pool = set(before(world, number) if is_request else {}) - met
        assert {row["item_id"] for row in found if row["request_id"] == number} == pool


@given(visits(), st.integers(1, 3))
def test_a_sample_keeps_what_is_logged_and_adds_from_the_window(world, size):
    found = trailing(world, candidates="sample", pool_size=size)
    assert found == trailing(world, candidates="sample", pool_size=size)
    for number, (_, _, shown, _, is_request) in enumerate(world):
        mine = [row for row in found if row["request_id"] == number]
        logged = [row["item_id"] for row in mine if not row["derived"]]
        added = {row["item_id"] for row in mine if row["derived"]}
        pool = before(world, number)
        assert sorted(logged) == (sorted(shown) if is_request else [])
        assert added <= set(pool) - set(shown)
        assert len(added) == (min(size, len(set(pool) - set(shown))) if is_request else 0)


def test_another_seed_draws_another_sample():
    shown = [chr(97 + n) for n in range(26)]
    world = [(1, 0, shown, set(), False), (2, 1, ["a"], set(), True)]
    draws = {
        tuple(r["item_id"] for r in trailing(world, candidates="sample", pool_size=5, seed=seed))
        for seed in range(4)
    }
    assert len(draws) == 4


@given(visits(), st.data())
def test_nothing_of_the_request_itself_enters_its_pool(world, data):
    number = data.draw(st.integers(0, len(world) - 1))
    user, minute, *_ = world[number]
    shown = data.draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=6))
    world[number] = (user, minute, world[number][2], world[number][3], True)
    changed = [*world]
    changed[number] = (user, minute, shown, set(shown[:2]), True)
    pools = [
        {row["item_id"]: row["score"] for row in found if row["request_id"] == number}
        for found in (trailing(world, candidates="window"), trailing(changed, candidates="window"))
    ]
    assert pools[0] == pools[1]


def test_a_request_without_a_window_has_no_candidates():
    assert trailing([(1, 0, ["a"], {"a"}, True)], candidates="window") == []


def test_a_pool_is_never_larger_than_a_request_may_be():
    world = [(1, 0, list("abcdef"), {"f"}, False), (2, 1, ["a"], set(), True)]
    found = trailing(world, candidates="window", most_candidates=2)
    assert [row["item_id"] for row in found] == ["a", "f"]


def test_an_item_has_the_fields_of_the_last_time_before():
    world = [(1, 0, ["a"], set(), False), (3, 1, ["a"], set(), False), (2, 2, ["b"], set(), True)]
    rows = rows_of([*world, (1, 3, ["a"], set(), False)])
    brands = pa.array(["old", "new", "own", "own", "future"])
    rows = rows.set_column(rows.schema.get_field_index("brand"), "brand", brands)
    config = SourceConfig(kind="files", logs=LOGS, window_minutes=3, candidates="window")
    for order in (range(5), reversed(range(5))):
        shuffled = rows.take(list(order))
        found = Trailing(config, frozenset({"item_id", "brand"}), SCHEMA).candidates(shuffled)
        assert found["brand"].to_pylist() == ["new"]
