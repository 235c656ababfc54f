"""What is guessed of every log: who asked and when, and which columns nothing has taken."""

from collections.abc import Callable, Iterable
from statistics import median_high

from jobs.profile.content import Content, id_kind
from jobs.profile.entry import Entry
from jobs.profile.field_names import taken_names
from jobs.profile.guess_request import is_epoch, user_by_values
from jobs.profile.names import TIME, USER, column_named
from jobs.profile.sample import Sample

MOST_NAMED = 12
"""Columns that a question names."""
TAKEN = taken_names()
GUESS = "a guess by its values"


class LogGuess:
    """What one row of a log is, its columns as entries, and what they tell of the data set."""

    rows = ""

    def __init__(self, sample: Sample) -> None:
        """Start with every column free."""
        self.sample = sample
        self.free = [Content(name, values) for name, values in sample.columns.items()]
        """The columns that no guess has taken yet."""
        self.entries: list[Entry] = []
        self.asked: dict[int, tuple[str, Callable[[Content], bool]]] = {}
        """The places of entries that are questions, with what may be chosen."""
        self.why = ""
        undecided = ("string", "not known yet; int64 if every id is a whole number")
        self.kinds = dict.fromkeys(("request_id", "user_id", "item_id"), undecided)
        """The type of each id, and why."""
        self.ids: dict[str, set[str]] = {"user_id": set(), "item_id": set()}
        self.user: Content | None = None
        self.time: Content | None = None
        self.user_why = self.time_why = ""
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

    def map_number(self, key: str, column: Content, why: str, **keys: object) -> None:
        """Make a column of numbers one of ours."""
        numbers = Content(column.name, column.elements) if column.lists else column
        strays = len(numbers.filled) - len(numbers.numbers)
        if strays and numbers.numbers:
            why = f"{why}; {strays:,} of {len(numbers.filled):,} values are no numbers"
        self.map(key, column, why, **keys, decimal=numbers.decimal)

    def ask(self, key: str, choices: str, fits: Callable[[Content], bool]) -> None:
        """Leave a column of ours to the reader, to be chosen from those that fit."""
        self.asked[len(self.entries)] = (choices, fits)
        self.entries.append(Entry(key))

    def _name_choices(self) -> None:
        """Name in each question the columns that nothing else has and that could fit."""
        for place, (choices, fits) in self.asked.items():
            fitting = [column for column in self.free if fits(column)]
            told = [
                f"{column.name}, {'a list, ' if column.lists else ''}e.g. {column.example}"
                for column in fitting[:MOST_NAMED]
            ]
            if len(fitting) > MOST_NAMED:
                told.append(f"and {len(fitting) - MOST_NAMED} more")
            why = f"{choices}. Columns left: {'; '.join(told) or 'none'}"
            self.entries[place] = Entry(self.entries[place].key, why=why)

    def map_id(self, key: str, column: Content, why: str) -> None:
        """Make a column one of our ids."""
        self.map(key, column, why)
        self.know(key, column.filled)

    def know(self, key: str, values: Iterable[object]) -> None:
        """Remember an id's values, which tell its type and which other files are about it."""
        found = {str(value) for value in values}
        self.kinds[key] = id_kind(sorted(found))
        self.ids[key] = found

    def find_time(self) -> None:
        """Find when a row was: by its name, or else by its values."""
        self.time = self.take(TIME, is_time)
        if self.time is None:
            texts = (column for column in self.free if is_time(column) and not column.numbers)
            # Numbers could be anything where no name says that they are times.
            epochs = (column for column in self.free if is_scalar(column) and is_epoch(column))
            self.time = self.taken(next(texts, None) or next(epochs, None))
            self.time_why = f"{GUESS}: "

    def find_user(self) -> None:
        """Find who asked by its name."""
        self.user, self.user_why = self.take(USER, is_scalar), "called like a user"

    def find_user_by_values(self, request: Content | None) -> None:
        """Find who asked where no name tells."""
        if self.user is None and request is not None:
            self.user = self.taken(user_by_values(self.free, request))
            self.user_why = f"{GUESS}: each request has one, and some have the same"
        if self.user is None and not self.sample.header:
            self.user = self.taken(next(filter(is_repeated_id, self.free), None))
            self.user_why = "the first ids that come again"

    def map_user_and_time(self) -> None:
        """Write down who asked, and when."""
        if self.user is not None:
            self.map_id("user_id", self.user, self.user_why)
        else:
            choices = 'user_id = "<column>", or { row_number = true } where nobody comes twice'
            self.ask("user_id", choices, is_scalar)
        if self.time is not None:
            keys, why = self.time.time
            self.map("ts", self.time, f"{self.time_why}{why}", **keys)
        else:
            choices = 'ts = { column = "<column>", unit = "s" }, or "ms", or "us"; or with format'
            self.ask("ts", choices, is_scalar)

    def map_flag(self, key: str, column: Content, numbers: list[float], split: str = "") -> None:
        """Make a column of numbers, or of words for them, one of 0 and 1."""
        low, high = min(numbers), max(numbers)
        if set(numbers) <= {0.0, 1.0}:
            why = "0 or 1" if column.numbers or column.lists else "words for 0 and 1"
            why += "" if low != high else f", but {low:g} in every row of the sample"
            self.map(key, column, why, split=split)
            return
        # Counts are a yes above 0; of a rating the better half is.
        least = 1.0 if low == 0 else float(median_high(numbers))
        why = f"numbers from {low:g} to {high:g}, of which those from {least:g} on count: a guess"
        self.map_number(key, column, why, split=split, at_least=least)

    def offer_the_rest(self, hint: Callable[[Content], str]) -> None:
        """Write down what is left, commented out."""
        self._name_choices()
        used = {*TAKEN, *(entry.key for entry in self.entries)}
        for column in self.free:
            key = field_name(column, used)
            used.add(key)
            why = f"{column.distinct:,} different values, e.g. {column.example}{hint(column)}"
            self.entries.append(Entry(key, column.raw(decimal=column.decimal), why, is_used=False))


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


def is_filled(column: Content) -> bool:
    """Whether it has any value."""
    return bool(column.filled)


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
