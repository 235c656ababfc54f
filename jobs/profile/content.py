"""What the values of a sampled column are: numbers, ids, times, lists, or text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from jobs.profile.sample import shape
from jobs.profile.time_format import time_format

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
    def numbers(self) -> list[float]:
        """The values as numbers; nothing where some are none."""
        try:
            # Python reads "1_2" as 12, which is a list of two.
            return [
                float(value.replace("_", "x") if isinstance(value, str) else value)
                for value in self.filled
            ]
        except (TypeError, ValueError):
            return []

    @cached_property
    def is_binary(self) -> bool:
        """Whether every value is 0 or 1."""
        return bool(self.numbers) and set(self.numbers) <= {0.0, 1.0}

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


def id_kind(values: Iterable[object]) -> tuple[str, str]:
    """Return the type of an id, and why: int64 where every value is an integer of that size."""
    for value in values:
        text = str(value)
        # "007" and 7 would become one id.
        if not re.fullmatch(r"-?(0|[1-9]\d*)", text) or not -INT64 <= int(text) < INT64:
            return "string", f"not every id is a whole number, such as {value!r}"
    return "int64", "every id of the sample is a whole number"


def _is_cut(texts: list[str], mark: str) -> bool:
    """Whether strings are lists of ids: often several parts, which have digits and look alike."""
    parts = [text.split(mark) for text in texts]
    lengths = [len(found) for found in parts]
    # Two parts alone may be one id that is made of two.
    if max(lengths, default=0) < 3 or sum(length > 1 for length in lengths) < len(texts) / 2:
        return False
    every = [part for found in parts for part in found if part]
    has_digits = all(any(character.isdigit() for character in part) for part in every)
    alike = len({shape(part) for part in every}) == 1 or len({len(part) for part in every}) == 1
    return has_digits and alike
