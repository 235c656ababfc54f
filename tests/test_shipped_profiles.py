"""The shipped profiles: files as their publishers hand them out, to exact rows, through Spark."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ebnerd_folder import IMPRESSIONS, behaviors, write_folder
from importing import Import

from jobs import ingest
from jobs.sources.coread import WIDTH, coread_vectors

WEEK = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "ebnerd_week"
FILMS = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "ml-100k"
SEARCHES = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "jdsearch_sample"
pytestmark = pytest.mark.usefixtures("spark")


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


@pytest.fixture
def news(tmp_path: Path) -> Import:
    made = Import(tmp_path, "ebnerd")
    write_folder(made.source)
    return made


def test_derived_candidates_are_those_worked_by_hand(news, capsys):
    assert news.run("2023-05-18") == 0
    logs = news.rows("request_logs", "2023-05-18")
    names = ("request_id", "user_id", "item_id", "missed_positives", "score", "exposed", "label")
    assert [tuple(row[name] for name in names) for row in logs] == EXPECTED
    assert [row["derived"] for row in logs] == [1 - row[5] for row in EXPECTED]
    assert logs[0]["ts"] == datetime(2023, 5, 18, 7, 10, tzinfo=UTC)
    item = {row["item_id"]: (row["premium"], row["article_length"]) for row in logs}
    assert item == {
        1: ("1", "0"),
        2: ("0", "1"),
        3: ("0", "1"),
        4: ("unknown", "2"),
        5: ("unknown", "8"),
        9: ("unknown", "unknown"),
    }
    context = {r["request_id"]: (r["device_type"], r["page"], r["is_subscriber"]) for r in logs}
    assert context == {
        101: ("2", "no", "true"),
        103: ("2", "yes", "false"),
        104: ("unknown", "no", "false"),
        105: ("2", "no", "true"),
    }
    counts = news.manifest("request_logs", "2023-05-18").counts
    assert counts["source_rows"] == 9
    assert counts["source_rows_used"] == counts["requests"] == 4
    assert counts["source_rows_of_other_days"] == 1
    assert counts["quarantined: the request has fewer than 2 candidates"] == 4
    assert (counts["shown"], counts["shown_missed"]) == (5, 3)
    assert (counts["clicks"], counts["clicks_missed"]) == (2, 2)
    assert counts["candidates_derived"] == 10
    assert "8 shown = 5 among the candidates + 3 not" in capsys.readouterr().out


def test_a_day_turns_at_seven_and_sees_the_hour_before(news):
    assert news.run("2023-05-19") == 0
    rows = news.rows("request_logs", "2023-05-19")
    assert [(r["request_id"], r["item_id"], r["score"], r["label"]) for r in rows] == [
        (108, 7, 1.0, 1),
        (108, 8, 1.0, 0),
    ]


def test_rerun_is_unchanged_and_a_changed_source_is_not(news, capsys):
    news.run("2023-05-18")
    before = news.manifest("request_logs", "2023-05-18")
    assert news.run("2023-05-18") == 0
    assert news.manifest("request_logs", "2023-05-18") == before
    assert "unchanged: request_logs/dt=2023-05-18 holds 15 rows already" in capsys.readouterr().out
    assert news.run("2023-05-18", "--force") == 0
    again = news.manifest("request_logs", "2023-05-18")
    assert (again.digest, again.folder == before.folder) == (before.digest, False)
    write_folder(news.source, behaviors=behaviors(IMPRESSIONS[1:]))
    assert news.run("2023-05-18") == 0
    assert news.manifest("request_logs", "2023-05-18").rows == 15 - 6


def test_reference_is_the_same_on_every_day(news):
    write_folder(
        news.source, behaviors=behaviors([*IMPRESSIONS, (109, 7, "2023-05-19 07:00:01", [1], [])])
    )
    everywhere: dict[int, list[float]] = {}
    for day in ("2023-05-18", "2023-05-19"):
        news.run(day)
        rows = news.rows("reference_items", day)
        assert {r["item_id"] for r in rows} == {
            r["item_id"] for r in news.rows("request_logs", day)
        }
        for row in rows:
            assert everywhere.setdefault(row["item_id"], row["vector"]) == row["vector"]
    assert not any(everywhere[9])  # shown, never read


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


def test_ingest_runs_the_step_that_the_profile_names(news, monkeypatch):
    flags = ["--lake", str(news.lake), "--date", "2023-05-18", "--profile"]
    assert ingest.build_parser().parse_args([*flags, "ebnerd"]).date == date(2023, 5, 18)
    assert ingest.main([*flags, "ebnerd", "--source", str(news.source)]) == 0
    assert news.manifest("request_logs", "2023-05-18").step == "import_logs"
    called = []
    monkeypatch.setattr(ingest.simulate_logs, "main", lambda argv: called.append(argv) or 7)
    assert ingest.main([*flags, "jingdong", "--requests", "12"]) == 7
    assert called == [[*flags, "jingdong", "--requests", "12"]]


def test_candictr_as_its_publisher_describes_it(tmp_path):
    made = Import(tmp_path, "candictr")
    item = [[n, n % 3, 1, 2, 9] for n in range(6)]
    rows = [
        {"user": 4, "query": 8, "labels": [0, 1], "targets": [item[2], item[0]], "queue": item},
        {"user": 5, "query": 8, "labels": [0], "targets": [item[1]], "queue": item[:3]},
    ]
    pq.write_table(pa.Table.from_pylist(rows), made.source / "train.parquet")
    assert made.run("2021-01-01") == 0
    first = made.rows("request_logs", "2021-01-01")[:6]
    names = ("item_id", "category", "exposed", "label", "score")
    assert [tuple(row[name] for name in names) for row in first[:3]] == [
        (0, "0", 1, 1, 0.0),
        (1, "1", 0, None, -1.0),
        (2, "2", 1, 0, -2.0),
    ]


def test_mind_as_it_is_handed_out(tmp_path):
    made = Import(tmp_path, "mind")
    (made.source / "behaviors.tsv").write_text(
        "1\tU1\t11/15/2019 8:00:00 AM\tN9 N8\tN1-1 N2-0\n"
        "2\tU2\t11/15/2019 8:00:00 PM\t\tN2-0 N1-0 N3-1\n"
        "3\tU3\t11/16/2019 7:59:59 AM\t\tN1-0 N3-1\n",
        encoding="utf-8",
    )
    (made.source / "news.tsv").write_text(
        'N1\tsports\tgolf\tA "title\t\t\t\t\nN2\tnews\tus\t\t\t\t\t\n', encoding="utf-8"
    )
    assert made.run("2019-11-15") == 0
    rows = made.rows("request_logs", "2019-11-15")
    names = ("request_id", "item_id", "category", "score", "label", "exposed")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("1", "N1", "sports", 0.0, 1, 1),
        ("1", "N2", "news", 0.0, 0, 1),
        ("2", "N1", "sports", 1.0, 0, 1),
        ("2", "N2", "news", 0.0, 0, 1),
        ("2", "N3", "unknown", 0.0, 1, 1),
    ]
    assert made.run("2019-11-16") == 0
    later = {row["item_id"]: row["score"] for row in made.rows("request_logs", "2019-11-16")}
    assert later == {"N1": 1.0, "N3": 1.0}


def test_a_request_of_a_hundred_thousand_candidates_is_cut_to_the_best(tmp_path):
    made = Import(tmp_path, "candictr")
    item = [[n, n % 3, 1, 2, 9] for n in range(100_000)]
    row = {"user": 4, "query": 8, "labels": [1, 1], "targets": [item[2], item[99_999]]}
    pq.write_table(pa.Table.from_pylist([row | {"queue": item}]), made.source / "train.parquet")
    assert made.run("2021-01-01") == 0
    rows = made.rows("request_logs", "2021-01-01")
    assert [row["item_id"] for row in rows] == list(range(10_000))
    counts = made.manifest("request_logs", "2021-01-01").counts
    assert (counts["candidates"], counts["candidates_cut"]) == (10_000, 90_000)
    assert (counts["clicks"], counts["clicks_missed"], counts["shown_missed"]) == (1, 1, 1)
    assert {row["missed_positives"] for row in rows} == {1}


@pytest.mark.skipif(not WEEK.is_dir(), reason=f"no EB-NeRD week in {WEEK}; set CDM_TEST_DATA")
def test_the_real_news(tmp_path):
    made = Import(tmp_path, "ebnerd")
    made.source = WEEK
    assert made.run("2023-05-20") == 0
    counts = made.manifest("request_logs", "2023-05-20").counts
    wanted = {"source_rows": 24_724, "requests": 3_228, "candidates": 561_330}
    assert {name: counts[name] for name in wanted} == wanted
    assert counts["clicks"] + counts["clicks_missed"] == 3_234


@pytest.mark.skipif(not FILMS.is_dir(), reason=f"no MovieLens in {FILMS}; set CDM_TEST_DATA")
def test_the_real_films(tmp_path):
    made = Import(tmp_path, "movielens")
    made.source = FILMS
    assert made.run("1998-01-06") == 0
    counts = made.manifest("request_logs", "1998-01-06").counts
    assert counts["source_rows"] == 100_000
    assert counts["requests"] == 943
    rows = made.partition("request_logs", "1998-01-06").read(["user_id", "genres", "derived"])
    assert any(" " in genres for genres in rows["genres"].to_pylist()[:100])


@pytest.mark.skipif(not SEARCHES.is_dir(), reason=f"no JDsearch in {SEARCHES}; set CDM_TEST_DATA")
def test_the_real_searches(tmp_path):
    made = Import(tmp_path, "jdsearch")
    made.source = SEARCHES
    assert made.run("2023-01-01") == 0
    counts = made.manifest("request_logs", "2023-01-01").counts
    assert (counts["source_rows_used"], counts["requests"]) == (3, 3)
    assert 83 <= counts["candidates_max"] <= 90
