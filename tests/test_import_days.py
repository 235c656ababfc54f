"""import_logs: which rows are of a day, whatever files and clocks they come from, through Spark."""

from pathlib import Path

import pytest
from raw_shop import FIRST, HEADER, shop

from jobs.cli import REFUSED

pytestmark = pytest.mark.usefixtures("spark")


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


@pytest.mark.parametrize("files", ['["log-*.csv"]', '"log-{date}.csv"'])
def test_a_request_over_midnight_is_whole_on_the_day_it_began(tmp_path, files):
    made = shop(tmp_path)
    profile = Path(made.profile)
    text = profile.read_text().replace('["log-*.csv", "log-*.csv.gz"]', files)
    profile.write_text(text, encoding="utf-8")
    for path in made.source.glob("log-*"):
        path.unlink()
    over = "r1,ann,home,2026-01-30 23:59:58,a,0.9,1,1\nr1,ann,home,2026-01-31 00:00:03,b,0.8,1,0\n"
    next_day = FIRST.replace("r1,", "n1,")
    kept = next_day[: next_day.index("r5,")]
    (made.source / "log-2026-01-30.csv").write_text(HEADER + over, encoding="utf-8")
    (made.source / "log-2026-01-31.csv").write_text(HEADER + kept, encoding="utf-8")
    assert made.run("2026-01-30") == 0
    rows = made.rows("request_logs", "2026-01-30")
    assert [(r["request_id"], r["item_id"], f"{r['ts']:%d %T}") for r in rows] == [
        ("r1", "a", "30 23:59:58"),
        ("r1", "b", "30 23:59:58"),
    ]
    assert made.run("2026-01-31") == 0
    assert "r1" not in {r["request_id"] for r in made.rows("request_logs", "2026-01-31")}
    lost = made.rows("quarantine", "2026-01-31")
    assert not any("2026-01-30" in r["source_file"] for r in lost)
    assert made.manifest("quarantine", "2026-01-30").rows == 1  # the item that is there twice


def test_files_of_one_name_in_folders_of_days(tmp_path):
    made = shop(tmp_path)
    profile = Path(made.profile)
    text = profile.read_text().replace('["log-*.csv", "log-*.csv.gz"]', '"dt={date}/part-*.csv"')
    text = text.replace('request_id = "req"', "request_id = { row_number = true }")
    text = text.replace('score = "rank_score"', 'score = { derive = "popularity" }')
    text = text.replace("[source.logs]", "window_minutes = 2880\n[source.logs]", 1)
    lists = 'rows = "requests"\n[source.logs.columns]'
    text = text.replace("[source.logs.columns]", lists, 1).replace(
        'item_id = "sku"\n', 'item_id = { column = "skus", split = " " }\n', 1
    )
    text = text.replace('exposed = "shown"\n', "").replace(
        'label = "bought"', 'label = { among = { column = "bought", split = " " } }'
    )
    profile.write_text(text, encoding="utf-8")
    days = {"30": "eve,home,2026-01-30 22:00,a b,b\n", "31": "ann,home,2026-01-31 09:00,a b,b\n"}
    for day, rows in days.items():
        folder = made.source / f"dt=2026-01-{day}"
        folder.mkdir()
        short = f"x,home,2026-01-{day} 10:00,a a,a\n"
        for part in (0, 1):
            content = "visitor,page,at,skus,bought\n" + rows + short * part
            (folder / f"part-{part}.csv").write_text(content, encoding="utf-8")
    assert made.run("2026-01-31") == 0
    names = ("request_id", "item_id", "score", "label")
    assert [tuple(r[n] for n in names) for r in made.rows("request_logs", "2026-01-31")] == [
        ("dt=2026-01-31/part-0.csv:2", "a", 0.0, 0),
        ("dt=2026-01-31/part-0.csv:2", "b", 2.0, 1),
        ("dt=2026-01-31/part-1.csv:2", "a", 0.0, 0),
        ("dt=2026-01-31/part-1.csv:2", "b", 2.0, 1),
    ]
    lost = [r for r in made.rows("quarantine", "2026-01-31") if r["part"] == "logs"]
    where = [(r["source_file"], r["source_row"], r["reason"], r["value"]) for r in lost]
    twice = "a candidate is in the list twice"
    assert where == [("dt=2026-01-31/part-1.csv", 3, twice, "a")]
    counts = made.manifest("request_logs", "2026-01-31").counts
    assert (counts["source_rows"], counts["source_rows_of_other_days"]) == (6, 3)
