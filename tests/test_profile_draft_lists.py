"""Drafts of logs whose rows list the candidates of a request."""

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from drafting import columns_of, drafted, is_good, write_text

from jobs.profile.__main__ import main
from jobs.profile.load import load_profile
from jobs.sources.config import RawColumn

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def test_lists_in_strings_without_a_header_as_in_mind(folder, capsys):
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


def test_lists_of_parquet_with_a_list_of_clicks_as_in_ebnerd(folder, capsys):
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


def test_lists_as_pandas_writes_them_and_items_of_several_categories(folder, capsys):
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


def test_items_with_their_clicks_are_the_candidates_before_other_lists(folder):
    rows = [["user_id", "ts", "item_pool", "feedback", "clicks"]]
    pool = " ".join(f"N{n}" for n in range(9))
    rows += [[n, 1767225600 + n, pool, "N1-0 N2-1 N3-0", "N7 N8 N9"] for n in range(9)]
    write_text(folder / "log.csv", rows)
    columns = drafted("log.csv")[1]["source"]["logs"]["columns"]
    assert columns["item_id"] == {"column": "feedback", "split": " ", "token": "-"}
    assert columns["label"]["column"] == "feedback"
    assert columns["request_id"] == {"row_number": True}


def test_a_list_of_other_items_is_no_list_of_clicks(folder):
    rows = [["user_id", "ts", "items", "clicks"]]
    rows += [[n, 1767225600 + n, "N1 N2 N3", "N3 N4 N9"] for n in range(9)]
    write_text(folder / "log.csv", rows)
    text, values = drafted("log.csv")
    assert "label" not in values["source"]["logs"]["columns"]
    assert '# TODO label: label = { among = "<column>" }, the clicked items' in text


def test_scores_below_0_and_with_exponents_are_lists_too(folder):
    rows = [["qid", "uid", "ts", "items", "clicked", "scores"]]
    for n in range(9):
        rows.append([n, n % 4, 1767225600 + n, "N1|N2|N3", "N2", f"{n}.9|-0.4|1e-0{n}"])
    write_text(folder / "log.csv", rows)
    assert columns_of("log.csv")["score"] == {"column": "scores", "split": "|"}
    assert is_good()


def test_scores_of_a_list_with_decimal_commas(folder):
    rows = [["qid", "uid", "ts", "items", "clicked", "scores"]]
    for n in range(9):
        rows.append([n, n % 4, 1767225600 + n, "N1|N2|N3", "N2", f"{n},9|-0,4|1,25"])
    write_text(folder / "log.csv", rows, ";")
    score = {"column": "scores", "split": "|", "decimal": ","}
    assert columns_of("log.csv")["score"] == score
