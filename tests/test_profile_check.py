"""python -m jobs.profile --check: what is wrong with the files themselves, all at once."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from raw_profile import GOOD, HEAD, JOINED, line_of

from jobs.profile.__main__ import main


@pytest.fixture
def raw(tmp_path):
    """The files that the good profile names."""
    folder = tmp_path / "raw"
    folder.mkdir()
    day = "request,user,time,item,click,score,price\n1,2,1767225600,3,0,0.5,9.5\n"
    (folder / "logs-2026-01-01.csv").write_text(day)
    (folder / "items.csv").write_text("item,brand\n3,x\n")
    (folder / "more.csv").write_text("item,brand\n4,y\n")
    (folder / "users.csv").write_text("user,tab\n2,home\n")
    return folder


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Run --check on a text; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(text: str = GOOD) -> tuple[int, str, str]:
        (tmp_path / "my.toml").write_text(text, encoding="utf-8")
        code = main(["--check", "my.toml"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_good_profile_is_told_what_comes_next(raw, check):
    assert check() == (
        0,
        "my.toml is good: 4 files, 11 columns mapped, log rows are candidates; next: "
        "python -m jobs.import_logs --lake lake --date YYYY-MM-DD --profile my.toml\n",
        "",
    )


def test_a_simulated_profile_names_no_files(capsys):
    assert main(["--check", "toy"]) == 0
    assert "from no files; next: python -m jobs.simulate_logs" in capsys.readouterr().out


def test_files_and_columns_that_are_not_there_are_told_at_once(raw, check):
    (raw / "logs-2026-01-01.csv").rename(raw / "logs-2026-1-01.csv")
    (raw / "users.csv").write_text("userr,tab\n2,home\n")
    code, out, err = check(GOOD.replace('"more.csv"', '"mor.csv"'))
    assert (code, out) == (2, "")
    logs, items, user = line_of('files = "logs'), line_of("files = ["), line_of("user_id", 1)
    there = "There is items.csv, logs-2026-1-01.csv, more.csv, users.csv"
    assert err == (
        "profile: refused: profile my.toml has 3 problems:\n"
        f"  line {logs}: source.logs.files[0] = 'logs-{{date}}.csv' fits no file below raw; "
        f"did you mean 'logs-2026-1-01.csv'? {there}\n"
        f"  line {items}: source.items[0].files[1] = 'mor.csv' fits no file below raw; "
        f"did you mean 'more.csv'? {there}\n"
        f"  line {user}: source.users[0].columns.user_id = 'user' is no column of users.csv; "
        "did you mean 'userr'? There is userr, tab\n"
    )


def test_a_folder_that_is_not_there(check):
    code, _, err = check()
    assert code == 2
    assert f"line {line_of('path')}: source.path = 'raw' is no folder; give the one with" in err


def test_a_profile_that_does_not_load_is_refused_as_elsewhere(check):
    code, _, err = check(GOOD.replace("[source.logs]", "[source.log]"))
    assert code == 2
    assert "unknown key source.log; did you mean source.logs?" in err


def test_columns_are_counted_where_nothing_names_them(raw, check):
    (raw / "users.csv").write_text("2,home,x\n3,away,y\n")
    code, _, err = check(
        GOOD.replace('"users.csv"', '"users.csv"\nheader = false\nnames = ["user", "tab"]')
    )
    assert code == 2
    assert (
        "source.users[0].columns: 2 of the first 2 rows of users.csv cannot be used: not 2 columns "
        "(2, such as line 1 has '3'); correct the columns; or delimiter, quote, header or names"
    ) in err


def test_the_first_rows_are_read_as_an_import_reads_them(raw, check):
    log = raw / "logs-2026-01-01.csv"
    log.write_text(log.read_text() + "1,2,1767225601,4,7,0.5,9.5\n1,2,1767225602,5,1,0.1,9.5\n")
    code, out, _ = check()
    assert code == 0
    told = "1 of the first 3 rows of logs-2026-01-01.csv cannot be used: label is neither 0 nor 1"
    assert out.startswith(f"  {told} (1, such as line 3 has '7')\nmy.toml is good: ")
    code, _, err = check(GOOD.replace('unit = "s"', 'zone = "UTC"'))
    assert code == 2
    assert "3 of the first 3 rows of logs-2026-01-01.csv cannot be used: ts is missing or" in err


def test_a_format_that_no_name_tells_and_a_file_that_is_none(raw, check):
    (raw / "users.csv").rename(raw / "users.data")
    text = GOOD.replace('"users.csv"', '"users.data"')
    code, _, err = check(text)
    assert code == 2
    assert "users.data: its name does not say its format; give format = parquet, feather" in err
    code, _, err = check(text.replace('"users.data"', '"users.data"\nformat = "parquet"'))
    assert code == 2
    assert "users.data (16 bytes) is damaged or not of the format that the profile says" in err
    assert check(text.replace('"users.data"', '"users.data"\nformat = "csv"'))[0] == 0


REQUESTS = """
[source.logs]
files = "logs.parquet"
rows = "requests"

[source.logs.columns]
request_id = "request"
user_id = "user"
ts = { column = "time", unit = "s" }
item_id = "shown.item"
label = { among = { column = "clicks", split = " " } }
score = "shown.score"
price = "shown.price"
"""


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_lists_must_be_lists_and_members_of_a_list_of_structs_are(raw, check, kind):
    shown = pa.array([[{"item": 3, "score": 0.5, "price": 9.5}]])
    one = {"request": [1], "user": [2], "time": [1], "items": ["3 4"], "clicks": ["3"]}
    write = {"parquet": pq.write_table, "feather": feather.write_feather}[kind]
    write(pa.table({**one, "shown": shown}), raw / f"logs.{kind}")
    text = HEAD + REQUESTS.replace("logs.parquet", f"logs.{kind}") + JOINED
    assert check(text)[0] == 0

    text = text.replace('"shown.item"', '"items"').replace('"shown.score"', '"shown.scor"')
    text = text.replace('user_id = "user"\nts', 'user_id = "shown.item"\nts')
    text = text.replace('"shown.price"', '{ column = "shown.price", split = "," }')
    code, _, err = check(text)
    assert code == 2
    for words in (
        "item_id = 'items' is no list, and one is needed; if it is text, say where it is cut",
        f"score = 'shown.scor' is no column of logs.{kind}; did you mean 'shown.score'? There is ",
        "user_id = 'shown.item' is a list, where one value is needed",
        "price.split: 'shown.price' is a list already; take split out",
    ):
        assert words in err
    assert "has 4 problems" in err


def test_a_category_of_several_values_needs_something_between_them(raw, check):
    for name in ("items", "more"):
        pq.write_table(pa.table({"item": [3], "brand": [["x", "y"]]}), raw / f"{name}.parquet")
    text = GOOD.replace('["items.csv", "more.csv"]', '["items.parquet", "more.parquet"]')
    by_brand = text.replace("[fields]", '[fields]\ncategory = "brand"')
    code, _, err = check(by_brand)
    assert code == 2
    assert "brand = 'brand' is a list, and fields.category_separator is missing; give what" in err
    assert check(by_brand.replace("[fields]", '[fields]\ncategory_separator = "|"'))[0] == 0
    assert (
        check(by_brand.replace('brand = "brand"', 'brand = { column = "brand", part = 0 }'))[0] == 0
    )
