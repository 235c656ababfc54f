"""Guess a log of which one row is one item: a candidate of a request, or an event of a user."""

from collections import Counter, defaultdict

from jobs.profile.content import Content
from jobs.profile.entry import Entry
from jobs.profile.guess_label import equal_values
from jobs.profile.guess_logs import (
    GUESS,
    TAKEN,
    LogGuess,
    field_name,
    is_filled,
    is_number,
    is_scalar,
    popularity,
)
from jobs.profile.guess_request import is_in_several_rows, request_by_values
from jobs.profile.names import (
    CATEGORY,
    CODE,
    EVENT,
    EXPOSED,
    ITEM,
    LABEL,
    REQUEST,
    SCORE,
    SESSION,
    SHOWN_RANK,
    TIME,
    column_named,
    is_called,
)
from jobs.profile.sample import Sample

POOL = 200
"""Candidates that are derived for an event."""


class RowGuess(LogGuess):
    """A log of candidates, or of events."""

    def __init__(self, sample: Sample) -> None:
        """Guess in an order in which every guess rests on the ones before it."""
        super().__init__(sample)
        request = self._guess_request()
        self.find_user_by_values(request)
        self.map_user_and_time()
        self._guess_item()
        self._guess_label()
        if request is None:
            self.most_candidates = POOL
        else:
            self._guess_shown_and_score()
            self.most_candidates = max(Counter(request.filled).values())
        self._guess_category()
        self.offer_the_rest(lambda column: _hint(column, request))

    def _guess_request(self) -> Content | None:
        """Find time and user by name, and the request a row is part of; None where none is."""
        request, why = self.taken(self._named_request()), "called like a request"
        self.find_time()
        self.find_user()
        if request is None:
            request = self.taken(request_by_values(self.free, self.time, self.user))
            why = f"{GUESS}: each stands in several rows, which have one time and one user"
        self.rows = "events" if request is None else "candidates"
        if request is None:
            self.why = "no column has one request's name in several rows"
            self.kinds["request_id"] = ("string", "made of the user and the time")
        else:
            self.why = f"{request.name} has the same value in several rows"
            self.map_id("request_id", request, why)
        return request

    def _named_request(self) -> Content | None:
        """Return the column that is called like a request and stands in several rows."""
        request = column_named(self.free, REQUEST, is_in_several_rows)
        # Of sessions there are logs of events too; what is 0 or 1 was passed over or taken.
        if request is None and column_named(self.free, LABEL, lambda c: set(c.flags) == {0, 1}):
            request = column_named(self.free, SESSION, is_in_several_rows)
        return request

    def _guess_item(self) -> None:
        item = self.take(ITEM, is_scalar)
        if item is not None:
            self.map_id("item_id", item, "called like an item")
        else:
            choices = 'item_id = "<column>"; a list of items only where rows = "requests"'
            self.ask("item_id", choices, is_filled)

    def _guess_label(self) -> None:
        if label := self.take(LABEL, _is_label):
            self.map_flag("label", label, label.flags)
        elif event := self.take((*EVENT, *LABEL), lambda column: bool(equal_values(column)[0])):
            best, why = equal_values(event)
            self.entries.append(Entry("label", event.raw(equals=[best]), why))
        elif self.rows == "events":
            choices = (
                "label = { constant = 1 } if every event counts as a click; else "
                'label = "<column>" of 0 and 1, { column = "<column>", at_least = 4 }, or '
                '{ column = "<column>", equals = ["click"] }'
            )
            self.ask("label", choices, is_filled)
        else:
            choices = (
                'label = "<column>" of 0 and 1, { column = "<column>", at_least = 4 }, '
                '{ column = "<column>", equals = ["click"] }, or { among = "<column>" }, a list'
            )
            self.ask("label", choices, is_filled)

    def _guess_shown_and_score(self) -> None:
        if exposed := self.take(EXPOSED, lambda column: column.is_binary):
            self.map_flag("exposed", exposed, exposed.flags)
        else:
            why = "no column says what was shown, so every row counts as shown"
            self.entries.append(Entry("exposed", why=why, is_used=False))
        if rank := self.take(SHOWN_RANK, lambda c: is_number(c) and min(c.numbers) >= 1):
            self.map_number("shown_rank", rank, "called like a place, from 1")
        if score := self.take(SCORE, is_number):
            self.map_number("score", score, "called like a score")
        else:
            self.entries.append(popularity())

    def _guess_category(self) -> None:
        """Find a field by which items are alike."""
        if category := self.take(CATEGORY, is_scalar):
            self.category, self.separator = field_name(category, TAKEN), category.separator
            self.map(self.category, category, "a field of the item, called like a category")


def _is_label(column: Content) -> bool:
    """Whether it could say what came of a row: numbers, which are neither times nor codes."""
    return is_scalar(column) and bool(column.flags) and not is_called(column, (*TIME, CODE))


def _hint(column: Content, request: Content | None) -> str:
    """Return whether a column could be a fact of the request, as far as the sample tells."""
    if request is None:
        return ""
    seen = defaultdict(set)
    for name, value in zip(request.values, column.values, strict=True):
        seen[name].add(str(value))
    is_constant = all(len(values) == 1 for values in seen.values())
    return "; the same within a request" if is_constant else "; differs within a request"
