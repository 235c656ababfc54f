"""Tokens to indices, dense values to standard units: what a model version knows of a data set.

Index 0 is padding, 1 stands for every unknown token, known tokens follow: in their own order, or
those that an earlier version knew at the indices they had there and the others after them.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.lookup import Lookup

PADDING, UNKNOWN, FIRST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of each categorical input, and mean and deviation of each dense one."""

    tokens: dict[str, pa.Array]
    dense_mean: np.ndarray  # [D]
    dense_deviation: np.ndarray  # [D]
    _lookups: dict[str, Lookup] = field(default_factory=dict, init=False, repr=False, compare=False)

    def size(self, name: str) -> int:
        """Return how many indices an input has, padding and unknown included."""
        return len(self.tokens[name]) + FIRST

    def encode(self, name: str, values: pa.Array) -> np.ndarray:
        """Return int64 indices of the values, of the same length; unknown tokens become 1."""
        if name not in self._lookups:
            self._lookups[name] = Lookup(self.tokens[name])
        found = self._lookups[name].find(values)
        return np.where(found < 0, UNKNOWN, found + FIRST)

    def standardise(self, values: np.ndarray) -> np.ndarray:
        """Return dense values [..., D] as float32 in standard deviations from the mean."""
        return ((values - self.dense_mean) / self.dense_deviation).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write one parquet file a token column and one for the dense inputs."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, tokens in self.tokens.items():
            pq.write_table(pa.table({"token": tokens}), folder / f"{name}.parquet")
        moments = pa.table({"mean": self.dense_mean, "deviation": self.dense_deviation})
        pq.write_table(moments, folder / "dense_inputs.parquet")

    @classmethod
    def load(cls, folder: Path, names: tuple[str, ...]) -> "Vocabulary":
        """Read what `save` wrote, for these token columns."""
        tokens = {
            name: pq.read_table(folder / f"{name}.parquet")["token"].combine_chunks()
            for name in names
        }
        moments = pq.read_table(folder / "dense_inputs.parquet")
        return cls(tokens, moments["mean"].to_numpy(), moments["deviation"].to_numpy())


def grown(known: pa.Array, found: pa.Array) -> pa.Array:
    """Return the known tokens where they were, and after them what is found and not known."""
    new = found.filter(pc.invert(pc.is_in(found, value_set=known)))
    return pa.concat_arrays([known, new])
