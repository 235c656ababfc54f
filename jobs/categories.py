"""The categories of candidates as numbers: the one place that says what a category is.

A value of the category field names one category or, where the profile has a separator, several; an
empty value or part names none, and what is named twice counts once.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from jobs.features import lengths


class Categories(NamedTuple):
    """The categories of M values, value after value."""

    ends: np.ndarray  # [M] int64, where each value's categories end
    code: np.ndarray  # [*] int64, places in `names`, rising within a value
    names: list[str]


def categories_of(values: pa.Array, separator: str, also: Iterable[str] = ()) -> Categories:
    """Split values without nulls at the separator; `also` are names that get a number in any case.

    Names are numbered in their order by UTF-8 bytes: a sum over categories then has one order of
    summation whatever else stands in a batch, and rounds the same.
    """
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    each = [{*(value.split(separator) if separator else [value])} - {""} for value in distinct]
    names = sorted({*also}.union(*each))
    code = {name: number for number, name in enumerate(names)}
    coded = pa.array([sorted(code[name] for name in own) for own in each], pa.list_(pa.int64()))
    lists = coded.take(encoded.indices)
    return Categories(np.cumsum(lengths(lists)), lists.flatten().to_numpy(), names)


def no_categories(count: int) -> Categories:
    """Return that each of so many values has none."""
    return Categories(np.zeros(count, np.int64), np.zeros(0, np.int64), [])


def padded(categories: Categories) -> np.ndarray:
    """Return each value's codes from 1 [M, G] int64, then 0 where it names no more."""
    counts = np.diff(categories.ends, prepend=0)
    codes = np.zeros((len(counts), counts.max(initial=0)), np.int64)
    codes[np.arange(codes.shape[1]) < counts[:, None]] = categories.code + 1
    return codes


def membership(values: pa.Array, separator: str) -> np.ndarray:
    """Return which of C categories each value names [M, C]."""
    found = categories_of(values, separator)
    member = np.zeros((len(values), len(found.names)), np.uint8)
    owner = np.repeat(np.arange(len(values)), np.diff(found.ends, prepend=0))
    member[owner, found.code] = 1
    return member
