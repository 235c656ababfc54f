"""python -m jobs.profile --sample: drafts of logs of every kind parse, and say what is missing."""

import csv
import random
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.profile.__main__ import main
from jobs.profile.load import load_profile
from jobs.sources.config import RawColumn

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def write_text(path: Path, rows: list[list[object]], delimiter: str = ",") -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with a folder of raw files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


@pytest.fixture
def drafted(folder, capsys):
    """Draft my.toml from files of the folder; return its text, and what its values are."""

    def draft(*names: str) -> tuple[str, dict]:
        flags = [word for name in names for word in ("--sample", f"raw/{name}")]
        assert main([*flags, "--out", "my.toml"]) == 0
        assert "then: python -m jobs.profile --check my.toml\n" in capsys.readouterr().out
        text = Path("my.toml").read_text(encoding="utf-8")
        return text, tomllib.loads(text)

    return draft


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


def test_candidate_rows_and_item_files_need_nothing_more(candidate_files, drafted, golden, capsys):
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


def test_lists_in_strings_without_a_header_as_in_mind(folder, drafted, capsys):
    chance, rows, news = random.Random(2), [], []
    for number in range(1, 31):
        moment = START + timedelta(hours=3 * number)
        shown = [f"N{n}-{int(chance.random() < 0.3)}" for n in chance.sample(range(500, 560), 6)]
        read = [f"N{n}" for n in chance.sample(range(500, 560), 4)]
        time = moment.strftime("%m/%d/%Y %I:%M:%S %p")
        rows.append([number, f"U{number % 7}", time, " ".join(read), " ".join(shown)])
    for number in range(500, 560):
        # A title that opens a quote and never closes it: there are no quotes in such a file.
        title = f'"Half of title {number}' if number % 20 == 3 else f"Title {number}"
        news.append(f"N{number}\t{chance.choice(['news', 'sport'])}\t{title}\n")
    write_text(folder / "behaviors.tsv", rows, "\t")
    (folder / "news.tsv").write_text("".join(news))

    _, values = drafted("behaviors.tsv", "news.tsv")
    assert main(["--check", "my.toml"]) == 0, capsys.readouterr().err
    logs, items = values["source"]["logs"], values["source"]["items"][0]
    assert (logs["rows"], logs["header"], len(logs["names"])) == ("requests", False, 5)
    listed = {"column": "column_5", "split": " ", "token": "-"}
    assert logs["columns"] == {
        "request_id": "column_1",
        "user_id": "column_2",
        "ts": {"column": "column_3", "format": "%m/%d/%Y %I:%M:%S %p", "zone": "UTC"},
        "item_id": listed,
        "label": {**listed, "part": 1},
        "score": {"derive": "popularity"},
    }
    assert items["quote"] == ""
    assert items["columns"] == {"item_id": "column_1", "column_2": "column_2"}
    assert values["fields"]["item_id"] == "string"
    assert values["fields"]["category"] == "column_2"


def test_lists_of_parquet_with_a_list_of_clicks_as_in_ebnerd(folder, drafted, capsys):
    chance = random.Random(3)
    inview = [chance.sample(range(9000, 9050), 5 + n % 4) for n in range(30)]
    clicked = [[chance.choice(items)] for items in inview]
    write = {
        "impression_id": list(range(30)),
        "user_id": [n % 5 for n in range(30)],
        "impression_time": [START.replace(tzinfo=None) + timedelta(minutes=n) for n in range(30)],
        "article_id": [None, 9001] * 15,
        "article_ids_inview": inview,
        "article_ids_clicked": clicked,
        "device_type": [n % 3 for n in range(30)],
    }
    pq.write_table(pa.table(write), folder / "behaviors.parquet")
    text, values = drafted("behaviors.parquet")
    assert main(["--check", "my.toml"]) == 0, capsys.readouterr().err
    assert values["source"]["logs"]["rows"] == "requests"
    assert values["source"]["logs"]["columns"] == {
        "request_id": "impression_id",
        "user_id": "user_id",
        "ts": {"column": "impression_time", "zone": "UTC"},
        "item_id": "article_ids_inview",
        "label": {"among": "article_ids_clicked"},
        "score": {"derive": "popularity"},
    }
    assert '# device_type = "device_type"  # 3 different values, e.g. 0' in text
    assert values["training"]["max_candidates"] == 32
    label = load_profile("my.toml").source.logs.columns["label"]
    assert label.among == RawColumn(column="article_ids_clicked")


def test_lists_as_pandas_writes_them_and_items_of_several_categories(folder, drafted, capsys):
    rows = [["impression", "reader", "t", "shownItems", "clicks", "scores"]]
    for request in range(30):
        shown = [f"a-{(request * 7 + place) % 40}" for place in range(4 + request % 3)]
        scores = [round(0.9 - 0.1 * place, 2) for place in range(len(shown))]
        t = f"2026-01-01 10:{request:02d}:00+00:00"
        rows.append([f"q{request}", request % 5, t, shown, shown[:1], scores])
    write_text(folder / "log.csv", rows)
    topics = [["news"], ["news", "sport"], ["film", "sport"]]
    items = {"item": [f"a-{n}" for n in range(40)], "topics": [topics[n % 3] for n in range(40)]}
    pq.write_table(pa.table(items), folder / "items.parquet")
    _, profile = drafted("log.csv", "items.parquet")
    columns = profile["source"]["logs"]["columns"]
    assert columns["item_id"] == {"column": "shownItems", "split": ","}
    assert columns["label"] == {"among": {"column": "clicks", "split": ","}}
    assert columns["score"] == {"column": "scores", "split": ","}
    assert profile["fields"]["category"] == "topics"
    assert profile["fields"]["category_separator"] == "|"
    assert main(["--check", "my.toml"]) == 0


def test_events_with_ratings_and_user_files_as_in_movielens(folder, drafted, capsys):
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


def test_what_cannot_be_told_is_a_todo_and_all_that_check_misses(folder, drafted, capsys):
    rows = [["who", "what", "session_id", "clicked"]]
    rows += [[n % 3, f"x{n % 10}", n // 5, n % 2] for n in range(60)]
    write_text(folder / "log.csv", rows, ";")
    write_text(folder / "other.csv", [["colour", "count"], ["red", 3], ["red", 4]])
    text, values = drafted("log.csv", "other.csv")
    assert values["source"]["logs"]["delimiter"] == ";"
    asked = [line.split()[2] for line in text.splitlines() if line.startswith("# TODO ")]
    assert asked == ["user_id:", "ts:", "item_id:", "other.csv:"]
    assert "Columns left: who, e.g. '0'; what, e.g. 'x0'" in text
    assert main(["--check", "my.toml"]) == 2
    err = capsys.readouterr().err
    assert "has 3 problems" in err
    for key in ("user_id", "ts", "item_id"):
        assert f"source.logs.columns.{key} is missing" in err


def test_names_of_any_kind_give_a_draft_that_parses(folder, drafted, capsys):
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


def test_an_id_that_is_another_one_in_every_row_names_no_request(folder, drafted):
    rows = [["request_id", "user_id", "item_id", "ts"]]
    rows += [[n, n % 3, n % 5, 1767225600 + n] for n in range(30)]
    write_text(folder / "log.csv", rows)
    text, values = drafted("log.csv")
    assert values["source"]["logs"]["rows"] == "events"
    assert values["source"]["logs"]["columns"]["label"] == {"constant": 1}
    assert '# raw_request_id = "request_id"' in text


def test_items_with_their_clicks_are_the_candidates_before_other_lists(folder, drafted):
    rows = [["user_id", "ts", "item_pool", "feedback", "clicks"]]
    pool = " ".join(f"N{n}" for n in range(9))
    rows += [[n, 1767225600 + n, pool, "N1-0 N2-1 N3-0", "N7 N8 N9"] for n in range(9)]
    write_text(folder / "log.csv", rows)
    columns = drafted("log.csv")[1]["source"]["logs"]["columns"]
    assert columns["item_id"] == {"column": "feedback", "split": " ", "token": "-"}
    assert columns["label"]["column"] == "feedback"
    assert columns["request_id"] == {"row_number": True}


def test_a_list_of_other_items_is_no_list_of_clicks(folder, drafted):
    rows = [["user_id", "ts", "items", "clicks"]]
    rows += [[n, 1767225600 + n, "N1 N2 N3", "N3 N4 N9"] for n in range(9)]
    write_text(folder / "log.csv", rows)
    text, values = drafted("log.csv")
    assert "label" not in values["source"]["logs"]["columns"]
    assert '# TODO label: label = { among = "<column>" }, the clicked items' in text


def test_a_file_with_several_rows_of_a_user_says_nothing_of_users(folder, drafted):
    write_text(
        folder / "log.csv", [["user_id", "item_id", "ts"], *[[n, 1, 1767225600] for n in "123"]]
    )
    write_text(folder / "visits.csv", [["user_id", "page"], *[[n, "x"] for n in "112233"]])
    text, values = drafted("log.csv", "visits.csv")
    assert "users" not in values["source"]
    assert "# TODO visits.csv: no column has ids of the log's items or users" in text


def test_an_item_file_can_make_an_id_a_string(folder, drafted):
    write_text(folder / "log.csv", [["user_id", "item_id", "time"], *([[1, 2, 1767225600]] * 3)])
    items = [["item_id", "brand"], [2, "x"], ["b7", "x"], [3, "y"], [4, "y"]]
    write_text(folder / "items.csv", items)
    _, values = drafted("log.csv", "items.csv")
    assert values["fields"]["item_id"] == "string"
    assert values["fields"]["item"] == ["brand"]
