"""Guess a log of which one row is one request, with lists of its candidates."""

import re
from collections.abc import Iterable

from jobs.profile.content import Content
from jobs.profile.entry import Entry
from jobs.profile.guess_logs import LogGuess, is_filled, is_scalar, popularity
from jobs.profile.names import (
    EXPOSED,
    ITEM_LIST,
    LABEL,
    NO_ITEM_LIST,
    REQUEST,
    SCORE,
    SHOWN_RANK,
)
from jobs.profile.sample import Sample

MOSTLY = 0.9
"""Share of the rows in which a list must be part of the candidates to be a list of clicks."""


def item_list(columns: Iterable[Content], has_names: bool) -> Content | None:
    """Return the column that lists the candidates of a request; None where no column does."""
    lists = [c for c in columns if c.lists and not re.search(NO_ITEM_LIST, c.word)]
    clicked = [column for column in lists if column.token]
    named = [column for column in lists if re.fullmatch(ITEM_LIST, column.word)]
    found = clicked or named or ([] if has_names else lists)
    return max(found, key=lambda column: len(column.elements), default=None)


class ListGuess(LogGuess):
    """A log of requests."""

    rows = "requests"

    def __init__(self, sample: Sample, items: str) -> None:
        """Guess in an order in which every guess rests on the ones before it."""
        super().__init__(sample)
        column = self.taken(next(c for c in self.free if c.name == items))
        self.why = f"{column.name} lists several items a row"
        self._guess_request()
        self.find_user()
        self.find_time()
        self.find_user_by_values(None)
        self.map_user_and_time()
        self._guess_items(column)
        self._guess_label(column)
        self._guess_shown()
        self._guess_score()
        self.offer_the_rest(lambda column: "; a list" if column.lists else "")

    def _guess_request(self) -> None:
        request = self.take(REQUEST, is_scalar)
        if request is None and not self.sample.header:
            every = (c for c in self.free if is_scalar(c) and c.time is None)
            request = self.taken(next((c for c in every if c.distinct == self.sample.rows), None))
        if request is not None:
            why = "called like a request" if self.sample.header else "no two rows have the same"
            self.map_id("request_id", request, why)
        else:
            why = "no column names requests, so each row has the name that its file and number give"
            self.entries.append(Entry("request_id", {"row_number": True}, why))
            self.kinds["request_id"] = ("string", "made of file and row")

    def _guess_items(self, column: Content) -> None:
        self.cut, token = column.cut, column.token
        self.candidates = [
            [str(element).partition(token)[0] if token else str(element) for element in listed]
            for listed in column.lists
        ]
        self.most_candidates = max(map(len, self.candidates))
        self.map("item_id", column, "a list of ids", split=self.cut, token=token)
        self.know("item_id", (item for listed in self.candidates for item in listed))

    def _guess_label(self, items: Content) -> None:
        if items.token:
            keys = {"split": items.cut, "token": items.token, "part": 1}
            self.map("label", items, "the second part of each item is 0 or 1", **keys)
        elif not self._is_flag_found("label", LABEL):
            choices = 'label = { among = "<column>" }, the clicked items; or a list of 0 and 1'
            self.ask("label", choices, is_filled)

    def _guess_shown(self) -> None:
        if not self._is_flag_found("exposed", EXPOSED):
            why = "no column says what was shown, so every item of the list counts as shown"
            self.entries.append(Entry("exposed", why=why, is_used=False))
        if rank := self.take(SHOWN_RANK, self._is_parallel):
            self.map_number("shown_rank", rank, "called like a place", split=rank.cut)

    def _guess_score(self) -> None:
        if score := self.take(SCORE, self._is_parallel):
            self.map_number("score", score, "called like a score", split=score.cut)
        else:
            self.entries.append(popularity())

    def _is_flag_found(self, key: str, patterns: Iterable[str]) -> bool:
        """Map a list of one number for each item, or the list of the items for which it is 1."""
        if flags := self.take(patterns, self._is_parallel):
            self.map_flag(key, flags, numbers_of(flags), flags.cut)
        elif listed := self.take(patterns, self._is_part):
            split = "" if isinstance(listed.filled[0], list) else self.cut
            why = f"{listed.name} lists some of the row's items, e.g. {listed.example}"
            self.entries.append(Entry(key, {"among": listed.raw(split=split)}, why))
        else:
            return False
        return True

    def _is_parallel(self, column: Content) -> bool:
        """Whether it lists one number for each candidate."""
        same = [len(listed) for listed in column.lists] == [len(c) for c in self.candidates]
        return same and bool(numbers_of(column))

    def _is_part(self, column: Content) -> bool:
        """Whether it lists some of the candidates in nearly every row."""
        # Short lists may be of one item each, which no mark cuts.
        lists = column.lists or (column.split(self.cut) if self.cut else [])
        inside = [
            {str(element) for element in listed} <= set(candidates)
            for listed, candidates in zip(lists, self.candidates, strict=False)
        ]
        return any(lists) and sum(inside) >= MOSTLY * len(inside)


def numbers_of(column: Content) -> list[float]:
    """Return what its lists hold as numbers; nothing where some are none."""
    return Content(column.name, column.elements).numbers
