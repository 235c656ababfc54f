"""Guess what a further file is about, items or users, and which of its columns can be fields."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import quantiles

from jobs.profile.content import Content
from jobs.profile.entry import Entry
from jobs.profile.guess_logs import TAKEN, LogGuess, field_name, is_scalar
from jobs.profile.names import CATEGORY, CODE, ITEM, USER, column_named
from jobs.profile.sample import Sample

NAMES = {"item_id": ITEM, "user_id": USER}
MOSTLY = 0.9
"""Share of different values in a key, which names one row each."""
REPEATED = 0.5
"""Share of different values up to which text is a category rather than a title."""
MOST_TOKENS = 20
"""Different numbers up to which each is a token of its own."""
BUCKETS = 5
SHARED = 0.5
"""Share of ids that a key has in common with the log, where its name does not tell."""


@dataclass
class JoinedGuess:
    """A file of facts about items or users; `key` is empty where that is not known."""

    sample: Sample
    key: str = ""
    entries: list[Entry] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    category: str = ""
    separator: str = ""


def guess_joined(sample: Sample, log: LogGuess, used: Iterable[str]) -> JoinedGuess:
    """Return what a further file adds to a log; `used` are names that other fields have."""
    guess, used = JoinedGuess(sample), {*TAKEN, *used}
    columns = [Content(name, values) for name, values in sample.columns.items()]
    likely = [(_likeness(column, key, log), key, column) for key in NAMES for column in columns]
    best, key, column = max(likely, key=lambda each: each[0])
    if not best:
        return guess
    guess.key = key
    log.know(key, {*log.ids[key], *column.filled})
    called = f"called like {'an item' if key == 'item_id' else 'a user'}"
    why = called if best > 1.0 else f"shares {best:.0%} of its ids with the log"
    guess.entries.append(Entry(key, column.raw(), f"{why}, one row each, e.g. {column.example}"))
    columns.remove(column)
    category = _category(columns, sample.header) if key == "item_id" else None
    for column in columns:
        name = field_name(column, used)
        used.add(name)
        entry = _entry(name, column, column is category)
        guess.entries.append(entry)
        if column is category:
            guess.category, guess.separator = name, column.separator
        if entry.is_used:
            guess.fields.append(name)
    return guess


def _likeness(column: Content, key: str, log: LogGuess) -> float:
    """Return how surely a column is this id of the log; 0 where it is not."""
    if not is_scalar(column) or column.distinct < MOSTLY * len(column.values):
        return 0.0
    own = {str(value) for value in column.filled}
    shared = len(own & log.ids[key]) / max(min(len(own), len(log.ids[key])), 1)
    is_called = column_named([column], NAMES[key], is_scalar) is not None
    return 2.0 + shared if is_called else shared * (shared >= SHARED)


def _category(columns: list[Content], has_names: bool) -> Content | None:
    """Return the column that tells which items are alike."""
    if has_names:
        return column_named(columns, CATEGORY, lambda column: bool(column.filled))
    texts = (c for c in columns if is_scalar(c) and not c.numbers and c.time is None)
    return next((c for c in texts if c.distinct <= REPEATED * len(c.filled)), None)


def _entry(name: str, column: Content, is_category: bool) -> Entry:
    """Return a column as a field; commented out where it is none."""
    told = f"{column.distinct:,} different values, e.g. {column.example}"
    size = len(column.filled)
    if is_category and column.lists:
        return Entry(name, column.raw(split=column.cut), f"lists what items are alike by: {told}")
    if not is_scalar(column):
        return Entry(name, column.raw(), f"a list, or no value: {column.example}", is_used=False)
    if is_category:
        return Entry(name, column.raw(), f"tells which items are alike: {told}")
    if column.time is not None:
        return Entry(name, column.raw(), f"a time, e.g. {column.example}", is_used=False)
    is_code = re.fullmatch(CODE, column.word) is not None
    if column.numbers and not is_code and column.distinct > MOST_TOKENS:
        cuts = quantiles(column.numbers, n=BUCKETS)
        edges = sorted({float(f"{cut:.3g}") for cut in cuts})
        return Entry(
            name,
            column.raw(edges=edges, decimal=column.decimal),
            f"about a fifth in each bucket; {told}",
        )
    if column.distinct <= max(REPEATED * size, MOST_TOKENS if column.numbers else 0):
        return Entry(name, column.raw(), told)
    return Entry(name, column.raw(), f"hardly any value comes twice; {told}", is_used=False)
