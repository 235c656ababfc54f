"""Requests as fixed-shape training rows: what a Spark worker runs, and tests call directly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.features import encode, flat
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema, list_array
from schemas.table import Fields, Table


@dataclass(frozen=True, slots=True)
class ExampleEncoder:
    """Encodes requests as examples in a worker."""

    fields: Fields
    table: Table
    vocabulary: Vocabulary
    max_candidates: int
    unexposed_as_negative: bool

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Encode record batches of `read_window`."""
        for batch in batches:
            yield self.encode(batch)

    def encode(self, requests: pa.RecordBatch) -> pa.RecordBatch:
        """Encode some requests: cut to max_candidates, padded with zeros."""
        encoded = encode(requests, self.fields, self.vocabulary)
        place = np.concatenate([np.arange(n) for n in encoded.lengths])
        kept = place < self.max_candidates
        counts = np.minimum(encoded.lengths, self.max_candidates)
        valid = np.arange(self.max_candidates) < counts[:, None]

        def padded(values: np.ndarray) -> np.ndarray:
            room = np.zeros((*valid.shape, *values.shape[1:]), values.dtype)
            room[valid] = values[kept]
            return room.reshape(len(room), -1)

        label = pc.fill_null(flat(requests["label"]), 0).to_numpy(zero_copy_only=False)
        exposed = flat(requests["exposed"]).to_numpy(zero_copy_only=False)
        shown_rank = pc.fill_null(flat(requests["shown_rank"]), 0).to_numpy(zero_copy_only=False)
        learnable = np.ones_like(exposed) if self.unexposed_as_negative else exposed
        columns = {
            "request_id": requests["request_id"],
            "request_dt": requests["request_dt"],
            "is_validation": requests["is_validation"],
            "n_candidates": pa.array(counts),
            "user_tokens": encoded.user_tokens,
            "item_tokens": padded(encoded.item_tokens),
            "dense": padded(encoded.dense),
            "exposed": padded(learnable),
            "label": padded(label),
            "win": padded(flat(requests["win"]).to_numpy(zero_copy_only=False)),
            "shown_rank": padded(shown_rank),
        }
        schema = arrow_schema(self.table)
        arrays = [_array(columns[name], schema.field(name).type) for name in schema.names]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: pa.Array | np.ndarray, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    return list_array(values, kind)
