"""Drafts of logs whose names tell little: requests, users and times are found by their values."""

import random

import pytest
from drafting import columns_of, drafted, why, write_text

START = 1_767_258_000


def visits(names: list[str], apart: int = 0, device: bool = True) -> list[list[object]]:
    """Return rows of 60 requests by 15 users: five items each, so many seconds apart."""
    chance, rows = random.Random(4), [[*names, *(["gear"] if device else [])]]
    for request in range(60):
        at = START + 1800 * request
        for place, item in enumerate(chance.sample(range(40), 5)):
            gear = ["phone", "desk", "tv"][request % 3]
            row = [f"u{request % 15}", f"s{request}", at + place * apart, f"i{item}", place % 2]
            rows.append([*row, *([gear] if device else [])])
    return rows


@pytest.mark.parametrize("apart", [0, 1, 120])
def test_a_request_is_what_has_one_time_and_one_user(folder, apart):
    rows = visits(["visitorRef", "sessionKey", "eventMs", "itemRef", "engagement"], apart)
    for row in rows[1:]:
        row[2] *= 1000
    write_text(folder / "log.csv", rows)
    text, values = drafted("log.csv")
    assert values["source"]["logs"]["rows"] == "candidates"
    assert values["source"]["logs"]["columns"] == {
        "request_id": "sessionKey",
        "user_id": "visitorRef",
        "ts": {"column": "eventMs", "unit": "ms"},
        "item_id": "itemRef",
        "label": "engagement",
        "score": {"derive": "popularity"},
    }
    assert why(text, "request_id").startswith("# a guess by its values: each stands in several")
    assert why(text, "user_id").startswith("# called like a user")


def test_a_user_that_no_name_tells_is_not_taken_for_the_request(folder):
    write_text(folder / "log.csv", visits(["kto", "sesja", "czas", "towar", "wynik"]))
    text, values = drafted("log.csv")
    columns = values["source"]["logs"]["columns"]
    assert (columns["request_id"], columns["user_id"]) == ("sesja", "kto")
    assert why(text, "user_id").startswith("# a guess by its values: each request has one")
    assert columns["ts"] == {"column": "czas", "unit": "s"}
    assert why(text, "ts").startswith("# a guess by its values: in s since 1970")


@pytest.mark.parametrize(
    ("user", "time", "item", "label"),
    [
        ("kunden_nr", "zeitstempel", "artikelnummer", "geklickt"),
        ("id_client", "horodatage", "id_produit", "clic"),
        ("shopperKey", "epoch", "listing_ref", "engagement"),
        ("customerNumber", "event_ms", "sku_code", "isClicked"),
    ],
)
def test_names_of_other_languages_and_habits_are_known(folder, user, time, item, label):
    write_text(folder / "log.csv", visits([user, "visit", time, item, label]))
    columns = columns_of("log.csv")
    assert (columns["user_id"], columns["item_id"], columns["label"]) == (user, item, label)
    assert (columns["request_id"], columns["ts"]["column"]) == ("visit", time)


def test_users_alone_are_no_requests(folder):
    rows = [row[:1] + row[2:] for row in visits(["kto", "sesja", "time", "towar", "wynik"])]
    write_text(folder / "log.csv", rows)
    assert drafted("log.csv")[1]["source"]["logs"]["rows"] == "events"


def test_days_tell_no_request_from_a_user(folder):
    rows = visits(["kto", "sesja", "time", "towar", "wynik"])
    for row in rows[1:]:
        row[2] = "2026-01-01"
    write_text(folder / "log.csv", rows)
    assert drafted("log.csv")[1]["source"]["logs"]["rows"] == "events"


def test_a_basket_is_no_request(folder):
    names = ["user_id", "order_no", "time", "item_id", "amount"]
    write_text(folder / "log.csv", visits(names, device=False))
    assert drafted("log.csv")[1]["source"]["logs"]["rows"] == "events"


def test_a_few_broken_rows_do_not_hide_the_request(folder):
    rows = visits(["user_id", "sesja", "time", "item_id", "clicked"])
    rows[7][2] = "soon"
    rows[50][0] = ""
    write_text(folder / "log.csv", rows)
    assert columns_of("log.csv")["request_id"] == "sesja"


def test_a_name_goes_before_values(folder):
    write_text(folder / "log.csv", visits(["user_id", "search_id", "x", "item_id", "y"]))
    text, _ = drafted("log.csv")
    assert why(text, "request_id").startswith("# called like a request")


@pytest.mark.parametrize(
    ("first", "step"),
    [(START * 1000, 1000), (START * 1_000_000, 7), (START, 60)],
    ids=["ms", "us", "s"],
)
def test_numbers_of_one_era_are_times_where_nothing_else_is(folder, first, step):
    rows = [["user", "product", "x", "liked"]]
    rows += [[f"u{n % 4}", f"p{n % 6}", first + step * n, n % 2] for n in range(40)]
    write_text(folder / "log.csv", rows)
    assert columns_of("log.csv")["ts"]["column"] == "x"
    for row in rows[1:]:
        row.append("2026-01-01 10:00:00")
    rows[0].append("z")
    write_text(folder / "log.csv", rows)
    assert columns_of("log.csv")["ts"]["column"] == "z"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x", [START] * 40),
        ("x", [900_000_000 + n for n in range(40)]),
        ("x", [START + 2_000_000 * n for n in range(40)]),
        ("shelf_code", [START + n for n in range(40)]),
    ],
    ids=["all the same", "before 2005", "years apart", "a code"],
)
def test_other_numbers_are_no_times(folder, name, values):
    rows = [["user", "product", name, "liked"]]
    rows += [[f"u{n % 4}", f"p{n % 6}", value, n % 2] for n, value in enumerate(values)]
    write_text(folder / "log.csv", rows)
    text, values = drafted("log.csv")
    assert "ts" not in values["source"]["logs"]["columns"]
    assert f"Columns left: {name}, e.g." in why(text, "ts")
