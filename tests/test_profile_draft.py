"""python -m jobs.profile --sample: drafts of logs of every kind parse, and say what is missing."""

import random
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drafting import drafted, why, write_text

from jobs.profile.__main__ import main

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def candidate_files(folder) -> Path:
    """A search log with a candidate a row, and its products."""
    chance = random.Random(1)
    rows = [
        ["search_id", "member_id", "ts", "product_id", "price", "position", "clicked", "device"]
    ]
    for request in range(40):
        moment = int((START + timedelta(minutes=request)).timestamp())
        device = chance.choice(["phone", "desk"])
        for place, product in enumerate(chance.sample(range(100, 130), 5), 1):
            clicked = int(chance.random() < 0.2)
            price = round(chance.random() * 90, 2)
            user = f"u{request % 9}"
            rows.append([7000 + request, user, moment, product, price, place, clicked, device])
    write_text(folder / "searches-2026-01-01.csv", rows)
    products = [["product_id", "title", "category", "weight"]]
    for product in range(100, 130):
        kinds = chance.sample(["home", "garden", "kitchen", "toys"], 1 + product % 2)
        products.append([product, f"Product, no. {product}", "|".join(kinds), product * 3])
    write_text(folder / "products.csv", products)
    return folder


def test_candidate_rows_and_item_files_need_nothing_more(candidate_files, golden, capsys):
    text, values = drafted("searches-2026-01-01.csv", "products.csv")
    golden("draft.toml", text)
    assert "# TODO" not in text
    assert main(["--check", "my.toml"]) == 0
    assert capsys.readouterr().out.startswith("my.toml is good: 2 files, 10 columns mapped")
    logs = values["source"]["logs"]
    assert (logs["files"], logs["rows"]) == ("searches-{date}.csv", "candidates")
    assert logs["columns"] == {
        "request_id": "search_id",
        "user_id": "member_id",
        "ts": {"column": "ts", "unit": "s"},
        "item_id": "product_id",
        "label": "clicked",
        "shown_rank": "position",
        "score": {"derive": "popularity"},
    }
    fields = values["fields"]
    assert (fields["request_id"], fields["user_id"], fields["item_id"]) == (
        "int64", "string", "int64",
    )  # fmt: skip
    assert fields["item"] == ["category", "weight"]
    assert (fields["category"], fields["category_separator"]) == ("category", "|")
    assert len(values["source"]["items"][0]["columns"]["weight"]["edges"]) == 4


def test_without_out_the_draft_is_printed(candidate_files, capsys):
    assert main(["--sample", "raw/searches-2026-01-01.csv"]) == 0
    values = tomllib.loads(capsys.readouterr().out)
    assert values["name"] == "searches_2026_01_01"


def test_events_with_ratings_and_user_files_as_in_movielens(folder, capsys):
    chance = random.Random(4)
    seconds = int(START.timestamp())
    rows = [["user_id:token", "item_id:token", "rating:float", "timestamp:float"]]
    rows += [
        [1 + n % 12, chance.randint(1, 60), chance.randint(1, 5), seconds + 60 * n]
        for n in range(200)
    ]
    write_text(folder / "ml.inter", rows, "\t")
    genres = ["Comedy", "Drama", "Action Comedy", "Drama Action"]
    items = [[n, f"Film {n}", genres[n % 4]] for n in range(1, 61)]
    header = ["item_id:token", "movie_title:token_seq", "class:token_seq"]
    write_text(folder / "ml.item", [header, *items], "\t")
    users = [[n, "MF"[n % 2]] for n in range(1, 13)]
    write_text(folder / "ml.user", [["user_id:token", "gender:token"], *users], "\t")

    _, values = drafted("ml.inter", "ml.item", "ml.user")
    assert main(["--check", "my.toml"]) == 0, capsys.readouterr().err
    source = values["source"]
    assert (source["logs"]["rows"], source["logs"]["format"]) == ("events", "tsv")
    assert source["logs"]["columns"] == {
        "user_id": "user_id:token",
        "ts": {"column": "timestamp:float", "unit": "s"},
        "item_id": "item_id:token",
        "label": {"column": "rating:float", "at_least": 3},
    }
    assert (source["candidates"], source["session_minutes"]) == ("window", 30)
    assert source["items"][0]["columns"] == {
        "item_id": "item_id:token",
        "class": "class:token_seq",
    }
    assert source["users"][0]["columns"] == {"user_id": "user_id:token", "gender": "gender:token"}
    assert values["fields"]["category_separator"] == " "
    assert (values["fields"]["item"], values["fields"]["context"]) == (["class"], ["gender"])


def test_what_cannot_be_told_is_a_todo_and_all_that_check_misses(folder, capsys):
    rows = [["who", "what", "session_id", "clicked"]]
    rows += [[n % 3, f"x{n % 10}", n // 5, n % 2] for n in range(60)]
    write_text(folder / "log.csv", rows, ";")
    write_text(folder / "other.csv", [["colour", "count"], ["red", 3], ["red", 4]])
    text, values = drafted("log.csv", "other.csv")
    assert values["source"]["logs"]["delimiter"] == ";"
    asked = [line.split()[2] for line in text.splitlines() if line.startswith("# TODO ")]
    assert asked == ["user_id:", "ts:", "item_id:", "other.csv:"]
    assert why(text, "item_id").endswith("Columns left: who, e.g. '0'; what, e.g. 'x0'")
    assert main(["--check", "my.toml"]) == 2
    err = capsys.readouterr().err
    assert "has 3 problems" in err
    for key in ("user_id", "ts", "item_id"):
        assert f"source.logs.columns.{key} is missing" in err


def test_names_of_any_kind_give_a_draft_that_parses(folder, capsys):
    odd = ['we"ird', "back\\slash", "new\nline", "\x7f", "名前", "a.b", "", "Label", "label!"]
    rows = {"user_id": [1, 1], "item_id": [2, 3], "ts": [START, START], "clicked": [0, 1]}
    rows |= {name: ["\x07\n'\"", "x"] for name in odd}
    pq.write_table(pa.table(rows), folder / "a.parquet")
    text, values = drafted("a.parquet")
    assert main(["--check", "my.toml"]) == 0, capsys.readouterr().err
    assert values["source"]["logs"]["columns"]["label"] == "clicked"
    assert '# "名前" = "名前"' in text
    assert '# raw_label = "Label"' in text

    pq.write_table(pa.table(rows).drop_columns(["user_id"]), folder / "b.parquet")
    capsys.readouterr()
    assert main(["--sample", "raw/b.parquet"]) == 0
    printed = capsys.readouterr().out
    assert "# TODO user_id:" in printed
    assert tomllib.loads(printed)["name"] == "b"


def test_an_id_that_is_another_one_in_every_row_names_no_request(folder):
    rows = [["request_id", "user_id", "item_id", "ts"]]
    rows += [[n, n % 3, n % 5, 1767225600 + n] for n in range(30)]
    write_text(folder / "log.csv", rows)
    text, values = drafted("log.csv")
    assert values["source"]["logs"]["rows"] == "events"
    assert "label" not in values["source"]["logs"]["columns"]
    assert '# raw_request_id = "request_id"' in text


def test_a_file_with_several_rows_of_a_user_says_nothing_of_users(folder):
    write_text(
        folder / "log.csv", [["user_id", "item_id", "ts"], *[[n, 1, 1767225600] for n in "123"]]
    )
    write_text(folder / "visits.csv", [["user_id", "page"], *[[n, "x"] for n in "112233"]])
    text, values = drafted("log.csv", "visits.csv")
    assert "users" not in values["source"]
    assert "# TODO visits.csv: no column has ids of the log's items or users" in text


def test_an_item_file_can_make_an_id_a_string(folder):
    write_text(folder / "log.csv", [["user_id", "item_id", "time"], *([[1, 2, 1767225600]] * 3)])
    items = [["item_id", "brand"], [2, "x"], ["b7", "x"], [3, "y"], [4, "y"]]
    write_text(folder / "items.csv", items)
    _, values = drafted("log.csv", "items.csv")
    assert values["fields"]["item_id"] == "string"
    assert values["fields"]["item"] == ["brand"]
