"""How sampled values are read as numbers: by a decimal dot or comma, a few that are none apart."""

import math
import re
from collections.abc import Sequence

STRAY = 0.05
"""Share of the values that may be something else: they cost their own rows and no other."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number that may be a thousand with a comma as well as one with three decimals."""


def are_enough(found: int, values: int) -> bool:
    """Whether so many values of a kind make a column one of this kind."""
    return 0 < found >= (1 - STRAY) * values


def decimal_mark(values: Sequence[object]) -> str:
    """Return a comma where numbers are written with a decimal comma, else nothing."""
    texts = [value.strip() for value in values if isinstance(value, str)]
    parted = [text for text in texts if COMMA.fullmatch(text)]
    if not parted or any(NUMBER.fullmatch(text) and "." in text for text in texts):
        return ""
    whole = sum(text.lstrip("+-").isdecimal() for text in texts)
    is_grouped = all(GROUPED.fullmatch(text) for text in parted)
    return "," if are_enough(len(parted) + whole, len(values)) and not is_grouped else ""


def numbers_in(values: Sequence[object], decimal: str) -> list[float]:
    """Return the values that are numbers; nothing where more than a few are none."""
    read = (_number(value, decimal) for value in values)
    found = [number for number in read if number is not None and math.isfinite(number)]
    return found if are_enough(len(found), len(values)) else []


def is_number(text: str) -> bool:
    """Whether a text is one number, whatever its decimal mark."""
    return bool(NUMBER.fullmatch(text) or COMMA.fullmatch(text))


def _number(value: object, decimal: str) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        if decimal:
            text = text.replace(decimal, ".")
        # Python reads "1_2" as 12, which is a list of two.
        return float(text) if NUMBER.fullmatch(text) else None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
