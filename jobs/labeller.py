"""The teacher at work on record batches: what a Spark worker runs, and tests call directly."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import torch

from jobs.features import encode, flat, input_columns, lengths, lists
from jobs.item_vectors import ItemVectors
from model.batch import from_ragged
from model.cdm import CDM
from model.config import TeacherConfig
from model.teachers.choice import pick
from model.teachers.requests import Requests
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema
from schemas.table import Fields, Table


class Scores(Protocol):
    """What a teacher hears of a request: click probabilities f, and the user's interests u."""

    columns: tuple[str, ...]
    """What it reads of candidate_sets."""

    def __call__(self, sets: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """Return f [C] of all candidates and u [R, d], float32."""


@dataclass(frozen=True, slots=True)
class ModelScores:
    """The scores of a model version."""

    fields: Fields
    model: CDM
    vocabulary: Vocabulary

    @property
    def columns(self) -> tuple[str, ...]:
        """The model's inputs."""
        return tuple(input_columns(self.fields))

    def __call__(self, sets: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
        """Score some requests, all padded to the longest."""
        batch = from_ragged(*encode(sets, self.fields, self.vocabulary))
        with torch.no_grad():
            f = torch.sigmoid(self.model.click_logits(batch, batch.valid)).numpy()
        return f, self.model.user_vectors(batch.user_tokens).numpy()


@dataclass(frozen=True, slots=True)
class Labeller:
    """Teachers at work: requests are scored once, whatever their number."""

    labels: Table
    teachers: tuple[TeacherConfig, ...]
    model_version: str
    scores: Scores
    vectors: ItemVectors

    @property
    def columns(self) -> list[str]:
        """What it reads of candidate_sets."""
        return list(dict.fromkeys(("request_id", "item_id", *self.scores.columns)))

    def label(self, sets: pa.RecordBatch) -> list[pa.RecordBatch]:
        """Label some requests; return rows of teacher_labels, teacher by teacher."""
        f, u = self.scores(sets)
        items, counts = flat(sets["item_id"]), lengths(sets["item_id"])
        requests = Requests(
            ends=np.cumsum(counts),
            row=self.vectors.rows(items),
            f=f.astype(np.float64),
            table=self.vectors.e,
            u=u,
            category_ends=np.zeros(len(items), np.int64),
            category=np.zeros(0, np.int64),
        )
        shared = {
            "request_id": sets["request_id"],
            "model_version": [self.model_version] * len(counts),
            "u": lists(pa.array(u.ravel()), np.full(len(u), u.shape[1])),
            "item_id": lists(items, counts),
            "f": lists(pa.array(f), counts),
        }
        return [self._rows(requests, counts, teacher, shared) for teacher in self.teachers]

    def _rows(
        self, requests: Requests, counts: np.ndarray, teacher: TeacherConfig, shared: dict
    ) -> pa.RecordBatch:
        """Return the labels of one teacher, beside what all of them share."""
        picks = pick(requests, teacher)
        lost = picks.order == 0
        columns = shared | {
            "k": np.minimum(counts, teacher.k),
            "win": lists(pa.array((~lost).astype(np.int32)), counts),
            "pick_order": lists(pa.array(picks.order, mask=lost), counts),
            "gain": lists(pa.array(picks.gain, mask=lost), counts),
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
