"""A batch of candidate sets as padded tensors, and its two sources: examples and ragged requests.

        item_tokens [B, N, F]      valid [B, N]
        request 0   a b c d e      1 1 1 1 1
        request 1   f g - - -      1 1 0 0 0       '-' is padding, index 0 in every field

Letters: B requests, N candidates, U user fields, F item fields, D dense features.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from model.runs import runs
from schemas.table import Table


@dataclass(frozen=True, slots=True)
class CandidateBatch:
    """Padded requests; what has a default is there in training only."""

    user_tokens: Tensor  # [B, U] int64
    item_tokens: Tensor  # [B, N, F] int64
    dense: Tensor  # [B, N, D] float32
    valid: Tensor  # [B, N] bool
    exposed: Tensor | None = None  # [B, N] bool
    label: Tensor | None = None  # [B, N] float32
    win: Tensor | None = None  # [B, N] float32
    shown_rank: Tensor | None = None  # [B, N] int64, from 1; 0 where not shown or unknown
    click_weight: Tensor | None = None  # [B, N] float32, of the click loss; None is 1 everywhere

    def __len__(self) -> int:
        """Return B."""
        return len(self.user_tokens)

    def to(self, device: torch.device) -> "CandidateBatch":
        """Return the batch on a device; to a GPU it travels while the CPU goes on."""

        def moved(values: Tensor) -> Tensor:
            # Only from pinned memory does a copy not wait.
            pinned = values.pin_memory() if device.type == "cuda" else values
            return pinned.to(device, non_blocking=True)

        there = {name: values for name, values in self._tensors() if values.device != device}
        return replace(self, **{name: moved(values) for name, values in there.items()})

    def in_runs(self, width: int) -> Iterator["CandidateBatch"]:
        """Yield the same requests with so many of their candidates at a time, to be scored."""
        some = (runs(values, width) for values in (self.item_tokens, self.dense, self.valid))
        for part in zip(*some, strict=True):
            yield CandidateBatch(self.user_tokens, *part)

    def not_finite(self) -> list[str]:
        """Return the columns that hold NaN or infinity, dense features as dense[0], dense[1]..."""
        found = []
        for name, values in self._tensors():
            bad = ~torch.isfinite(values)
            if name == "dense":
                found += [f"dense[{i}]" for i in bad.flatten(0, 1).any(0).nonzero().flatten()]
            elif bad.any():
                found.append(name)
        return found

    def _tensors(self) -> list[tuple[str, Tensor]]:
        named = ((spec.name, getattr(self, spec.name)) for spec in fields(self))
        return [(name, values) for name, values in named if values is not None]


def tensors(table: Table, columns: Mapping[str, Tensor | np.ndarray]) -> dict[str, Tensor]:
    """Render rows of a table of fixed shapes as tensors [B, *shape], by the declared columns.

    Strings have no tensor and are left out; integers become int64 and floats stay float32.
    """
    rendered = {}
    for column in table.columns:
        if column.name not in columns or column.kind == "string":
            continue
        values = torch.as_tensor(columns[column.name])
        if column.kind in ("int32", "int64"):
            values = values.long()
        rendered[column.name] = values.reshape(len(values), *column.shape)
    return rendered


def from_examples(table: Table, columns: Mapping[str, Tensor | np.ndarray]) -> CandidateBatch:
    """Return the batch of some rows of the examples table."""
    t = tensors(table, columns)
    rows, n = t["win"].shape
    return CandidateBatch(
        user_tokens=t["user_tokens"],
        item_tokens=t["item_tokens"],
        dense=t.get("dense", torch.zeros(rows, n, 0)),
        valid=torch.arange(n) < t["n_candidates"][:, None],
        exposed=t["exposed"] > 0,
        label=t["label"],
        win=t["win"],
        shown_rank=t.get("shown_rank"),
    )


def from_ragged(
    user_tokens: np.ndarray, item_tokens: np.ndarray, dense: np.ndarray, lengths: np.ndarray
) -> CandidateBatch:
    """Pad requests whose candidates lie one after the other.

    `user_tokens` is [B, U]; `item_tokens` [sum N, F] and `dense` [sum N, D] hold the candidates
    of request after request, `lengths` [B] how many each has.
    """
    valid = np.arange(lengths.max()) < lengths[:, None]
    tokens = np.zeros((*valid.shape, item_tokens.shape[1]), np.int64)
    features = np.zeros((*valid.shape, dense.shape[1]), np.float32)
    tokens[valid], features[valid] = item_tokens, dense
    return CandidateBatch(
        user_tokens=torch.as_tensor(user_tokens, dtype=torch.int64),
        item_tokens=torch.from_numpy(tokens),
        dense=torch.from_numpy(features),
        valid=torch.from_numpy(valid),
    )
