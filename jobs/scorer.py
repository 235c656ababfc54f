"""f and u of requests by the promoted model: the part of labelling that needs the model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from jobs.features import encode, lengths
from model.batch import from_ragged
from model.cdm import CDM
from model.vocabulary import Vocabulary
from schemas.table import Fields

SCORED_CANDIDATES = 16_384
"""Candidates, padding included, that the model scores at once; bounds a worker's memory.

A longer request is padded by itself, which costs its indices alone, and scored in runs."""


class Scores(NamedTuple):
    """What a teacher needs to know of R requests with C candidates."""

    f: np.ndarray  # [C] float32, click probabilities
    u: np.ndarray  # [R, d] float32, the users' interest vectors


@dataclass(frozen=True, slots=True)
class ModelScorer:
    """A model that scores record batches of candidate_sets."""

    fields: Fields
    model: CDM
    vocabulary: Vocabulary

    def __call__(self, sets: pa.RecordBatch) -> Scores:
        """Score requests, a bounded number of candidates at a time."""
        parts = [
            self._score(sets.slice(start, end - start))
            for start, end in spans(lengths(sets["item_id"]), SCORED_CANDIDATES)
        ]
        return Scores(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def _score(self, sets: pa.RecordBatch) -> Scores:
        batch = from_ragged(*encode(sets, self.fields, self.vocabulary))
        run = torch.arange(batch.valid.shape[1]) // SCORED_CANDIDATES
        with torch.no_grad():
            logits = [
                self.model.click_logits(batch, batch.valid & (run == number))
                for number in range(int(run[-1]) + 1)
            ]
        f = torch.sigmoid(torch.cat(logits)).numpy()
        return Scores(f, self.model.user_vectors(batch.user_tokens).numpy())


def spans(counts: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Cut rows into runs that, padded to their longest, hold at most so many values.

    A row that is longer than that has a run of its own.
    """
    start, longest = 0, 0
    for row, count in enumerate(counts.tolist()):
        longest = max(longest, count)
        if row > start and longest * (row + 1 - start) > most:
            yield start, row
            start, longest = row, count
    yield start, len(counts)
