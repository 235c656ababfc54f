"""The teacher at work on record batches: what a Spark worker runs, and tests call directly."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from jobs.features import encode, flat, lists
from jobs.item_vectors import ItemVectors
from model.batch import from_ragged
from model.cdm import CDM
from model.config import TeacherConfig
from model.teachers.choice import pick
from model.teachers.requests import Requests
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema
from schemas.table import Fields, Table


@dataclass(frozen=True, slots=True)
class Labeller:
    """What a worker needs: the model, the item vectors, the teacher."""

    fields: Fields
    labels: Table
    teacher: TeacherConfig
    model_version: str
    model: CDM
    vocabulary: Vocabulary
    vectors: ItemVectors

    def label(self, sets: pa.RecordBatch) -> pa.RecordBatch:
        """Label some requests."""
        encoded = encode(sets, self.fields, self.vocabulary)
        batch = from_ragged(*encoded)
        with torch.no_grad():
            f = torch.sigmoid(self.model.click_logits(batch, batch.valid)).numpy()
        u = self.model.user_vectors(batch.user_tokens).numpy()
        items = flat(sets["item_id"])
        counts = encoded.lengths
        requests = Requests(
            ends=np.cumsum(counts),
            row=self.vectors.rows(items),
            f=f.astype(np.float64),
            table=self.vectors.e,
            u=u,
            category_ends=np.zeros(len(items), np.int64),
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
