"""Profiles: every problem at once with its line, the shorthands, and what files must map."""

import re

import pytest
from raw_profile import GOOD, line_of

from jobs.errors import Refused
from jobs.profile.load import load_profile
from jobs.profile.problems import key_lines
from jobs.sources.config import RawColumn


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a profile from a text."""
    monkeypatch.chdir(tmp_path)

    def from_text(text: str):
        (tmp_path / "my.toml").write_text(text, encoding="utf-8")
        return load_profile("my.toml")

    return from_text


@pytest.fixture
def refused(load):
    """Load a profile with lines of the good one replaced; return the message."""

    def message(*changes: tuple[str, str], text: str = GOOD) -> str:
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the profile"
            text = text.replace(old, new)
        with pytest.raises(Refused) as refusal:
            load(text)
        return str(refusal.value)

    return message


# --- lines


def test_one_problem_is_one_line_with_its_line_and_its_fix(refused):
    assert refused(('path = "raw"', 'pathh = "raw"')) == (
        f"profile my.toml, line {line_of('path')}: unknown key source.pathh; "
        "did you mean source.path?"
    )


def test_problems_of_every_kind_are_told_at_once_in_the_order_of_the_file(refused):
    said = refused(
        ('name = "mine"', "name = 1"),
        ('kind = "files"', 'kynd = "files"'),
        ('[source.logs]\nfiles = "logs-{date}.csv"', "[source.logs]\nheader = 0"),
        ("[[source.users]]", "[teacher]\nk = 0\n[[source.users]]"),
        ('user_id = "user"\ntab', "user_id = 3\ntab"),
    )
    lines = said.split("\n")
    assert lines[0] == "profile my.toml has 6 problems:"
    assert [re.sub(r"(; | must ).*", "", line) for line in lines[1:]] == [
        "  line 1: name = 1",
        "  line 9: unknown key source.kynd",
        "  line 12: source.logs.files is missing",
        "  line 13: source.logs.header = 0",
        "  line 31: teacher.k = 0 is not allowed",
        "  line 35: source.users[0].columns.user_id = 3",
    ]


@pytest.mark.parametrize(
    ("old", "new"), [('files = "users.csv"', 'file = "users.csv"'), ('brand = "b', 'brnd = "b')]
)
def test_one_slip_is_one_problem_though_what_was_meant_is_missing(refused, old, new):
    said = refused((old, new))
    assert "did you mean" in said
    assert said.count("\n") == 0


def test_a_key_that_is_not_written_has_the_line_of_its_section_and_of_none_no_line(refused):
    said = refused(('ts = { column = "time", unit = "s" }\n', ""))
    assert said.startswith(
        f"profile my.toml, line {line_of('[source.logs.columns]')}: source.logs.columns.ts is miss"
    )
    said = refused(('name = "mine"\n', ""))
    assert said == ("profile my.toml: name is missing; write name = ... above the first section")
    missing = refused(('files = ["items.csv", "more.csv"]\n', ""))
    assert missing == (
        f"profile my.toml, line {line_of('[[source.items]]')}: source.items[0].files is missing; "
        "write files = ... below [[source.items]]"
    )


def test_lines_are_found_in_tables_of_a_list_inline_tables_and_values_of_several_lines():
    written = key_lines(
        'a = """\nb = 1\n"""\n[[s.i]]\nx = 1\n[[s.i]]\n# y = 0\n"x y" = [\n  1,\n  { z = 2 },\n]\n'
        "[s.i.c]\nd = { e = 3 }\n"
    )
    assert written == {
        "a": 1,
        "s": 4,
        "s.i": 4,
        "s.i[0]": 4,
        "s.i[0].x": 5,
        "s.i[1]": 6,
        "s.i[1].x y": 8,
        "s.i[1].x y[0]": 8,
        "s.i[1].x y[1]": 8,
        "s.i[1].x y[1].z": 8,
        "s.i[1].c": 12,
        "s.i[1].c.d": 13,
        "s.i[1].c.d.e": 13,
    }


def test_what_is_no_toml_has_the_words_of_its_parser(refused):
    assert refused(('path = "raw"', "path = raw")) == (
        f"profile my.toml: Invalid value (at line {line_of('path')}, column 8)"
    )


# --- shorthands and nested values


def test_a_bare_string_is_a_column_and_one_file(load):
    profile = load(
        GOOD.replace('label = "click"', 'label = { among = { column = "clicks", split = " " } }')
        .replace('score = "score"', 'score = { column = "rank", smaller_is_better = true }')
        .replace('brand = "brand"', 'brand = { column = "size", edges = [1, 2.5] }')
    )
    logs, items = profile.source.logs, profile.source.items[0]
    assert logs.files == ("logs-{date}.csv",)
    assert items.files == ("items.csv", "more.csv")
    assert logs.columns["user_id"] == RawColumn(column="user")
    assert logs.columns["label"] == RawColumn(among=RawColumn(column="clicks", split=" "))
    assert logs.columns["score"].smaller_is_better
    assert items.columns["brand"].edges == (1.0, 2.5)
    assert profile.source.users[0].columns["tab"] == RawColumn(column="tab")


def test_among_takes_the_shorthand_too_and_a_constant_any_scalar(load):
    profile = load(
        GOOD.replace('label = "click"', 'label = { among = "clicks" }')
        .replace('tab = "tab"', "tab = { constant = true }")
        .replace('price = "price"', "price = { constant = 1.5 }")
    )
    assert profile.source.logs.columns["label"].among == RawColumn(column="clicks")
    assert profile.source.logs.columns["price"].constant == 1.5
    assert profile.source.users[0].columns["tab"].constant is True


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('item_id = "item"\nlabel', "item_id = 3\nlabel",
         "source.logs.columns.item_id = 3 must be the name of a raw column in quotes, or a table"),
        ('files = ["items.csv", "more.csv"]', "files = 1",
         "source.items[0].files = 1 must be a list, such as [1]"),
        ("[[source.items]]", "[source.items]",
         "source.items is a list of sections, each written [[source.items]]"),
        ("[source.logs]", "[[source.logs]]",
         "source.logs is a section, written [source.logs], not a list"),
        ('label = "click"', "label = { constant = 2026-01-01 }",
         "must be of type str or int or float or bool"),
        ('label = "click"', "label = { column = 1 }",
         "source.logs.columns.label.column = 1 must be of type str"),
        ('label = "click"', 'label = { among = { colum = "x" } }',
         "unknown key source.logs.columns.label.among.colum; "
         "did you mean source.logs.columns.label.among.column?"),
        ('kind = "files"', 'kind = "files"\nfirst_day = "2026-01-01"',
         "source.first_day = '2026-01-01' must be of type date, such as 2026-01-31 without quotes"),
    ],
    ids=lambda value: value.replace("\n", " ")[:32],
)  # fmt: skip
def test_a_value_of_another_form_is_told_what_it_must_be(refused, old, new, words):
    assert words in refused((old, new))


# --- what files must map


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('request_id = "request"\n', "",
         'request_id is missing; map it to a raw column, request_id = "...", or { row_number'),
        ('label = "click"\n', "", "source.logs.columns.label is missing"),
        ('\nscore = "score"\n', "\n", "source.logs.columns.score is missing"),
        ('item_id = "item"\nlabel', 'itemid = "item"\nlabel',
         "unknown key source.logs.columns.itemid; did you mean source.logs.columns.item_id?"),
        ('\nprice = "price"', "",
         "fields.dense has 'price', which no raw column is mapped to; add price = \"...\" to "
         "[source.logs.columns]"),
        ('brand = "brand"\n', "",
         "fields.item has 'brand', which no raw column is mapped to; add brand = \"...\" to "
         "[source.logs.columns] or to an [[source.items]]"),
        ('tab = "tab"\n', "", "to [source.logs.columns] or to an [[source.users]]"),
        ('item = ["brand"]', 'item = ["brand", "prize"]', "or is 'price' meant, which is mapped?"),
        ('score = "score"\n', 'score = "score"\nbrand = "b"\n',
         "fields.item has 'brand', which is mapped in source.logs.columns and "
         "source.items[0].columns; keep one of them"),
        ('brand = "brand"\n', 'brand = "brand"\ntab = "tab"\n',
         "unknown key source.items[0].columns.tab; known are item_id, brand"),
        ('item = ["brand"]', 'item = ["brand", "label"]',
         "fields.item has 'label', which the logs have already, or another field"),
    ],
    ids=lambda value: value.replace("\n", " ")[:32],
)  # fmt: skip
def test_what_is_mapped_nowhere_or_in_vain_is_told(refused, old, new, words):
    said = refused((old, new))
    assert words in said
    assert said.count("\n") == 0


def test_events_have_no_request_id_and_derived_candidates_need_no_score(load, refused):
    changes = (
        ('kind = "files"', 'kind = "files"\nsession_minutes = 30\ncandidates = "window"'),
        ("[source.logs]\n", '[source.logs]\nrows = "events"\n'),
        ('\nscore = "score"', ""),
        ('"logs-{date}.csv"', '"logs.csv"'),
        ('"score", "price"', '"score"'),
        ('price = "price"\n', ""),
    )
    said = refused(*changes)
    assert "columns.request_id is not allowed: requests are made of events" in said
    assert said.count("\n") == 0
    text = GOOD.replace('request_id = "request"\n', "")
    for old, new in changes:
        text = text.replace(old, new)
    assert load(text).source.logs.rows == "events"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("user_id = {}", "user_id must say exactly one of column, constant, row_number, derive, "
         "among; it says none of them"),
        ('user_id = { column = "u", row_number = true }', "it says column and row_number"),
        ('user_id = { column = "u", unit = "s" }', "user_id.unit is not allowed; it is only for t"),
        ('user_id = { among = "u" }', "user_id.among is not allowed; it is only for exposed"),
        ('user_id = { column = "u", at_least = 0 }', "user_id.at_least is not allowed; it is only"),
        ('user_id = { column = "u", edges = [1] }', "it is only for item and context fields"),
        ('user_id = { constant = 1, token = "-" }', "user_id.token is not allowed beside constant"),
        ('user_id = { column = "u", split = " " }', "user_id.split is not allowed; it is only for"),
        ('user_id = { column = "u", decimal = "," }', "user_id.decimal is not allowed; it is"),
        ('user_id = "u"\nexposed = { column = "e", split = ",", decimal = "," }',
         "exposed.decimal = ',' is not allowed; it must be '.' or ',', and '.' where split is ','"),
        ('user_id = "u"\nexposed = { row_number = true }', "exposed.row_number is not allowed"),
        ('user_id = "u"\nshown_rank = { derive = "popularity" }',
         "shown_rank.derive = 'popularity' is not allowed; it must be one of position"),
        ('user_id = "u"\nexposed = { among = { split = " " } }',
         "exposed.among.column is missing; name the raw column that holds the list"),
        ('user_id = "u"\nexposed = { among = { column = "c", constant = 1 } }',
         "exposed.among.constant is not allowed; a list has only column, split, token, part"),
    ],
    ids=lambda value: value.replace("\n", " ")[:40],
)  # fmt: skip
def test_what_may_not_be_said_of_a_column(refused, new, words):
    assert words in refused(('user_id = "user"\nts', f"{new}\nts"))


@pytest.mark.parametrize(
    ("ts", "words"),
    [
        ('unit = "min"', "ts.unit = 'min' is not allowed; it must be one of s, ms, us"),
        ('zone = "Europe/Olso"', "ts.zone = 'Europe/Olso' is not allowed; did you mean 'Europe/"),
        ('format = "%Y", unit = "s"', "ts says unit and format, which are at odds; keep one"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read(refused, ts, words):
    assert words in refused(('{ column = "time", unit = "s" }', f'{{ column = "time", {ts} }}'))


def test_only_logs_number_their_rows(refused):
    said = refused(('user_id = "user"\ntab', "user_id = { row_number = true }\ntab"))
    assert "source.users[0].columns.user_id.row_number is not allowed; it is only for" in said


def test_history_and_vectors_have_lists_whatever_a_row_of_the_logs_is(load):
    listed = '{ column = "list", split = " " }'
    history = f'files = "h.csv"\ncolumns = {{ user_id = "u", item_id = {listed} }}\n'
    vectors = f'files = "v.csv"\ncolumns = {{ item_id = "i", vector = {listed} }}\n'
    profile = load(f"{GOOD}[source.history]\n{history}[source.vectors]\n{vectors}")
    assert profile.source.vectors.columns["vector"].split == " "


def test_edges_that_do_not_grow(refused):
    said = refused(('brand = "brand"', 'brand = { column = "size", edges = [2, 1] }'))
    assert "items[0].columns.brand.edges = [2.0, 1.0] is not allowed; it must be growing" in said


def test_every_column_is_told_at_once_beside_what_else_spans_sections(refused):
    said = refused(
        ('name = "mine"', 'name = "mine"\nk = [3]'),
        ('label = "click"\n', ""),
        ('unit = "s"', 'unit = "min"'),
        ('brand = "brand"\n', ""),
    )
    assert said.startswith("profile my.toml has 4 problems:\n  promotion.k = 5 is not allowed")
    for words in ("fields.item has 'brand'", "columns.label is missing", "ts.unit = 'min'"):
        assert words in said
