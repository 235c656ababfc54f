"""What is guessed of every log: who asked and when, and which columns nothing has taken."""

from collections.abc import Callable, Iterable
from statistics import median_high

from jobs.profile.content import Content, id_kind
from jobs.profile.entry import Entry
from jobs.profile.names import TIME, USER, column_named
from jobs.profile.sample import Sample
from schemas.table import Fields
from schemas.tables import request_logs

MOST_NAMED = 12
"""Columns that a question names."""
TAKEN = frozenset(request_logs(Fields()).names)


class LogGuess:
    """What one row of a log is, its columns as entries, and what they tell of the data set."""

    rows = ""

    def __init__(self, sample: Sample) -> None:
        """Start with every column free."""
        self.sample = sample
        self.free = [Content(name, values) for name, values in sample.columns.items()]
        """The columns that no guess has taken yet."""
        self.entries: list[Entry] = []
        self.why = ""
        undecided = ("string", "not known yet; int64 if every id is a whole number")
        self.kinds = dict.fromkeys(("request_id", "user_id", "item_id"), undecided)
        """The type of each id, and why."""
        self.ids: dict[str, set[str]] = {"user_id": set(), "item_id": set()}
        self.category = self.separator = ""
        self.most_candidates = 0

    def take(self, patterns: Iterable[str], fits: Callable[[Content], bool]) -> Content | None:
        """Return a column by name and content, and let no other guess have it."""
        return self.taken(column_named(self.free, patterns, fits))

    def taken(self, column: Content | None) -> Content | None:
        """Let no other guess have a column."""
        if column is not None:
            self.free.remove(column)
        return column

    def map(self, key: str, column: Content, why: str, **keys: object) -> None:
        """Make a column one of ours."""
        self.entries.append(Entry(key, column.raw(**keys), f"{why}, e.g. {column.example}"))

    def ask(self, key: str, choices: str, fits: Callable[[Content], bool]) -> None:
        """Leave a column of ours to the reader, and name what nothing else has and could fit."""
        fitting = [column for column in self.free if fits(column)][:MOST_NAMED]
        left = "; ".join(f"{column.name}, e.g. {column.example}" for column in fitting) or "none"
        self.entries.append(Entry(key, why=f"{choices}. Columns left: {left}"))

    def map_id(self, key: str, column: Content, why: str) -> None:
        """Make a column one of our ids."""
        self.map(key, column, why)
        self.know(key, column.filled)

    def know(self, key: str, values: Iterable[object]) -> None:
        """Remember an id's values, which tell its type and which other files are about it."""
        found = {str(value) for value in values}
        self.kinds[key] = id_kind(sorted(found))
        self.ids[key] = found

    def guess_user_and_time(self) -> None:
        """Find who asked, and when."""
        user = self.take(USER, is_scalar)
        if user is None and not self.sample.header:
            user = self.taken(next(filter(is_repeated_id, self.free), None))
        if user is not None:
            why = "called like a user" if self.sample.header else "the first ids that come again"
            self.map_id("user_id", user, why)
        else:
            choices = 'user_id = "<column>", or { row_number = true } where nobody comes twice'
            self.ask("user_id", choices, is_scalar)
        time = self.take(TIME, is_time)
        if time is None:
            # Numbers could be anything where no name says that they are times.
            time = self.taken(next((c for c in self.free if is_time(c) and not c.numbers), None))
        if time is not None:
            keys, why = time.time
            self.map("ts", time, why, **keys)
        else:
            choices = 'ts = { column = "<column>", unit = "s" }, or "ms", or "us"; or with format'
            self.ask("ts", choices, is_scalar)

    def map_flag(self, key: str, column: Content, numbers: list[float], split: str = "") -> None:
        """Make a column of numbers one of 0 and 1."""
        low, high = min(numbers), max(numbers)
        if set(numbers) <= {0.0, 1.0}:
            self.map(key, column, "0 or 1", split=split)
            return
        # Counts are a yes above 0; of a rating the better half is.
        least = 1.0 if low == 0 else float(median_high(numbers))
        why = f"numbers from {low:g} to {high:g}, of which those from {least:g} on count: a guess"
        self.map(key, column, why, split=split, at_least=least)

    def offer_the_rest(self, hint: Callable[[Content], str]) -> None:
        """Write down what is left, commented out."""
        used = {*TAKEN, *(entry.key for entry in self.entries)}
        for column in self.free:
            key = field_name(column, used)
            used.add(key)
            why = f"{column.distinct:,} different values, e.g. {column.example}{hint(column)}"
            self.entries.append(Entry(key, column.raw(), why, is_used=False))


def popularity() -> Entry:
    """Return the score of a log that has none."""
    why = 'no column is a score; { derive = "position" } instead, if the order in the files is one'
    return Entry("score", {"derive": "popularity"}, why)


def field_name(column: Content, used: Iterable[str]) -> str:
    """Return a name for a field that nothing else has."""
    name = column.word or "field"
    while name in used:
        name = f"raw_{name}"
    return name


def is_scalar(column: Content) -> bool:
    """Whether a row has one value of it."""
    return bool(column.filled) and not column.lists


def is_number(column: Content) -> bool:
    """Whether a row has one number of it."""
    return is_scalar(column) and bool(column.numbers)


def is_time(column: Content) -> bool:
    """Whether a row has one time of it."""
    return is_scalar(column) and column.time is not None


def is_repeated_id(column: Content) -> bool:
    """Whether it could be who asked: no time, one word, and some of them more than once."""
    if not is_scalar(column) or column.time is not None or column.distinct == len(column.filled):
        return False
    return column.distinct > 1 and not any(" " in str(value) for value in column.filled)
