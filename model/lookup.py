"""Where values stand among known ones, by a hash table that is built once and asked many times."""

from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa


class Lookup:
    """Positions in a list of known values, strings or integers, each there once."""

    def __init__(self, known: pa.Array) -> None:
        """Remember the list; the table is built when it is first asked."""
        self._known = known

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self._known.to_numpy(zero_copy_only=False))

    def __getstate__(self) -> pa.Array:
        """Travel without the table."""
        return self._known

    def __setstate__(self, known: pa.Array) -> None:
        """Arrive."""
        self._known = known

    def find(self, values: pa.Array) -> np.ndarray:
        """Return the position of each value [n] int64, -1 where it is null or not known."""
        if values.null_count:
            found = np.full(len(values), -1, np.int64)
            found[values.is_valid().to_numpy(zero_copy_only=False)] = self.find(values.drop_null())
            return found
        if pa.types.is_string(values.type):
            # Python's strings are made and hashed once for each different value.
            encoded = values.dictionary_encode()
            found = self._index.get_indexer(encoded.dictionary.to_numpy(zero_copy_only=False))
            return found[encoded.indices.to_numpy()].astype(np.int64)
        return self._index.get_indexer(values.to_numpy()).astype(np.int64)
