"""Raw values as ours: text, numbers, ids, times and lists; null where a value cannot be one.

Every function takes one column of a batch and tells which values it could not use and why, so that
a bad value costs its own row and no other.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import RawColumn

LONGEST_ID = 512
EXACT_IN_DOUBLE = 2**53
EXACT_IN = {pa.float32(): 2**24, pa.float16(): 2**11}
MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
UNKNOWN = "unknown"
CONTROL = r"[\x00-\x1f\x7f]"


class Problem(NamedTuple):
    """Values that cannot be used, and why."""

    at: np.ndarray
    """Their places among the values."""
    reason: str


Checked = tuple[pa.Array, list[Problem]]
"""Values of one column, and which of them cannot be used."""


def problem(mask: pa.Array | np.ndarray, reason: str) -> list[Problem]:
    """Return the places where the mask is true as a problem, or nothing."""
    if not isinstance(mask, np.ndarray):
        mask = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(mask)
    return [Problem(at, reason)] if len(at) else []


def plain(array: pa.Array) -> pa.Array:
    """Return an array without dictionary, text with 32-bit offsets and numbers in full width."""
    if array.offset:
        # pyarrow 14 splits the text of a slice at the wrong places.
        array = array.take(pa.array(np.arange(len(array))))
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        return array.cast(pa.float64())
    if pa.types.is_large_string(array.type):
        return array.cast(pa.string())
    return array


def text(array: pa.Array) -> pa.Array:
    """Return values as text; whole floating numbers without their '.0', empty text as null."""
    array = plain(array)
    if pa.types.is_floating(array.type):
        whole = pc.and_(
            pc.equal(array, pc.trunc(array)), pc.less_equal(pc.abs(array), EXACT_IN_DOUBLE)
        )
        integers = pc.if_else(whole, array, None).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(integers, array.cast(pa.string()))
    values = array.cast(pa.string())
    return pc.if_else(pc.equal(values, ""), None, values)


def numbers(array: pa.Array, name: str) -> Checked:
    """Return values as float64, null where missing."""
    array = plain(array)
    if pa.types.is_boolean(array.type):
        return array.cast(pa.int8()).cast(pa.float64()), []
    if not pa.types.is_string(array.type):
        return array.cast(pa.float64(), safe=False), []
    values = text(array)
    try:
        return values.cast(pa.float64()), []
    except pa.ArrowInvalid:
        found = [_number(value) for value in values.to_pylist()]
    result = pa.array(found, pa.float64())
    bad = pc.and_(result.is_null(), values.is_valid())
    return result, problem(bad, f"{name} is no number")


def finite(array: pa.Array, name: str) -> Checked:
    """Return values as finite float64; none may be missing."""
    values, found = numbers(array, name)
    found += problem(values.is_null(), f"{name} is missing")
    return values, [*found, *problem(pc.invert(pc.is_finite(values)), f"{name} is NaN or infinite")]


def zero_or_one(array: pa.Array, spec: RawColumn, name: str) -> Checked:
    """Return a flag as int32, null where missing: 0 and 1, or whether it is `at_least` so much."""
    values, found = numbers(array, name)
    if spec.at_least is not None:
        found += problem(pc.is_nan(values), f"{name} is NaN")
        values = pc.greater_equal(values, spec.at_least).cast(pa.float64())
    allowed = pc.or_(pc.equal(values, 0), pc.equal(values, 1))
    found += problem(pc.invert(allowed), f"{name} is neither 0 nor 1")
    return pc.if_else(allowed, values, None).cast(pa.int32()), found


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def ids(array: pa.Array, kind: str, name: str) -> Checked:
    """Return ids as int64 or text; none may be missing."""
    exact = EXACT_IN.get(array.type, EXACT_IN_DOUBLE)
    array = plain(array)
    if kind == "string":
        values = text(array)
        long = pc.greater(pc.utf8_length(values), LONGEST_ID)
        return values, [
            *problem(values.is_null(), f"{name} is missing"),
            *problem(long, f"{name} is longer than {LONGEST_ID} characters"),
            *problem(
                pc.match_substring_regex(values, CONTROL), f"{name} holds a control character"
            ),
        ]
    missing = array.is_null()
    if pa.types.is_floating(array.type):
        far = pc.greater(pc.abs(array), exact)
        beyond = f"{name} is beyond {exact:,}, where a floating number of its width is not exact"
        whole = pc.equal(array, pc.trunc(array))
        usable = pc.and_(whole, pc.invert(far))
        return pc.if_else(usable, array, None).cast(pa.int64()), [
            *problem(missing, f"{name} is missing"),
            *problem(far, beyond),
            *problem(pc.invert(whole), f"{name} is no integer"),
        ]
    values = text(array)
    missing = values.is_null()
    try:
        return values.cast(pa.int64()), problem(missing, f"{name} is missing")
    except pa.ArrowInvalid:
        found = [_integer(value) for value in values.to_pylist()]
    result = pa.array(found, pa.int64())
    return result, [
        *problem(missing, f"{name} is missing"),
        *problem(pc.and_(result.is_null(), pc.invert(missing)), f"{name} is no 64-bit integer"),
    ]


def _integer(value: str | None) -> int | None:
    try:
        number = int(value or "", 10)
    except ValueError:
        return None
    return number if -(2**63) <= number < 2**63 else None


def moments(array: pa.Array, spec: RawColumn) -> Checked:
    """Return microseconds since 1970 UTC as int64."""
    array = plain(array)
    if spec.unit:
        values, found = numbers(array, "ts")
        far = pc.greater(pc.abs(values), float(EXACT_IN_DOUBLE))
        finite = pc.and_(pc.is_finite(values), pc.invert(far))
        # A microsecond is lost beyond 2^53 only, which is the year 2255.
        ready = pc.multiply(pc.if_else(finite, values, None), float(MICROSECONDS[spec.unit]))
        in_range = pc.less(pc.abs(ready), 2.0**62)
        result = pc.round(pc.if_else(in_range, ready, None)).cast(pa.int64())
    elif pa.types.is_timestamp(array.type):
        if array.type.tz is None and not spec.zone:
            return pa.nulls(len(array), pa.int64()), [*problem(array.is_valid(), NO_ZONE)]
        if array.type.tz is None:
            array = pc.assume_timezone(
                array, spec.zone, ambiguous="earliest", nonexistent="earliest"
            )
        result, found = array.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()), []
    else:
        # Few different times stand in a batch, and Python reads each of them exactly.
        encoded = text(array).dictionary_encode()
        read = [_moment(value, spec) for value in encoded.dictionary.to_pylist()]
        moment = pa.array([moment for moment, _ in read], pa.int64())
        zoneless = pa.array([zoneless for _, zoneless in read], pa.bool_())
        result = moment.take(encoded.indices)
        found = problem(zoneless.take(encoded.indices), NO_ZONE)
    unread = result.is_null().to_numpy(zero_copy_only=False)
    for known in found:
        unread[known.at] = False
    return result, [*found, *problem(unread, "ts is missing or cannot be read as a time")]


NO_ZONE = "ts names no zone, and neither does the profile (zone = 'UTC')"


def _moment(value: str, spec: RawColumn) -> tuple[int | None, bool]:
    """Return the microseconds, and whether the time lacks a zone."""
    try:
        if spec.format:
            moment = datetime.strptime(value, spec.format)  # noqa: DTZ007 - the zone comes below
        else:
            moment = datetime.fromisoformat(value)
    except ValueError:
        return None, False
    if moment.tzinfo is None:
        if not spec.zone:
            return None, True
        moment = moment.replace(tzinfo=ZoneInfo(spec.zone))
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, False


def tokens(array: pa.Array, spec: RawColumn, name: str) -> Checked:
    """Return a field's values as text; what is missing is 'unknown'."""
    array = plain(array)
    if spec.presence:
        there = text(array).is_valid() if pa.types.is_string(array.type) else array.is_valid()
        return pc.if_else(there, "yes", "no"), []
    if spec.edges:
        values, found = numbers(array, name)
        place = np.searchsorted(spec.edges, values.to_numpy(zero_copy_only=False), side="right")
        known = pc.and_(values.is_valid(), pc.is_finite(values))
        buckets = pc.if_else(known, pa.array(place.astype(str)), UNKNOWN)
        return pc.fill_null(buckets, UNKNOWN), found
    return pc.fill_null(text(array), UNKNOWN), []


def elements(array: pa.Array, spec: RawColumn) -> tuple[pa.Array, np.ndarray]:
    """Return a column of lists as (values one after the other, length of each list)."""
    array = plain(array)
    if spec.split:
        array = pc.split_pattern(pc.fill_null(text(array), ""), spec.split)
        blank = pc.equal(pc.list_flatten(array), "")
        values = array.flatten().filter(pc.invert(blank))
        parents = pc.list_parent_indices(array).filter(pc.invert(blank))
        lengths = np.bincount(parents.to_numpy(), minlength=len(array))
    else:
        if pa.types.is_large_list(array.type):
            array = array.cast(pa.list_(array.type.value_type))
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
        values = plain(array.flatten())
    return values, lengths.astype(np.int64)


def part_of(values: pa.Array, spec: RawColumn) -> pa.Array:
    """Return the wanted part of each element; null where it has fewer."""
    if spec.token:
        parts = pc.split_pattern(plain(values).cast(pa.string()), spec.token)
    elif pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        parts = values
    else:
        return values
    lengths = pc.fill_null(pc.list_value_length(parts), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths)
    place = (ends if spec.part < 0 else ends - lengths) + spec.part
    inside = (place >= ends - lengths) & (place < ends)
    return parts.flatten().take(pa.array(place, mask=~inside))
