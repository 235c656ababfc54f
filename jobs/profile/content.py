"""What the values of a sampled column are: numbers, ids, times, lists, or text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from jobs.profile.number_format import are_enough, decimal_mark, is_number, numbers_in
from jobs.profile.time_format import seconds, time_format
from jobs.sources.raw_values import WORDS

LISTED_BY = (" ", ",", ";", "|", "_")
"""What a list in one string may be cut at."""
BRACKETED = re.compile(r"\s*[\[(](.*)[\])]\s*", re.DOTALL)
"""A list as Python, JSON and pandas write it."""
BARE = " \n\"'"
"""What stands around its elements."""
PARTED_BY = ("-", ":", "=")
"""What may stand between an item and its click."""
INT64 = 2**63
SEPARATORS = ("|", ",", ";", " ")
"""What may stand between the categories of one item."""
SEVERAL = 0.1
"""Share of the items that have several, at least."""
LONGEST_EXAMPLE = 40


@dataclass(frozen=True)
class Content:
    """One column of a sample, None where a value is missing."""

    name: str
    values: list[object]

    @cached_property
    def word(self) -> str:
        """The name in small letters, words joined by _, without RecBole's ':type'."""
        spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", self.name.partition(":")[0])
        return re.sub(r"\W+", "_", spaced).strip("_").lower()

    @cached_property
    def filled(self) -> list[object]:
        """The values that are there; NaN is none."""
        return [value for value in self.values if value is not None and value == value]

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return len({str(value) for value in self.filled})

    @property
    def example(self) -> str:
        """One value, as it may stand in a comment."""
        first = self.filled[0] if self.filled else "no value"
        text = repr(first) if isinstance(first, str) else str(first)
        return text if len(text) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}..."

    @cached_property
    def decimal(self) -> str:
        """A comma where its numbers have a decimal comma."""
        return decimal_mark(self.filled)

    @cached_property
    def numbers(self) -> list[float]:
        """The values that are numbers; nothing where more than a few are none."""
        return numbers_in(self.filled, self.decimal)

    @cached_property
    def flags(self) -> list[float]:
        """The same, with 1 and 0 for words such as yes and no."""
        words = [WORDS.get(str(value).strip().lower()) for value in self.filled]
        found = [float(word) for word in words if word]
        return found if are_enough(len(found), len(words)) else self.numbers

    @cached_property
    def is_binary(self) -> bool:
        """Whether every value is 0 or 1, or a word for it."""
        return bool(self.flags) and set(self.flags) <= {0.0, 1.0}

    @cached_property
    def cut(self) -> str:
        """Where its strings are cut into lists; nothing where they are none."""
        texts = [value for value in self.filled if isinstance(value, str)]
        if texts and all(BRACKETED.fullmatch(text) for text in texts):
            return "," if any("," in text for text in texts) else " "
        return next((mark for mark in LISTED_BY if _is_cut(texts, mark)), "")

    @cached_property
    def lists(self) -> list[list[object]]:
        """Each row's list; nothing where the rows have none."""
        if self.filled and all(isinstance(value, list) for value in self.filled):
            return [value or [] for value in self.values]
        return self.split(self.cut) if self.cut else []

    def split(self, mark: str) -> list[list[object]]:
        """Return each row's string as a list."""
        inside = (BRACKETED.sub(r"\1", str(value or "")) for value in self.values)
        cut = ((part.strip(BARE) for part in text.split(mark)) for text in inside)
        return [[part for part in parts if part] for parts in cut]

    @cached_property
    def elements(self) -> list[object]:
        """What its lists hold, one after the other."""
        return [element for listed in self.lists for element in listed]

    @cached_property
    def token(self) -> str:
        """What stands between an item and its click, 0 or 1, in each element of its lists."""
        for mark in PARTED_BY:
            parts = [str(element).split(mark) for element in self.elements]
            if parts and all(len(found) == 2 and found[1] in ("0", "1") for found in parts):
                return mark
        return ""

    @cached_property
    def separator(self) -> str:
        """What stands between several categories of one item; nothing where each has one."""
        if self.lists:
            return SEPARATORS[0]
        texts = [str(value) for value in self.filled]
        for mark in SEPARATORS:
            several = sum(mark in text for text in texts)
            parts = {part for text in texts for part in text.split(mark)}
            if several >= SEVERAL * len(texts) and len(parts) < self.distinct:
                return mark
        return ""

    def raw(self, **keys: object) -> str | dict[str, object]:
        """Return it as a profile names it: alone, or with what else is said of it."""
        said = {key: value for key, value in keys.items() if value != ""}
        return {"column": self.name, **said} if said else self.name

    @cached_property
    def time(self) -> tuple[dict[str, str], str] | None:
        """The keys that read it as a time, and why; None where it is none."""
        return None if self.lists else time_format(self.filled, self.numbers)

    @cached_property
    def seconds(self) -> list[float | None]:
        """The time of every row since 1970; None where it has none that can be read."""
        keys, _ = self.time
        return [None if value is None else seconds(value, keys) for value in self.values]


def shape(text: str) -> str:
    """Return what a value looks like: every run of digits as 9, of letters as a."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))


def id_kind(values: Iterable[object]) -> tuple[str, str]:
    """Return the type of an id, and why: int64 where every value is an integer of that size."""
    for value in values:
        # "007" and 7 would become one id; pandas writes 7 as 7.0 where a column has gaps.
        text = re.sub(r"\.0*$", "", str(value))
        if not re.fullmatch(r"-?(0|[1-9]\d*)", text) or not -INT64 <= int(text) < INT64:
            return "string", f"not every id is a whole number, such as {value!r}"
    return "int64", "every id of the sample is a whole number"


def _is_cut(texts: list[str], mark: str) -> bool:
    """Whether strings are lists: often several parts, all numbers, or with digits and alike."""
    parts = [text.split(mark) for text in texts]
    lengths = [len(found) for found in parts]
    # Two parts alone may be one id that is made of two.
    if max(lengths, default=0) < 3 or sum(length > 1 for length in lengths) < len(texts) / 2:
        return False
    every = [part for found in parts for part in found if part]
    if every and all(is_number(part) for part in every):
        return True
    has_digits = all(any(character.isdigit() for character in part) for part in every)
    alike = len({shape(part) for part in every}) == 1 or len({len(part) for part in every}) == 1
    return has_digits and alike
