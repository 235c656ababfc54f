"""The content digest of a table: equal for equal rows, whatever their order, files or row groups.

Each row is hashed to 128 bits from the bits of its values; the digest is the sum over rows. That
is what hashing the rows sorted by key would promise, in one pass and without the sort.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas.util import hash_array

SEEDS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
NULL = np.uint64(0x5851F42D4C957F2D)


def _mix(bits: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words (the finaliser of splitmix64), so that sums do not cancel."""
    bits = bits ^ (bits >> np.uint64(30))
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def _values(array: pa.Array) -> np.ndarray:
    """Return 64 bits that stand for each value of a flat array, and of a null."""
    if pa.types.is_string(array.type):
        encoded = array.dictionary_encode()
        words = hash_array(encoded.dictionary.to_numpy(zero_copy_only=False), categorize=False)
        indices = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
        bits = words[indices] if len(words) else np.zeros(len(array), np.uint64)
    else:
        if pa.types.is_timestamp(array.type):
            array = array.cast(pa.int64())
        zero = pa.scalar(0, array.type)
        plain = pc.fill_null(array, zero).to_numpy(zero_copy_only=False)
        width = plain.dtype.itemsize
        bits = plain.view(f"u{width}").astype(np.uint64)
    if array.null_count:
        bits = np.where(array.is_null().to_numpy(zero_copy_only=False), NULL, bits)
    return bits


def _rows(array: pa.Array) -> np.ndarray:
    """Hash every row of a column; a list by its values and their positions."""
    if not pa.types.is_list(array.type):
        return _mix(_values(array) + SEEDS[0])
    lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    by_position = _mix(np.arange(lengths.max(initial=0), dtype=np.uint64) + SEEDS[1])
    positions = np.concatenate([by_position[:0], *(by_position[:n] for n in lengths)])
    bits = _mix(_values(array.flatten()) ^ positions)
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(bits, dtype=np.uint64)])
    return _mix(running[offsets[1:]] - running[offsets[:-1]] + lengths.astype(np.uint64))


def row_hashes(batch: pa.RecordBatch) -> list[np.ndarray]:
    """Return two independent 64-bit hashes of each row, from the columns' names and values."""
    words = [np.zeros(batch.num_rows, np.uint64) for _ in SEEDS]
    with np.errstate(over="ignore"):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            salt = hash_array(np.array([name], dtype=object), categorize=False)[0]
            bits = _rows(column)
            words = [
                _mix(word + _mix(bits ^ salt ^ seed))
                for word, seed in zip(words, SEEDS, strict=True)
            ]
    return words


class ContentDigest:
    """A running digest; feed it record batches in any order."""

    def __init__(self) -> None:
        """Start from no rows."""
        self.rows = 0
        self._sums = [0, 0]

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        sums = [int(np.sum(word, dtype=np.uint64)) for word in row_hashes(batch)]
        self._sums = [(a + b) % 2**64 for a, b in zip(self._sums, sums, strict=True)]
        self.rows += batch.num_rows

    def merge(self, other: "ContentDigest") -> None:
        """Add the rows that another digest has seen."""
        self._sums = [(a + b) % 2**64 for a, b in zip(self._sums, other._sums, strict=True)]
        self.rows += other.rows

    def hexdigest(self) -> str:
        """Return 32 hex digits."""
        return "".join(f"{word:016x}" for word in self._sums)

    @classmethod
    def read(cls, rows: int, hexdigest: str) -> "ContentDigest":
        """Return the digest of so many rows that `hexdigest` showed."""
        digest = cls()
        digest.rows, digest._sums = rows, [int(hexdigest[:16], 16), int(hexdigest[16:], 16)]
        return digest
