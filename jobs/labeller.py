"""The teacher at work on record batches: what a Spark worker runs, and tests call directly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from jobs.features import encode, flat, lists
from model.batch import from_ragged
from model.cdm import CDM
from model.config import TeacherConfig
from model.teachers.choice import pick
from model.teachers.requests import Requests
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema
from schemas.table import Fields, Table

SCORED_REQUESTS = 64
"""Requests that the model scores at once in a worker; bounds its memory."""


@dataclass(frozen=True, slots=True)
class Labeller:
    """What a worker needs: the model, the item vectors, the teacher."""

    fields: Fields
    labels: Table
    teacher: TeacherConfig
    model_version: str
    model: CDM
    vocabulary: Vocabulary
    item_id: np.ndarray  # [I], sorted
    e: np.ndarray  # [I, d], float32, finite

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Label record batches of candidate_sets."""
        torch.set_num_threads(1)
        for batch in batches:
            for start in range(0, batch.num_rows, SCORED_REQUESTS):
                yield self.label(batch.slice(start, SCORED_REQUESTS))

    def label(self, sets: pa.RecordBatch) -> pa.RecordBatch:
        """Label some requests."""
        encoded = encode(sets, self.fields, self.vocabulary)
        batch = from_ragged(*encoded)
        with torch.no_grad():
            f = torch.sigmoid(self.model.click_logits(batch, batch.valid)).numpy()
        u = self.model.user_vectors(batch.user_tokens).numpy()
        items = flat(sets["item_id"])
        ids = items.to_numpy(zero_copy_only=False)
        counts = encoded.lengths
        requests = Requests(
            ends=np.cumsum(counts),
            row=np.searchsorted(self.item_id, ids),
            f=f.astype(np.float64),
            table=self.e,
            u=u,
            category_ends=np.zeros(len(ids), np.int64),
            category=np.zeros(0, np.int64),
        )
        picks = pick(requests, self.teacher)
        lost = picks.order == 0
        columns = {
            "request_id": sets["request_id"],
            "model_version": [self.model_version] * len(counts),
            "k": np.minimum(counts, self.teacher.k),
            "u": lists(pa.array(u.ravel()), np.full(len(u), u.shape[1])),
            "item_id": lists(items, counts),
            "win": lists(pa.array((~lost).astype(np.int32)), counts),
            "pick_order": lists(pa.array(picks.order, mask=lost), counts),
            "gain": lists(pa.array(picks.gain, mask=lost), counts),
            "f": lists(pa.array(f), counts),
        }
        schema = arrow_schema(self.labels)
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def item_vectors(items: pa.Table, fields: Fields, model: CDM, vocabulary: Vocabulary) -> pa.Table:
    """Return item_id and e of items given by their fields."""
    tokens = np.stack(
        [vocabulary.encode(n, items[n].combine_chunks()) for n in fields.item_tokens], axis=1
    )
    e = model.item_vectors(torch.as_tensor(tokens, dtype=torch.int64)).numpy()
    vectors = lists(pa.array(e.ravel()), np.full(len(e), e.shape[1]))
    return pa.table({"item_id": items["item_id"].combine_chunks(), "e": vectors})
