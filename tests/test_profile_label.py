"""Drafts: what came of a row, as a flag, a number, or the word for an event."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drafting import columns_of, drafted, is_good, why, write_text

EVENTS = ["user_id", "item_id", "time"]
WORDS = ["view", "add_to_cart", "click", "view", "purchase"]


def write(folder: Path, name: str, values: list[object], more: str = "") -> str:
    """Write a log of events with one more column; return the name of its file."""
    rows = [[*EVENTS, name, *([more] if more else [])]]
    for n in range(40):
        row = [n % 4, n % 7, 1767225600 + n, values[n % len(values)]]
        rows.append([*row, *(["x"] if more else [])])
    write_text(folder / "log.csv", rows)
    return "log.csv"


def test_an_event_of_unknown_worth_is_asked_for(folder):
    text, values = drafted(write(folder, "colour", ["red", "blue"], "size"))
    assert "label" not in values["source"]["logs"]["columns"]
    asked = why(text, "label")
    assert "label = { constant = 1 } if every event counts as a click" in asked
    assert asked.endswith("Columns left: colour, e.g. 'red'; size, e.g. 'x'")


@pytest.mark.parametrize("name", ["event", "eventType", "action", "behavior", "interaction_type"])
def test_a_word_for_a_click_is_the_label(folder, name):
    text, values = drafted(write(folder, name, WORDS))
    label = {"column": name, "equals": ["click"]}
    assert values["source"]["logs"]["columns"]["label"] == label
    assert why(text, "label") == (
        "# 'click' (8 rows) counts as a click: a guess; not 'view' (16), 'add_to_cart' (8), "
        "'purchase' (8)"
    )
    assert is_good()


@pytest.mark.parametrize(
    ("words", "best"),
    [
        (["pv", "cart", "buy", "fav"], "buy"),
        (["view", "transaction", "addtocart"], "transaction"),
        (["impression", "product_click", "banner_click"], "product_click"),
        (["scroll", "view"], "view"),
        (["Impression", "CLICK"], "CLICK"),
    ],
)
def test_the_word_most_like_a_click_or_a_purchase_is_taken(folder, words, best):
    assert columns_of(write(folder, "event_type", words))["label"]["equals"] == [best]


def test_words_that_are_no_click_are_left_to_the_reader(folder):
    text, values = drafted(write(folder, "event_type", ["start", "stop"]))
    assert "label" not in values["source"]["logs"]["columns"]
    assert "event_type, e.g. 'start'" in why(text, "label")


@pytest.mark.parametrize("words", [["yes", "no"], ["True", "False"], ["t", "f"], ["n", "Y"]])
def test_words_for_0_and_1_are_a_label(folder, words):
    text, values = drafted(write(folder, "clicked", words))
    assert values["source"]["logs"]["columns"]["label"] == "clicked"
    assert why(text, "label").startswith("# words for 0 and 1, e.g.")
    assert is_good()


def test_a_label_that_never_differs_is_told(folder):
    text, _ = drafted(write(folder, "clicked", [0]))
    assert why(text, "label").startswith("# 0 or 1, but 0 in every row of the sample")


def test_a_label_with_a_few_values_that_are_no_numbers(folder):
    text, values = drafted(write(folder, "rating", [*range(1, 6)] * 7 + ["?"]))
    assert values["source"]["logs"]["columns"]["label"] == {"column": "rating", "at_least": 3}
    assert "1 of 40 values are no numbers" in why(text, "label")


def test_neither_the_time_nor_the_name_of_a_click_is_its_worth(folder):
    write(folder, "click_id", [17, 18, 19])
    assert "label" not in columns_of("log.csv")
    write(folder, "click_time", [1767225600, 1767225700])
    assert "label" not in columns_of("log.csv")


def test_lists_are_named_where_they_could_fit(folder):
    rows = {
        "session_id": [n // 4 for n in range(40)],
        "who": ["a", "b"] * 20,
        "clicked": [0, 1] * 20,
        "time": list(range(1767225600, 1767225640)),
        "bought_history": [[1, 2]] * 40,
    }
    pq.write_table(pa.table(rows), folder / "log.parquet")
    text, _ = drafted("log.parquet")
    assert why(text, "item_id").endswith("bought_history, a list, e.g. [1, 2]")
    assert "bought_history" not in why(text, "user_id")
