"""Raw times as microseconds since 1970 UTC: numbers of a unit, text, or timestamps with a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import RawColumn
from jobs.sources.raw_values import EXACT_IN_DOUBLE, Checked, numbers, plain, problem, text

MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
NO_ZONE = "ts names no zone, and neither does the profile (zone = 'UTC')"


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
    try:
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:  # The first and the last hours of all time, which stand for no time.
        return None, False
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, False
