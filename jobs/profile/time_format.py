"""How sampled values are read as times: a unit since 1970, ISO 8601, or a format that all fit."""

from collections.abc import Callable
from datetime import UTC, date, datetime

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
EARLIEST, LATEST = 1e8, 1e10
"""Seconds from 1973 on, and below the milliseconds of the same year."""
FORMATS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y%m%d",
)
MOST_TRIED = 300
ZONE = "; it names no zone, and UTC is a guess"


def time_format(values: list[object], numbers: list[float]) -> tuple[dict[str, str], str] | None:
    """Return the keys of a raw column that read these values as times, and why; None if none do."""
    if not values:
        return None
    if all(isinstance(value, datetime) for value in values):
        zoned = values[0].tzinfo is not None
        return ({}, "it holds times") if zoned else ({"zone": "UTC"}, f"it holds times{ZONE}")
    for unit, parts in UNITS.items():
        if numbers and EARLIEST * parts <= min(numbers) <= max(numbers) < LATEST * parts:
            moment = datetime.fromtimestamp(numbers[0] / parts, UTC)
            return {"unit": unit}, f"in {unit} since 1970 that is {moment:%Y-%m-%d %H:%M}"
    texts = [str(value) for value in dict.fromkeys(values)][:MOST_TRIED]
    if not numbers and _all_parse(datetime.fromisoformat, texts):
        zoned = datetime.fromisoformat(texts[0]).tzinfo is not None
        return ({}, "ISO 8601") if zoned else ({"zone": "UTC"}, f"ISO 8601{ZONE}")
    fits = [form for form in FORMATS if _all_parse(_reader(form), texts)]
    if not fits:
        return None
    others = f" (and {', '.join(fits[1:])})" if fits[1:] else ""
    return {"format": fits[0], "zone": "UTC"}, f"every value fits this format{others}{ZONE}"


def _reader(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form).replace(tzinfo=UTC)


def _all_parse(parse: Callable[[str], date], texts: list[str]) -> bool:
    try:
        for text in texts:
            parse(text)
    except ValueError:
        return False
    return True
