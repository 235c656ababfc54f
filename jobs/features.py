"""Candidate sets as a model's inputs: the one encoding that labels, examples and scores share."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.vocabulary import Vocabulary
from schemas.table import Fields


class Encoded(NamedTuple):
    """Requests as indices and floats, as `model.batch.from_ragged` takes them.

    Candidates of request after request lie in one row each.
    """

    user_tokens: np.ndarray  # [B, U]
    item_tokens: np.ndarray  # [sum N, F]
    dense: np.ndarray  # [sum N, D]
    lengths: np.ndarray  # [B]


def input_columns(fields: Fields) -> list[str]:
    """Return the columns of candidate_sets that a model reads."""
    dense = [name for name in fields.dense if name not in fields.item_tokens]
    return [*fields.user_tokens, *fields.item_tokens, *dense]


def encode(sets: pa.RecordBatch | pa.Table, fields: Fields, vocabulary: Vocabulary) -> Encoded:
    """Encode rows of candidate_sets."""
    items = {name: flat(sets[name]) for name in fields.item_tokens}
    return Encoded(
        np.stack([vocabulary.encode(n, one_chunk(sets[n])) for n in fields.user_tokens], axis=1),
        np.stack([vocabulary.encode(n, items[n]) for n in fields.item_tokens], axis=1),
        dense_values(sets, fields, vocabulary),
        lengths(sets["item_id"]),
    )


def dense_values(
    sets: pa.RecordBatch | pa.Table, fields: Fields, vocabulary: Vocabulary
) -> np.ndarray:
    """Return the dense features [sum N, D] in standard units."""
    total = int(lengths(sets["item_id"]).sum())
    raw = [flat(sets[name]).to_numpy(zero_copy_only=False) for name in fields.dense]
    return vocabulary.standardise(np.stack(raw, axis=1) if raw else np.zeros((total, 0)))


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the elements of a list column, row after row."""
    return one_chunk(column).flatten()


def lengths(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return how many elements each row of a list column has."""
    counts = pc.list_value_length(one_chunk(column))
    return counts.to_numpy(zero_copy_only=False).astype(np.int64)


def lists(values: pa.Array, counts: np.ndarray) -> pa.ListArray:
    """Return flat values as a list column, `counts` of them a row."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def first_of_each(values: pa.Array) -> np.ndarray:
    """Return which values [n] differ from the one before them; the first does."""
    is_first = np.ones(len(values), bool)
    is_first[1:] = pc.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return is_first
