"""import_logs: exact rows of a tiny folder, a slow reference, no leak, and the real week."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from ebnerd_folder import IMPRESSIONS, behaviors, write_folder
from hypothesis import given
from hypothesis import strategies as st

from jobs import import_logs, ingest
from jobs.lake import Lake
from jobs.profile import load_profile
from jobs.sources.coread import WIDTH, coread_vectors
from jobs.sources.ebnerd import Impressions, find_files, read_impressions
from jobs.sources.pool import pools

PROFILE = load_profile("ebnerd")
WEEK = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "ebnerd_week"
MINUTE = 60_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "raw")


def import_day(lake: Path, source: Path, day: str = "2023-05-18", *more: str) -> int:
    flags = ["--lake", str(lake), "--date", day, "--profile", "ebnerd", "--source", str(source)]
    return import_logs.main([*flags, *more])


def rows_of(lake: Path, table: str, day: str = "2023-05-18") -> pa.Table:
    return Lake(lake, PROFILE.tables).partition(table, date.fromisoformat(day)).read()


def manifest_of(lake: Path, table: str, day: str = "2023-05-18"):
    return Lake(lake, PROFILE.tables).partition(table, date.fromisoformat(day)).manifest()


# (request, user, item, missed, score, exposed, label); impressions 100, 102 and 106 have no
# candidate, 107 has one. Windows: 101 sees 100; 103 sees 101, not its own user's 100 and 102;
# 104 sees 101 to 103; 105 sees 102 (60 minutes before, to the second), 103 and 104.
EXPECTED = [
    (101, 2, 1, 1, 1.0, 0, None),
    (101, 2, 2, 1, 0.0, 1, 0),
    (103, 1, 2, 1, 0.0, 1, 0),
    (103, 1, 3, 1, 1.0, 1, 1),
    (104, 3, 1, 0, 0.0, 0, None),
    (104, 3, 2, 0, 0.0, 0, None),
    (104, 3, 3, 0, 2.0, 0, None),
    (104, 3, 4, 0, 1.0, 0, None),
    (104, 3, 5, 0, 1.0, 0, None),
    (105, 2, 1, 0, 0.0, 0, None),
    (105, 2, 2, 0, 0.0, 0, None),
    (105, 2, 3, 0, 1.0, 0, None),
    (105, 2, 4, 0, 1.0, 1, 1),
    (105, 2, 5, 0, 1.0, 0, None),
    (105, 2, 9, 0, 0.0, 1, 0),
]


def test_rows_are_those_worked_by_hand(tmp_path, source):
    assert import_day(tmp_path / "lake", source) == 0
    logs = rows_of(tmp_path / "lake", "request_logs")
    names = ("request_id", "user_id", "item_id", "missed_positives", "score", "exposed", "label")
    assert [tuple(row[name] for name in names) for row in logs.to_pylist()] == EXPECTED
    assert logs["derived"].to_pylist() == [1 - row[5] for row in EXPECTED]
    assert logs["shown_rank"].null_count == len(EXPECTED)
    first = logs.to_pylist()[0]
    assert first["ts"] == datetime(2023, 5, 18, 7, 10, tzinfo=UTC)


def test_fields_are_tokens_and_what_is_not_known_says_so(tmp_path, source):
    import_day(tmp_path / "lake", source)
    rows = rows_of(tmp_path / "lake", "request_logs").to_pylist()
    item = {row["item_id"]: (row["premium"], row["article_length"]) for row in rows}
    assert item == {
        1: ("yes", "length0"),
        2: ("no", "length1"),
        3: ("no", "length1"),
        4: ("unknown", "length2"),
        5: ("unknown", "length8"),
        9: ("unknown", "unknown"),
    }
    context = {
        row["request_id"]: (row["device_type"], row["page"], row["is_subscriber"]) for row in rows
    }
    assert context == {
        101: ("device2", "front", "yes"),
        103: ("device2", "article", "no"),
        104: ("unknown", "front", "no"),
        105: ("device2", "front", "yes"),
    }


def test_everything_that_comes_in_is_accounted_for(tmp_path, source, capsys):
    import_day(tmp_path / "lake", source)
    counts = manifest_of(tmp_path / "lake", "request_logs").counts
    assert counts == {
        "impressions": 8,
        "requests": 4,
        "impressions_without_candidates": 3,
        "impressions_with_one_candidate": 1,
        "candidates": 15,
        "candidates_max": 6,
        "shown": 15,
        "shown_kept": 5,
        "shown_outside_pool": 3,
        "shown_in_dropped_impressions": 7,
        "clicks": 8,
        "clicks_kept": 2,
        "clicks_outside_pool": 2,
        "clicks_in_dropped_impressions": 4,
        "items_of_unknown_premium": 3,
        "items_of_unknown_article_length": 1,
        "items": 6,
    }
    printed = capsys.readouterr().out
    assert (
        "8 impressions = 4 requests + 3 dropped without a candidate + 1 dropped with one candidate"
        in printed
    )
    assert "15 shown = 5 among the candidates + 3 outside the pool + 7 in" in printed
    assert "3 of 6 items have no premium: token 'unknown'" in printed


def test_a_day_turns_at_seven_and_sees_the_hour_before(tmp_path, source):
    import_day(tmp_path / "lake", source, "2023-05-19")
    rows = rows_of(tmp_path / "lake", "request_logs", "2023-05-19").to_pylist()
    assert [(r["request_id"], r["item_id"], r["score"], r["label"]) for r in rows] == [
        (108, 7, 1.0, 1),
        (108, 8, 1.0, 0),
    ]


def test_rerun_is_unchanged_and_a_changed_source_is_not(tmp_path, source, capsys):
    lake = tmp_path / "lake"
    import_day(lake, source)
    before = manifest_of(lake, "request_logs")
    assert import_day(lake, source) == 0
    assert manifest_of(lake, "request_logs") == before
    assert "unchanged: request_logs/dt=2023-05-18 holds 15 rows already" in capsys.readouterr().out
    assert import_day(lake, source, "2023-05-18", "--force") == 0
    again = manifest_of(lake, "request_logs")
    assert (again.digest, again.folder == before.folder) == (before.digest, False)
    write_folder(source, behaviors=behaviors(IMPRESSIONS[1:]))
    import_day(lake, source)
    assert manifest_of(lake, "request_logs").rows == 15 - 6


def test_ingest_runs_the_step_that_the_profile_names(tmp_path, source, monkeypatch):
    lake = tmp_path / "lake"
    flags = ["--lake", str(lake), "--date", "2023-05-18", "--profile"]
    assert ingest.build_parser().parse_args([*flags, "ebnerd"]).date == date(2023, 5, 18)
    assert ingest.main([*flags, "ebnerd", "--source", str(source)]) == 0
    assert manifest_of(lake, "request_logs").step == "import_logs"
    called = []
    monkeypatch.setattr(ingest.simulate_logs, "main", lambda argv: called.append(argv) or 7)
    assert ingest.main([*flags, "jingdong", "--requests", "12"]) == 7
    assert called == [[*flags, "jingdong", "--requests", "12"]]


def slow_pool(impressions: list[tuple], n: int, minutes: int) -> dict[int, int]:
    """Return item -> clicks of the candidates of impression n, by the definition."""
    _, user, moment, *_ = impressions[n]
    pool: dict[int, int] = {}
    for _, other, then, shown, clicked in impressions:
        if other != user and moment - minutes * MINUTE <= then < moment:
            for item in shown:
                pool[item] = pool.get(item, 0) + (item in clicked)
    return pool


def as_impressions(rows: list[tuple]) -> Impressions:
    return Impressions(
        request=np.array([row[0] for row in rows]),
        user=np.array([row[1] for row in rows]),
        moment=np.array([row[2] for row in rows]),
        context={},
        first=np.cumsum([0] + [len(row[3]) for row in rows]),
        shown_item=np.array([item for row in rows for item in row[3]], np.int64),
        clicked=np.array([item in row[4] for row in rows for item in row[3]], bool),
    )


def found_pools(rows: list[tuple], minutes: int) -> list[dict[int, tuple]]:
    found: list[dict[int, tuple]] = [{} for _ in rows]
    for pool in pools(as_impressions(rows), 0, len(rows), minutes):
        for n, *values in zip(
            *(getattr(pool, name).tolist() for name in pool.__slots__), strict=True
        ):
            assert values[0] not in found[n]
            found[n][values[0]] = tuple(values[1:])
    return found


@st.composite
def worlds(draw: st.DrawFn) -> list[tuple]:
    rows = []
    for number in range(draw(st.integers(1, 8))):
        shown = draw(st.lists(st.integers(1, 6), unique=True, max_size=4))
        clicked = draw(st.sets(st.sampled_from(shown))) if shown else set()
        user, minute = draw(st.integers(1, 3)), draw(st.integers(0, 8))
        rows.append((number, user, minute * MINUTE, shown, clicked))
    return sorted(rows, key=lambda row: (row[2], row[0]))


@given(worlds(), st.integers(1, 5))
def test_pools_equal_the_slow_reference(rows, minutes):
    for n, found in enumerate(found_pools(rows, minutes)):
        _, _, _, shown, clicked = rows[n]
        assert found == {
            item: (clicks, item in shown, item in clicked)
            for item, clicks in slow_pool(rows, n, minutes).items()
        }


@given(worlds(), st.data())
def test_nothing_of_the_request_itself_enters_its_candidates(rows, data):
    n = data.draw(st.integers(0, len(rows) - 1))
    number, user, moment, *_ = rows[n]
    shown = data.draw(st.lists(st.integers(1, 9), unique=True, max_size=6))
    changed = [*rows]
    changed[n] = (number, user, moment, shown, set(shown[:2]))
    before, after = (
        {item: values[0] for item, values in found_pools(world, 5)[n].items()}
        for world in (rows, changed)
    )
    assert before == after


def test_coread_vectors_are_alike_where_readers_are():
    users = np.array([1, 1, 2, 2, 3, 3, 4, 4, 1, 1])
    read = np.array([10, 11, 10, 11, 20, 21, 20, 21, 10, 11])  # two of them twice
    vectors = coread_vectors(users, read, np.array([10, 11, 20, 99]))
    assert vectors.shape == (4, WIDTH)
    assert vectors.dtype == np.float32
    unit = vectors[:3] / np.linalg.norm(vectors[:3], axis=1, keepdims=True)
    np.testing.assert_allclose(unit @ unit.T, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-6)
    assert not vectors[3].any()
    assert not coread_vectors(users[:1], read[:1], np.array([10])).any()


def test_reference_is_the_same_on_every_day(tmp_path, source):
    lake = tmp_path / "lake"
    write_folder(
        source, behaviors=behaviors([*IMPRESSIONS, (109, 7, "2023-05-19 07:00:01", [1], [])])
    )
    everywhere: dict[int, list[float]] = {}
    for day in ("2023-05-18", "2023-05-19"):
        import_day(lake, source, day)
        rows = rows_of(lake, "reference_items", day).to_pylist()
        logged = set(rows_of(lake, "request_logs", day)["item_id"].to_pylist())
        assert {row["item_id"] for row in rows} == logged
        for row in rows:
            assert everywhere.setdefault(row["item_id"], row["vector"]) == row["vector"]
    assert not any(everywhere[9])  # shown, never read


@pytest.mark.skipif(not WEEK.is_dir(), reason=f"no EB-NeRD week in {WEEK}; set CDM_TEST_DATA")
def test_the_real_week(tmp_path):
    impressions = read_impressions(find_files(WEEK)["behaviors"])
    assert len(impressions.request) == 24_724
    assert len(np.unique(impressions.user)) == 1_590
    assert import_day(tmp_path, WEEK, "2023-05-20") == 0
    counts = manifest_of(tmp_path, "request_logs", "2023-05-20").counts
    assert {name: counts[name] for name in ("impressions", "requests", "clicks", "candidates")} == {
        "impressions": 3_228,
        "requests": 3_228,
        "clicks": 3_234,
        "candidates": 561_330,
    }
    logs = rows_of(tmp_path, "request_logs", "2023-05-20")
    missed = logs.group_by("request_id").aggregate([("missed_positives", "max")])
    clicks = np.sum(logs["label"].fill_null(0).to_numpy())
    assert clicks + np.sum(missed["missed_positives_max"].to_numpy()) == counts["clicks"]

    request = logs["request_id"].to_numpy()
    for wanted in np.unique(request)[::400]:
        n = int(np.flatnonzero(impressions.request == wanted)[0])
        near = range(max(n - 700, 0), n + 1)
        rows = [
            (
                0,
                impressions.user[m],
                impressions.moment[m],
                impressions.shown_item[(own := slice(*impressions.first[m : m + 2]))].tolist(),
                set(impressions.shown_item[own][impressions.clicked[own]].tolist()),
            )
            for m in near
        ]
        mine = request == wanted
        found = zip(logs["item_id"].to_numpy()[mine], logs["score"].to_numpy()[mine], strict=True)
        assert dict(found) == slow_pool(rows, len(rows) - 1, 60)
