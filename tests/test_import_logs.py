"""import_logs: any source to exact rows, every source row accounted for, through Spark."""

import gzip
import os
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ebnerd_folder import IMPRESSIONS, behaviors, write_folder

from jobs import import_logs, ingest
from jobs.cli import REFUSED
from jobs.lake import Lake
from jobs.manifest import Manifest
from jobs.profile.load import load_profile
from jobs.sources.coread import WIDTH, coread_vectors

WEEK = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "ebnerd_week"
FILMS = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "ml-100k"
SEARCHES = Path(os.environ.get("CDM_TEST_DATA", "../shared/data")) / "jdsearch_sample"
pytestmark = pytest.mark.usefixtures("spark")


class Import:
    """One source, imported by a profile into a lake of its own."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.lake, self.source, self.profile = folder / "lake", folder / "raw", profile
        self.source.mkdir(parents=True, exist_ok=True)

    def run(self, day: str, *flags: str) -> int:
        where = ["--lake", str(self.lake), "--date", day, "--profile", self.profile]
        return import_logs.main([*where, "--source", str(self.source), *flags])

    def rows(self, table: str, day: str) -> list[dict]:
        partition = self.partition(table, day)
        by_key = [(name, "ascending") for name in partition.table.key]
        return partition.read().sort_by(by_key).to_pylist()

    def manifest(self, table: str, day: str) -> Manifest:
        return self.partition(table, day).manifest()

    def partition(self, table: str, day: str):
        lake = Lake(self.lake, load_profile(self.profile).tables)
        return lake.partition(table, date.fromisoformat(day))


SHOP = """
name = "shop"
k = [2]
[fields]
user_id = "string"
item_id = "string"
item = ["colour"]
context = ["page"]
category = "colour"
[source]
kind = "files"
most_candidates = 3
max_quarantined = 0.9
[source.logs]
files = ["log-*.csv", "log-*.csv.gz"]
[source.logs.columns]
request_id = "req"
user_id = "visitor"
page = "page"
ts = { column = "at", zone = "UTC" }
item_id = "sku"
score = "rank_score"
exposed = "shown"
label = "bought"
[[source.items]]
files = "items.tsv"
missing = "MISSING"
[source.items.columns]
item_id = "sku"
colour = "colour"
[teacher]
k = 2
[promotion]
k = 2
"""
HEADER = "req,visitor,page,at,sku,rank_score,shown,bought\n"
FIRST = """r1,ann,home,2026-01-31 10:00,a,0.9,1,1
r1,ann,home,2026-01-31 10:00,b,0.8,1,0
r1,ann,home,2026-01-31 10:00,"c ""x"", d",0.7,0,
r1,ann,home,2026-01-31 10:00,a,0.6,1,0
r2,bob,home,2026-01-31 11:00,a,nan,1,0
r2,bob,home,2026-01-31 11:00,b,0.5,1,0
r2,bob,home,2026-01-31 11:00,c,0.4,1,0
r3,ann,home,2026-01-31 12:00,a,0.5,0,
r3,eve,home,2026-01-31 12:00,b,0.4,0,
r4,ann,home,2026-01-31 13:00,a,0.5,1,1
r5,ann,home,2026-02-01 00:20,a,0.5,1,1
"""
SECOND = """r6,ann,list,2026-01-31 23:59:59,e,0.1,0,
r6,ann,list,2026-01-31 23:59:59,d,0.2,0,
r6,ann,list,2026-01-31 23:59:59,c,0.3,0,
r6,ann,list,2026-01-31 23:59:59,b,0.4,0,
r7,ann
"""
ITEMS = 'sku\tcolour\na\tred\nb\tblue\nc\t\nd\tred\ne\tred\na\tgreen\n"c ""x"", d"\tred\n'


def shop(folder: Path, missing: str = "unknown") -> Import:
    (folder / "shop.toml").write_text(SHOP.replace("MISSING", missing), encoding="utf-8")
    made = Import(folder, str(folder / "shop.toml"))
    (made.source / "log-1.csv").write_text(HEADER + FIRST, encoding="utf-8")
    (made.source / "log-2.csv.gz").write_bytes(gzip.compress((HEADER + SECOND).encode()))
    (made.source / "items.tsv").write_text(ITEMS, encoding="utf-8")
    return made


def test_a_row_a_candidate_in_several_files(tmp_path, capsys):
    made = shop(tmp_path)
    assert made.run("2026-01-31") == 0
    rows = made.rows("request_logs", "2026-01-31")
    names = ("request_id", "item_id", "colour", "score", "exposed", "label")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("r1", "a", "red", 0.9, 1, 1),
        ("r1", "b", "blue", 0.8, 1, 0),
        ("r1", 'c "x", d', "red", 0.7, 0, None),
        ("r2", "b", "blue", 0.5, 1, 0),
        ("r2", "c", "unknown", 0.4, 1, 0),
        ("r6", "b", "blue", 0.4, 0, None),
        ("r6", "c", "unknown", 0.3, 0, None),
        ("r6", "d", "red", 0.2, 0, None),
    ]
    assert {(r["request_id"], r["user_id"], r["page"], r["ts"]) for r in rows} == {
        ("r1", "ann", "home", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("r2", "bob", "home", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        ("r6", "ann", "list", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
    }
    assert {(r["derived"], r["missed_positives"], r["shown_rank"]) for r in rows} == {(0, 0, None)}

    lost = made.rows("quarantine", "2026-01-31")
    where = [(Path(r["source_file"]).name, r["source_row"], r["reason"], r["value"]) for r in lost]
    assert where == [
        ("items.tsv", 7, "item_id is described in an earlier row already", "a"),
        ("log-1.csv", 5, "the candidate is in the request already", "a"),
        ("log-1.csv", 6, "score is NaN or infinite", "nan"),
        ("log-1.csv", 9, "rows of one request_id have different users or contexts", "r3"),
        ("log-1.csv", 10, "rows of one request_id have different users or contexts", "r3"),
        ("log-1.csv", 11, "the request has fewer than 2 candidates", "r4"),
        ("log-2.csv.gz", 6, "not 8 columns", "2"),
    ]
    assert lost[-1]["raw"] == "r7 | ann"
    counts = made.manifest("request_logs", "2026-01-31").counts
    assert counts["source_rows"] == 16
    assert counts["source_rows_used"] == 8
    assert counts["source_rows_cut"] == 1
    assert counts["source_rows_of_other_days"] == 1
    assert counts["source_rows_quarantined"] == 6
    assert counts["requests_without_exposure"] == 1
    assert counts["candidates_cut"] == 1
    assert counts["joined_rows_quarantined"] == 1
    assert (counts["items"], counts["items_of_unknown_colour"]) == (5, 1)
    printed = capsys.readouterr().out
    assert "16 source rows = 8 used + 1 of other days + 6 quarantined" in printed
    assert "1 cut beyond 3 a request" in printed
    assert "2 quarantined: rows of one request_id have different users or contexts" in printed


def test_an_item_that_is_in_no_item_file_may_cost_its_row(tmp_path):
    made = shop(tmp_path, missing="quarantine")
    (made.source / "items.tsv").write_text("sku\tcolour\na\tred\nb\tred\n", encoding="utf-8")
    assert made.run("2026-01-31") == 0
    lost = [r for r in made.rows("quarantine", "2026-01-31") if "item files" in r["reason"]]
    assert {r["value"] for r in lost} == {'c "x", d', "c", "d", "e"}
    assert {r["item_id"] for r in made.rows("request_logs", "2026-01-31")} == {"a", "b"}


def test_ids_that_are_in_no_file_are_counted_and_refused_where_all_are(tmp_path, capsys):
    made = shop(tmp_path)
    (made.source / "items.tsv").write_text("sku\tcolour\na\tred\nb\tred\n", encoding="utf-8")
    assert made.run("2026-01-31") == 0
    assert made.manifest("request_logs", "2026-01-31").counts["items_not_in_items[0]"] == 3
    assert "3 of 5 items are not in items[0]: 'unknown'" in capsys.readouterr().out
    (made.source / "items.tsv").write_text("sku\tcolour\nA\tred\nB\tred\n", encoding="utf-8")
    assert made.run("2026-01-31") == REFUSED
    said = capsys.readouterr().err
    assert "none of the day's 5 items is in source.items[0]: is its item_id the right" in said


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
def test_a_day_of_a_zone_is_whole_where_the_clock_changes(tmp_path, day, hours):
    made = shop(tmp_path)
    profile = Path(made.profile)
    text = profile.read_text().replace('["log-*.csv", "log-*.csv.gz"]', '"log-{date}.csv"')
    text = text.replace('zone = "UTC"', 'zone = "Europe/Berlin"')
    profile.write_text(text.replace("k = [2]", 'k = [2]\nday_zone = "Europe/Berlin"', 1))
    at = [f"{day} 00:00", f"{day} 12:00", f"{day} 23:59:59"]
    rows = "".join(f"r{n},ann,home,{t},{i},0.5,1,1\n" for n, t in enumerate(at) for i in "ab")
    (made.source / f"log-{day}.csv").write_text(HEADER + rows, encoding="utf-8")
    assert made.run(day) == 0
    found = [row["ts"] for row in made.rows("request_logs", day)]
    assert len(found) == 6
    assert round((max(found) - min(found)).total_seconds() / 3600) == hours
    assert made.manifest("request_logs", day).counts["source_rows_quarantined"] == 0


def test_too_much_in_quarantine_publishes_nothing(tmp_path, capsys):
    made = shop(tmp_path)
    profile = Path(made.profile)
    profile.write_text(profile.read_text().replace("= 0.9", "= 0.3"), encoding="utf-8")
    assert made.run("2026-01-31") == REFUSED
    said = capsys.readouterr().err
    assert "5 of 15 source rows of the day cannot be used (besides 1 of requests with" in said
    assert "33.3%, more than source.max_quarantined = 0.3 allows" in said
    assert "; 1 x score is NaN or infinite (log-1.csv:6 'nan')" in said
    assert not any(p for p in made.lake.rglob("*") if p.is_file())


def test_a_day_that_the_source_has_not(tmp_path, capsys):
    made = shop(tmp_path)
    assert made.run("2026-03-01") != 0
    said = capsys.readouterr().err
    assert "of 16 source rows none is on 2026-03-01 (from 00:00 UTC on)" in said
    assert "Give another --date" in said


def test_files_named_for_a_day_hold_that_day_alone(tmp_path):
    made = shop(tmp_path)
    profile = Path(made.profile)
    text = profile.read_text().replace('["log-*.csv", "log-*.csv.gz"]', '"log-{date}.csv"')
    profile.write_text(text, encoding="utf-8")
    (made.source / "log-2026-01-31.csv").write_text(HEADER + FIRST, encoding="utf-8")
    (made.source / "log-2026-01-30.csv").write_text(HEADER, encoding="utf-8")
    assert made.run("2026-01-31") == 0
    lost = made.rows("quarantine", "2026-01-31")
    assert [r["source_row"] for r in lost if "day that its file" in r["reason"]] == [12]
    assert made.manifest("request_logs", "2026-01-31").counts["source_rows_of_other_days"] == 0


def test_what_a_task_refuses_is_said_in_its_own_words(tmp_path, capsys):
    made = shop(tmp_path)
    whole = (made.source / "log-2.csv.gz").read_bytes()
    (made.source / "log-2.csv.gz").write_bytes(whole[:-9])
    assert made.run("2026-01-31") != 0
    said = capsys.readouterr().err
    assert said.startswith(f"import_logs: refused: {made.source / 'log-2.csv.gz'} (")
    assert "is damaged or not of the format that the profile says" in said
    assert said.count("\n") == 1
    assert not any(p for p in made.lake.rglob("*") if p.is_file())


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


EVENTS = """
name = "events"
k = [2]
[fields]
item = []
[source]
kind = "files"
candidates = "sample"
pool_size = 1
session_minutes = 30
window_minutes = 1440
max_quarantined = 0.9
[source.logs]
files = "events.csv"
rows = "events"
[source.logs.columns]
user_id = "u"
item_id = "i"
ts = { column = "t", zone = "UTC" }
label = "l"
[teacher]
k = 2
[promotion]
k = 2
"""


def test_sessions_of_events(tmp_path):
    (tmp_path / "events.toml").write_text(EVENTS, encoding="utf-8")
    made = Import(tmp_path, str(tmp_path / "events.toml"))
    (made.source / "events.csv").write_text(
        "u,i,t,l\n"
        "1,10,2026-01-01 00:00,1\n1,11,2026-01-01 00:29,0\n"  # one session of two
        "1,12,2026-01-01 00:59,1\n"  # after a pause of 30 minutes
        "2,13,2026-01-01 01:00,1\n2,13,2026-01-01 01:01,0\n",  # the same again
        encoding="utf-8",
    )
    assert made.run("2026-01-01") == 0
    rows = made.rows("request_logs", "2026-01-01")
    requests: dict[str, list] = {}
    for row in rows:
        requests.setdefault(row["request_id"], []).append((row["item_id"], row["derived"]))
    first, last = 1_767_225_600_000_000, 1_767_225_600_000_000 + 3_600_000_000
    assert requests[f"1-{first}"] == [(10, 0), (11, 0)]
    assert requests[f"2-{last}"][0][1] + requests[f"2-{last}"][1][1] == 1
    reasons = {row["source_row"]: row["reason"] for row in made.rows("quarantine", "2026-01-01")}
    assert reasons == {
        4: "the request has fewer than 2 candidates",
        6: "the candidate is in the request already",
    }


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
