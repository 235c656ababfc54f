"""Drafts: by which pattern a profile names the files that a sample is one of."""

from pathlib import Path

import pytest
from drafting import drafted, is_good, why

from jobs.profile.file_pattern import start_of
from jobs.profile.load import load_profile

CANDIDATES = "request_id,user_id,ts,item_id,clicked\n" + "".join(
    f"{n // 4},{n // 8},{1767225600 + n // 4 * 60},{n % 7},{n % 2}\n" for n in range(40)
)
EVENTS = "user_id,ts,item_id,rating\n" + "".join(
    f"{n % 8},{1767225600 + n},{n % 7},{n % 5}\n" for n in range(40)
)
ITEMS = "item_id,category\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(7))


def write(folder: Path, text: str, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def logs_of(values: dict) -> tuple[str, str, str]:
    logs = values["source"]["logs"]
    return values["source"]["path"], logs["files"], logs.get("date_format", "")


UUID = "1f2e3d4c-0000-4444-8888-0123456789ab"


@pytest.mark.parametrize(
    ("sample", "path", "files", "date_format"),
    [
        ("log-2026-01-31.csv", "raw", "log-{date}.csv", ""),
        ("log_20260131.csv", "raw", "log_{date}.csv", "%Y%m%d"),
        ("log_2026_01_31.csv", "raw", "log_{date}.csv", "%Y_%m_%d"),
        ("log_2026013109.csv", "raw", "log_{date}09.csv", "%Y%m%d"),
        ("2026-01-31/part-0.csv", "raw", "{date}/part-0.csv", ""),
        ("logs/dt=2026-01-31/part-0.csv", "raw/logs", "dt={date}/part-0.csv", ""),
        ("dt=20260131/hour=07/part-0.csv", "raw", "dt={date}/hour=07/part-0.csv", "%Y%m%d"),
        ("2026/01/31/log.csv", "raw", "{date}/log.csv", "%Y/%m/%d"),
        ("2026-01-31/log-2026-01-31.csv", "raw", "{date}/log-{date}.csv", ""),
        (f"dt=2026-01-31/part-0-{UUID}.csv", "raw", "dt={date}/part-0-*.csv", ""),
        ("log-12345678.csv", "raw", "log-12345678.csv", ""),
        ("log-2026-02-31.csv", "raw", "log-2026-02-31.csv", ""),
        ("v2/log[1].csv", "raw/v2", "log[[]1].csv", ""),
    ],
)
def test_the_day_in_a_name_is_the_date(folder, sample, path, files, date_format):
    write(folder, CANDIDATES, sample)
    assert logs_of(drafted(sample)[1]) == (path, files, date_format)
    assert is_good()


def test_numbers_that_differ_from_file_to_file_are_a_star(folder):
    names = [f"dt=2026-01-{day}/h{hour:02d}/p-0.csv" for day in (30, 31) for hour in range(3)]
    write(folder, CANDIDATES, *names)
    text, values = drafted(names[0])
    assert logs_of(values) == ("raw", "dt={date}/h*/p-0.csv", "")
    assert why(text, "files") == (
        "# {date} stands for the day; * stands for what differs from file to file; 6 files here fit"
    )
    assert is_good()


def test_a_star_fits_no_file_that_is_called_otherwise(folder):
    write(folder, CANDIDATES, "log1.csv", "log2.csv")
    write(folder, "x", "logins.csv")
    text, values = drafted("log1.csv")
    assert values["source"]["logs"]["files"] == "log[0-9]*.csv"
    assert why(text, "files").endswith("2 files here fit")


def test_events_are_read_without_a_date(folder):
    write(folder, EVENTS, "2026-01-30.csv", "2026-01-31.csv")
    write(folder, ITEMS, "items.csv")
    text, values = drafted("2026-01-31.csv", "items.csv")
    assert logs_of(values) == ("raw", "[0-9]*.csv", "")
    assert why(text, "files").startswith("# [0-9]* stands for the day (a visit goes on after")
    assert load_profile("my.toml").source.logs.rows == "events"
    assert is_good()


def test_item_files_that_are_called_alike_are_all_meant_unless_one_is_something_else(folder):
    write(folder, CANDIDATES, "data1.csv", "data3.csv")
    write(folder, ITEMS, "data2.csv", "items-1.csv", "items-2.csv")
    _, values = drafted("data1.csv", "data2.csv")
    assert values["source"]["logs"]["files"] == "data1.csv"
    assert values["source"]["items"][0]["files"] == "data2.csv"
    assert drafted("data1.csv", "items-1.csv")[1]["source"]["items"][0]["files"] == "items-*.csv"
    (folder / "data2.csv").unlink()
    write(folder, ITEMS, "2026-01-31/items-1.csv", "2026-01-31/items-2.csv")
    _, values = drafted("data1.csv", "2026-01-31/items-1.csv")
    assert values["source"]["path"] == "raw"
    assert values["source"]["items"][0]["files"] == "{date}/items-*.csv"
    assert is_good()


def test_files_start_from_the_folder_above_the_day():
    assert start_of(Path("log.csv")) == Path()
    assert start_of(Path("2026-01-31/log.csv")) == Path()
    assert start_of(Path("/a/2026-01-31/b/log.csv")) == Path("/a")
    assert start_of(Path("/a/2026-01-31/b/c/d/e/log.csv")) == Path("/a/2026-01-31/b/c/d/e")
