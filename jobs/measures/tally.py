"""What is added up while a table is read a piece at a time."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def count(flags: pa.Array | pa.ChunkedArray) -> int:
    """Return how many values are true."""
    return pc.sum(flags).as_py() or 0


def ones(values: pa.Array | pa.ChunkedArray) -> int:
    """Return how many values of a column of flags are 1."""
    return count(pc.equal(values, 1))


def floats(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return numbers, nulls as NaN."""
    plain = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return plain.cast(pa.float64()).to_numpy(zero_copy_only=False)


class Distinct:
    """The different values of a column."""

    def __init__(self) -> None:
        self._found: list[pa.Array] = []

    def add(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Add a piece."""
        self._found.append(pc.unique(values))

    def values(self) -> pa.Array:
        """Return them; null is none."""
        if not self._found:
            return pa.array([])
        return pc.drop_null(pc.unique(pa.chunked_array(self._found)))

    def __len__(self) -> int:
        """How many there were."""
        return len(self.values())
