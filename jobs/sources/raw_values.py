"""Raw values as ours: text, numbers, ids, times and lists; null where a value cannot be one.

Every function takes one column of a batch and tells which values it could not use and why, so that
a bad value costs its own row and no other.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import RawColumn

LONGEST_TEXT = 512
TOO_LONG = f"{{}} is longer than {LONGEST_TEXT} characters"
EXACT_IN_DOUBLE = 2**53
EXACT_IN = {pa.float32(): 2**24, pa.float16(): 2**11}
UNKNOWN = "unknown"
CONTROL = r"[\x00-\x1f\x7f]"
INTEGER = r"^[+-]?[0-9]{1,19}$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
BRACKETED = r"(?s)^\s*[\[(](.*)[\])]\s*$"
QUOTED = r"""(?s)^(?:"(.*)"|'(.*)')$"""
NOTHING = ["", "null", "None", "nan", "NaN"]
"""A missing element of a list in brackets, as JSON, Python and pandas write it."""
NOT_FINITE = r"^(?i)[+-]?(nan|inf|infinity)$"
WORDS = {"true": "1", "yes": "1", "t": "1", "y": "1", "false": "0", "no": "0", "f": "0", "n": "0"}
"""What flags are written as, besides 0 and 1."""


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


def is_list(kind: pa.DataType) -> bool:
    """Whether values of this type are lists, however these are kept."""
    return any(
        f(kind) for f in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    )


def plain(array: pa.Array) -> pa.Array:
    """Return an array without dictionary, with text and lists of 32-bit offsets."""
    if array.offset:
        # pyarrow 14 splits the text of a slice at the wrong places.
        array = array.take(pa.array(np.arange(len(array))))
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_large_string(kind):
        return array.cast(pa.string())
    if pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        return array.cast(pa.list_(kind.value_type))
    return array


def text(array: pa.Array) -> pa.Array:
    """Return values as text; whole floating numbers without their '.0', empty text as null."""
    array = plain(array)
    if pa.types.is_floating(array.type):
        array = array.cast(pa.float64())
        array = pc.if_else(pc.is_nan(array), None, array)
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
    values = pc.utf8_trim_whitespace(text(array))
    written = pc.or_(
        pc.match_substring_regex(values, NUMBER), pc.match_substring_regex(values, NOT_FINITE)
    )
    result = pc.if_else(written, values, None).cast(pa.float64())
    return result, problem(pc.invert(written), f"{name} is no number")


def finite(array: pa.Array, name: str) -> Checked:
    """Return values as finite float64; none may be missing."""
    values, found = numbers(array, name)
    found += problem(values.is_null(), f"{name} is missing")
    return values, [*found, *problem(pc.invert(pc.is_finite(values)), f"{name} is NaN or infinite")]


def zero_or_one(array: pa.Array, spec: RawColumn, name: str) -> Checked:
    """Return a flag as int32, null where missing.

    0 and 1 or their words; or whether it is there, is `at_least` so much, or is one of `equals`.
    """
    array = plain(array)
    if spec.presence:
        return text(array).is_valid().cast(pa.int32()), []
    if spec.equals:
        return pc.is_in(text(array), pa.array(spec.equals)).cast(pa.int32()), []
    if pa.types.is_string(array.type):
        words = pc.utf8_lower(pc.utf8_trim_whitespace(text(array)))
        place = pc.index_in(words, pa.array(list(WORDS)))
        array = pc.coalesce(pa.array(list(WORDS.values())).take(place), array)
    values, found = numbers(array, name)
    # Pandas writes a flag that is missing so.
    values = pc.if_else(pc.is_nan(values), None, values)
    if spec.at_least is not None:
        values = pc.greater_equal(values, spec.at_least).cast(pa.float64())
    allowed = pc.or_(pc.equal(values, 0), pc.equal(values, 1))
    found += problem(pc.invert(allowed), f"{name} is neither 0 nor 1")
    return pc.if_else(allowed, values, None).cast(pa.int32()), found


def ids(array: pa.Array, kind: str, name: str) -> Checked:
    """Return ids as int64 or text; none may be missing."""
    return text_ids(array, name) if kind == "string" else integer_ids(array, name)


def text_ids(array: pa.Array, name: str) -> Checked:
    """Return ids as text: anything that is printed, up to LONGEST_TEXT characters."""
    values = text(array)
    return values, [
        *problem(values.is_null(), f"{name} is missing"),
        *problem(pc.greater(pc.utf8_length(values), LONGEST_TEXT), TOO_LONG.format(name)),
        *problem(pc.match_substring_regex(values, CONTROL), f"{name} holds a control character"),
    ]


def integer_ids(array: pa.Array, name: str) -> Checked:
    """Return ids as int64; a floating number only where every integer below it is exact."""
    array = plain(array)
    if pa.types.is_floating(array.type):
        exact = EXACT_IN.get(array.type, EXACT_IN_DOUBLE)
        array = array.cast(pa.float64())
        missing = pc.or_kleene(array.is_null(), pc.is_nan(array))
        far = pc.greater(pc.abs(array), exact)
        whole = pc.and_(pc.equal(array, pc.trunc(array)), pc.invert(far))
        beyond = f"{name} is beyond {exact:,}, where a floating number of its width is not exact"
        return pc.if_else(whole, array, None).cast(pa.int64()), [
            *problem(missing, f"{name} is missing"),
            *problem(far, beyond),
            *problem(pc.invert(whole), f"{name} is no integer"),
        ]
    values = pc.utf8_trim_whitespace(text(array))
    # Pandas writes a column of integers with a gap as 425.0.
    digits = pc.replace_substring_regex(values, r"\.0*$", "")
    written = pc.match_substring_regex(digits, INTEGER)
    digits = pc.if_else(written, digits, None)
    try:
        result = digits.cast(pa.int64())
    except pa.ArrowInvalid:  # One of 19 digits is beyond.
        result = pa.array([_integer(value) for value in digits.to_pylist()], pa.int64())
    return result, [
        *problem(values.is_null(), f"{name} is missing"),
        *problem(
            pc.and_(result.is_null(), values.is_valid()),
            f"{name} is no 64-bit integer, as fields.{name} says",
        ),
    ]


def _integer(value: str | None) -> int | None:
    number = None if value is None else int(value)
    return number if number is not None and -(2**63) <= number < 2**63 else None


def tokens(array: pa.Array, spec: RawColumn, name: str) -> Checked:
    """Return a field's values as text; what is missing or cannot be used is 'unknown'."""
    array = plain(array)
    if spec.presence:
        return pc.if_else(text(array).is_valid(), "yes", "no"), []
    if spec.edges:
        values, found = numbers(array, name)
        place = np.searchsorted(spec.edges, values.to_numpy(zero_copy_only=False), side="right")
        known = pc.and_(values.is_valid(), pc.is_finite(values))
        buckets = pc.if_else(known, pa.array(place.astype(str)), UNKNOWN)
        return pc.fill_null(buckets, UNKNOWN), found
    values = pc.fill_null(text(array), UNKNOWN)
    long = pc.greater(pc.utf8_length(values), LONGEST_TEXT)
    return pc.if_else(long, UNKNOWN, values), problem(long, TOO_LONG.format(name))


def elements(array: pa.Array, spec: RawColumn) -> tuple[pa.Array, np.ndarray]:
    """Return a column of lists as (values one after the other, length of each list).

    Between two separators may be nothing, which is a missing value; spaces are only cut at.
    """
    array = plain(array)
    if spec.split:
        return _cut(pc.fill_null(text(array), ""), spec.split)
    if not pa.types.is_list(array.type):
        return array.slice(0, 0), np.zeros(len(array), np.int64)
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    return plain(array.flatten()), lengths.astype(np.int64)


def _cut(lists: pa.Array, mark: str) -> tuple[pa.Array, np.ndarray]:
    """Cut text into lists; brackets around one, and quotes in it, are no part of its values."""
    is_bracketed = pc.match_substring_regex(lists, BRACKETED)
    lists = pc.utf8_trim_whitespace(pc.replace_substring_regex(lists, BRACKETED, r"\1"))
    cut = pc.split_pattern(lists, mark)
    parents = pc.list_parent_indices(cut)
    values = pc.utf8_trim_whitespace(cut.flatten())
    dropped = pc.equal(values, "")
    if not mark.isspace():
        dropped = pc.and_(dropped, pc.equal(lists, "").take(parents))
    kept = pc.invert(dropped)
    parents, values = parents.filter(kept), values.filter(kept)
    if pc.any(is_bracketed).as_py():
        bare = pc.if_else(pc.is_in(values, pa.array(NOTHING)), None, values)
        bare = pc.replace_substring_regex(bare, QUOTED, r"\1\2")
        values = pc.if_else(is_bracketed.take(parents), bare, values)
    return values, np.bincount(parents.to_numpy(), minlength=len(lists)).astype(np.int64)


def part_of(values: pa.Array, spec: RawColumn) -> pa.Array:
    """Return the wanted part of each element; null where it has fewer."""
    if spec.token:
        parts = pc.split_pattern(plain(values).cast(pa.string()), spec.token)
    elif is_list(values.type):
        parts = values
    else:
        return values
    lengths = pc.fill_null(pc.list_value_length(parts), 0).to_numpy(zero_copy_only=False)
    ends, part = np.cumsum(lengths), spec.part or 0
    place = (ends if part < 0 else ends - lengths) + part
    inside = (place >= ends - lengths) & (place < ends)
    return parts.flatten().take(pa.array(place, mask=~inside))
