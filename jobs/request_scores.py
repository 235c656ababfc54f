"""f, y and the final scores of requests as a model serves them, each request by itself."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import torch

from jobs.categories import categories_of, padded
from jobs.features import encode, flat
from jobs.scorer import SCORED_CANDIDATES
from model.runs import AtOnce
from model.scorer import Scorer
from model.vocabulary import Vocabulary
from schemas.table import Fields

AT_ONCE = AtOnce(candidates=SCORED_CANDIDATES, pairs=4_194_304)
"""What the model holds at once of a request; bounds the memory to a few hundred MB."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scores:
    """One request as a model sees it; all arrays are [N] but e, which is [N, d]."""

    request_id: object
    item_id: np.ndarray
    pre_rank: np.ndarray
    f: np.ndarray
    win: np.ndarray | None
    final: np.ndarray
    e: np.ndarray


def score_requests(
    sets: pa.RecordBatch | pa.Table, fields: Fields, scorer: Scorer, vocabulary: Vocabulary
) -> Iterator[Scores]:
    """Score requests one after the other.

    How many requests a batch has, and how far they are padded, decides how a sum of float32 rounds.
    One request alone has the same bits in whatever batch, file or task it stands, on machines of
    one kind. That costs a request of 12 candidates, or of 213, a millisecond.
    """
    encoded, codes = encode(sets, fields, vocabulary), category_codes(sets, fields)
    ids = flat(sets["item_id"]).to_numpy(zero_copy_only=False)
    pre_rank = flat(sets["score"]).to_numpy(zero_copy_only=False)
    ends = np.cumsum(encoded.lengths)
    for row, (n, end) in enumerate(zip(encoded.lengths, ends, strict=True)):
        own = slice(end - n, end)
        item_tokens = torch.from_numpy(encoded.item_tokens[None, own])
        f, win, final = scorer(
            torch.from_numpy(encoded.user_tokens[row : row + 1]),
            item_tokens,
            torch.from_numpy(encoded.dense[None, own]),
            torch.ones(1, n, dtype=torch.bool),
            torch.from_numpy(codes[None, own]),
        )
        yield Scores(
            sets["request_id"][row].as_py(),
            ids[own],
            pre_rank[own],
            f[0].numpy().astype(np.float64),
            None if win is None else win[0].numpy().astype(np.float64),
            final[0].numpy(),
            scorer.model.item_vectors(item_tokens)[0].numpy(),
        )


def category_codes(sets: pa.RecordBatch | pa.Table, fields: Fields) -> np.ndarray:
    """Return the codes of the candidates' categories [sum N, G], from 1; 0 is none."""
    if not fields.category:
        return np.zeros((len(flat(sets["item_id"])), 0), np.int64)
    return padded(categories_of(flat(sets[fields.category]), fields.category_separator))
