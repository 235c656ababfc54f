"""import_logs: a shop's logs to exact rows, every source row accounted for, through Spark."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from importing import Import
from raw_shop import FIRST, HEADER, shop

from jobs.cli import REFUSED

pytestmark = pytest.mark.usefixtures("spark")


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


def test_a_day_without_a_click_is_refused(tmp_path, capsys):
    made = shop(tmp_path)
    bought = FIRST.replace("0.9,1,1", "0.9,1,0")
    (made.source / "log-1.csv").write_text(HEADER + bought, encoding="utf-8")
    assert made.run("2026-01-31") == REFUSED
    assert "none of the day's 4 shown candidates was clicked" in capsys.readouterr().err


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
