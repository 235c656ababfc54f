"""How sampled values are read as times: a unit since 1970, ISO 8601, or a format that most fit."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice

from jobs.profile.number_format import are_enough

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
EARLIEST, LATEST = 1e8, 1e10
"""Seconds from 1973 on, and below the milliseconds of the same year."""
ISO = ""
FORMATS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
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
        inside = [number for number in numbers if EARLIEST <= number / parts < LATEST]
        if are_enough(len(inside), len(values)):
            moment = datetime.fromtimestamp(inside[0] / parts, UTC)
            told = f"in {unit} since 1970 that is {moment:%Y-%m-%d %H:%M}"
            return {"unit": unit}, told + _unread(len(values) - len(inside), len(values))
    texts = dict(islice(Counter(str(value) for value in values).items(), MOST_TRIED))
    return _text_format(texts, FORMATS if numbers else (ISO, *FORMATS))


def _text_format(
    texts: dict[str, int], forms: tuple[str, ...]
) -> tuple[dict[str, str], str] | None:
    """Return the same for texts, each with how often it is there."""
    every = sum(texts.values())
    read = {form: [text for text in texts if _moment(text, form)] for form in forms}
    count = {form: sum(texts[text] for text in read[form]) for form in forms}
    # 31/01 tells the day from the month, though most days of the sample may be below 13.
    best = max(forms, key=lambda form: count[form])
    if not are_enough(count[best], every):
        return None
    others = [form for form in forms if form not in (ISO, best) and count[form] == count[best]]
    also = f" (and {', '.join(others)})" if others else ""
    why = "ISO 8601" if best == ISO else f"this format fits{also}"
    why += _unread(every - count[best], every)
    keys = {"format": best} if best != ISO else {}
    if all(_moment(text, best).tzinfo for text in read[best]):
        return keys, why
    return {**keys, "zone": "UTC"}, f"{why}{ZONE}"


def seconds(value: object, keys: dict[str, str]) -> float | None:
    """Return a value as seconds since 1970, read by the keys; None where that cannot be."""
    if "unit" in keys:
        try:
            since = float(value) / UNITS[keys["unit"]]
        except (TypeError, ValueError):
            return None
    else:
        moment = value
        if not isinstance(value, datetime):
            moment = _moment(str(value), keys.get("format", ISO))
        if moment is None:
            return None
        since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return since if EARLIEST <= since < LATEST else None


def _moment(text: str, form: str) -> datetime | None:
    try:
        if form == ISO:
            return datetime.fromisoformat(text)
        return datetime.strptime(text, form)  # noqa: DTZ007 - a profile names the zone apart
    except ValueError:
        return None


def _unread(count: int, every: int) -> str:
    return f"; {count:,} of {every:,} values cannot be read so" if count else ""
