"""import_logs: a shop's logs to exact rows, every source row accounted for, through Spark."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from importing import Import

from jobs.cli import REFUSED

pytestmark = pytest.mark.usefixtures("spark")


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
    where = [(r["source_file"], r["source_row"], r["reason"], r["value"]) for r in lost]
    assert where == [
        ("items.tsv", 7, "an earlier row describes the id already", "a"),
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
    assert counts["quarantined in items[0]: an earlier row describes the id already"] == 1
    assert (counts["items"], counts["items_of_unknown_colour"]) == (5, 1)
    printed = capsys.readouterr().out
    assert "16 source rows = 8 used + 1 of other days + 6 quarantined" in printed
    assert "1 cut beyond 3 a request" in printed
    two = "rows of one request_id have different users or contexts"
    assert f"2 quarantined: {two} (first log-1.csv:9 'r3')" in printed
    assert "7 rows of items[0] = 6 used + 1 quarantined" in printed
    assert "4 shown\n" in printed
    assert "1 clicks\n" in printed


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
    profile.write_text(profile.read_text().replace("= 0.9", "= 0.2"), encoding="utf-8")
    assert made.run("2026-01-31") == REFUSED
    said = capsys.readouterr().err
    assert "4 of 14 source rows of the day (besides 1 of requests with too few candidates)" in said
    assert "28.6%, more than source.max_quarantined = 0.2 allows" in said
    assert "; 1 quarantined: score is NaN or infinite (first log-1.csv:6 'nan')" in said
    assert not any(p for p in made.lake.rglob("*") if p.is_file())


def test_a_fact_that_cannot_be_read_is_unknown_and_costs_no_row(tmp_path, capsys):
    made = shop(tmp_path)
    profile = Path(made.profile)
    text = profile.read_text().replace('item = ["colour"]', 'item = ["colour", "price"]')
    edges = '\nprice = { column = "eur", edges = [10.0, 20.0], decimal = "," }'
    profile.write_text(text.replace('colour = "colour"', f'colour = "colour"{edges}'))
    items = "sku\tcolour\teur\na\tred\t19,99\nb\tblue\t1.000,1\nc\tred\tfree\n"
    (made.source / "items.tsv").write_text(items, encoding="utf-8")
    assert made.run("2026-01-31") == 0
    rows = made.rows("request_logs", "2026-01-31")
    known = {(r["item_id"], r["colour"], r["price"]) for r in rows if r["item_id"] in "abc"}
    assert known == {("a", "red", "1"), ("b", "blue", "unknown"), ("c", "red", "unknown")}
    counts = made.manifest("request_logs", "2026-01-31").counts
    assert counts["unknown in items[0]: price is no number"] == 2
    assert counts["rows_used_of_items[0]"] == counts["rows_of_items[0]"] == 3
    said = "  2 unknown in items[0]: price is no number (first items.tsv:3 '1.000.1')"
    assert said in capsys.readouterr().out


def test_too_many_bad_rows_of_a_joined_file(tmp_path, capsys):
    made = shop(tmp_path)
    (made.source / "items.tsv").write_text("sku\tcolour\na\tred\n" + "\tred\n" * 10)
    assert made.run("2026-01-31") == REFUSED
    said = capsys.readouterr().err
    assert "10 of 11 rows of source.items[0] cannot be used: 90.9%, more than" in said
    assert "10 quarantined in items[0]: item_id is missing (first items.tsv:3)" in said


def test_rows_that_tell_no_day_are_held_against_all_rows(tmp_path, capsys):
    made = shop(tmp_path)
    profile = Path(made.profile)
    profile.write_text(profile.read_text().replace("= 0.9", "= 0.25"), encoding="utf-8")
    days = "".join(
        f"x{day}{n},ann,home,2026-01-{day} 10:00,{item},0.5,1,1\n"
        for day in (20, 21, 22, 23)
        for n in range(2)
        for item in "ab"
    )
    torn = "r,ann,home,yesterday,a,0.5,1,1\nr9,ann\n" * 2
    (made.source / "log-1.csv").write_text(HEADER + days + torn, encoding="utf-8")
    (made.source / "log-2.csv.gz").unlink()
    profile.write_text(profile.read_text().replace(', "log-*.csv.gz"', ""), encoding="utf-8")
    assert made.run("2026-01-21") == 0  # 4 of 20, not 4 of the day's 8
    counts = made.manifest("request_logs", "2026-01-21").counts
    assert counts["source_rows_quarantined"] == 4
    assert counts["source_rows_quarantined_of_any_day"] == 4
    (made.source / "log-1.csv").write_text(HEADER + days + torn * 2, encoding="utf-8")
    assert made.run("2026-01-21") == REFUSED
    said = capsys.readouterr().err
    assert "8 of 24 source rows, which tell no day, cannot be used: 33.3%" in said


def test_a_day_without_a_click_is_refused(tmp_path, capsys):
    made = shop(tmp_path)
    bought = FIRST.replace("0.9,1,1", "0.9,1,0")
    (made.source / "log-1.csv").write_text(HEADER + bought, encoding="utf-8")
    assert made.run("2026-01-31") == REFUSED
    assert "none of the day's 4 shown candidates was clicked" in capsys.readouterr().err


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
