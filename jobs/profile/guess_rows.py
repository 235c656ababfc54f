"""Guess a log of which one row is one item: a candidate of a request, or an event of a user."""

from collections import Counter, defaultdict

from jobs.profile.content import Content
from jobs.profile.entry import Entry
from jobs.profile.guess_logs import (
    TAKEN,
    LogGuess,
    field_name,
    is_number,
    is_scalar,
    popularity,
)
from jobs.profile.names import (
    CATEGORY,
    EXPOSED,
    ITEM,
    LABEL,
    REQUEST,
    SCORE,
    SESSION,
    SHOWN_RANK,
    column_named,
)
from jobs.profile.sample import Sample

REPEATED = 0.8
"""Below this share of different values an id stands in several rows."""
POOL = 200
"""Candidates that are derived for an event."""


class RowGuess(LogGuess):
    """A log of candidates, or of events."""

    def __init__(self, sample: Sample) -> None:
        """Guess in an order in which every guess rests on the ones before it."""
        super().__init__(sample)
        request = self._request()
        self.rows = "events" if request is None else "candidates"
        if request is None:
            self.why = "no column has one request's name in several rows"
            self.kinds["request_id"] = ("string", "made of the user and the time")
        else:
            self.why = f"{request.name} has the same value in several rows"
            self.map_id("request_id", self.taken(request), "called like a request")
        self.guess_user_and_time()
        self._guess_item()
        self._guess_label()
        if request is None:
            self.most_candidates = POOL
        else:
            self._guess_shown_and_score()
            self.most_candidates = max(Counter(request.filled).values())
        self._guess_category()
        self.offer_the_rest(lambda column: _hint(column, request))

    def _request(self) -> Content | None:
        """Return the column that names the request a row is part of; None where none does."""
        request = column_named(self.free, REQUEST, is_in_several_rows)
        # Of sessions there are logs of events too; what is 0 or 1 was passed over or taken.
        if request is None and column_named(self.free, LABEL, lambda c: set(c.numbers) == {0, 1}):
            request = column_named(self.free, SESSION, is_in_several_rows)
        return request

    def _guess_item(self) -> None:
        item = self.take(ITEM, is_scalar)
        if item is not None:
            self.map_id("item_id", item, "called like an item")
        else:
            self.ask("item_id", 'item_id = "<column>"', is_scalar)

    def _guess_label(self) -> None:
        label = self.take(LABEL, is_number)
        if label is not None:
            self.map_flag("label", label, label.numbers)
        elif self.rows == "events":
            why = "no column says what an event is worth, so each is a click"
            self.entries.append(Entry("label", {"constant": 1}, why))
        else:
            choices = 'label = "<column>" of 0 and 1, or { column = "<column>", at_least = 4 }'
            self.ask("label", choices, is_number)

    def _guess_shown_and_score(self) -> None:
        if exposed := self.take(EXPOSED, lambda column: column.is_binary):
            self.map("exposed", exposed, "0 or 1")
        else:
            why = "no column says what was shown, so every row counts as shown"
            self.entries.append(Entry("exposed", why=why, is_used=False))
        if rank := self.take(SHOWN_RANK, lambda c: is_number(c) and min(c.numbers) >= 1):
            self.map("shown_rank", rank, "called like a place, from 1")
        if score := self.take(SCORE, is_number):
            self.map("score", score, "called like a score")
        else:
            self.entries.append(popularity())

    def _guess_category(self) -> None:
        """Find a field by which items are alike."""
        if category := self.take(CATEGORY, is_scalar):
            self.category, self.separator = field_name(category, TAKEN), category.separator
            self.map(self.category, category, "a field of the item, called like a category")


def _hint(column: Content, request: Content | None) -> str:
    """Return whether a column could be a fact of the request, as far as the sample tells."""
    if request is None:
        return ""
    seen = defaultdict(set)
    for name, value in zip(request.values, column.values, strict=True):
        seen[name].add(str(value))
    is_constant = all(len(values) == 1 for values in seen.values())
    return "; the same within a request" if is_constant else "; differs within a request"


def is_in_several_rows(column: Content) -> bool:
    """Whether it has the same value in several rows."""
    return is_scalar(column) and column.distinct < REPEATED * len(column.filled)
