"""The teachers at work on record batches: what a Spark worker runs, and tests call directly."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from jobs.categories import Categories, categories_of, no_categories
from jobs.errors import Refused
from jobs.features import flat, input_columns, lengths, lists
from jobs.item_vectors import ItemVectors
from jobs.policy import rules_of
from jobs.scorer import Scores
from model.config import READS_CATEGORIES, RULES, PolicyConfig, TeacherConfig
from model.teachers.choice import pick
from model.teachers.requests import Picks, Requests
from model.teachers.rules import unmet
from schemas.arrow import arrow_schema
from schemas.label_tables import relaxed_column, teacher_labels, unlabelled
from schemas.table import Fields


class Labelled(NamedTuple):
    """What one teacher made of a batch: each request is in one of the two."""

    labels: pa.RecordBatch
    """Rows of teacher_labels."""
    unlabelled: pa.RecordBatch
    """Rows of unlabelled: requests whose rules cannot be kept."""


@dataclass(frozen=True, slots=True)
class Labeller:
    """What a worker needs: the teachers and their policy, a scorer, the item vectors.

    The scorer is any function of a record batch of candidate_sets, so that teachers can be measured
    or tried on f and u from elsewhere.
    """

    fields: Fields
    teachers: tuple[TeacherConfig, ...]
    policy: PolicyConfig
    model_version: str
    score: Callable[[pa.RecordBatch], Scores]
    vectors: ItemVectors

    @property
    def columns(self) -> list[str]:
        """What it reads of candidate_sets."""
        return list(dict.fromkeys(["request_id", *input_columns(self.fields)]))

    def label(self, sets: pa.RecordBatch) -> list[Labelled]:
        """Score requests once and label them with each teacher, in the order of the teachers."""
        items, counts, scores = flat(sets["item_id"]), lengths(sets["item_id"]), self.score(sets)
        self._require_finite(sets, counts, scores)
        categories = self._categories(sets, len(items))
        requests = Requests(
            ends=np.cumsum(counts),
            row=self.vectors.rows(items),
            f=scores.f.astype(np.float64),
            table=self.vectors.e,
            u=scores.u,
            category_ends=categories.ends,
            category=categories.code,
        )
        rules = rules_of(self.policy, items, categories.names)
        made = []
        for teacher in self.teachers:
            picks = pick(requests, teacher, rules)
            labels = self._labels(sets, scores, picks)
            reasons = {}
            if rules is not None:
                reasons = unmet(rules, requests, picks, teacher.k, categories.names)
            made.append(_apart(labels, reasons, self.fields))
        return made

    def _require_finite(self, sets: pa.RecordBatch, counts: np.ndarray, scores: Scores) -> None:
        """Refuse f and u that are NaN or infinite: no order could be made of them."""
        per_candidate = np.repeat(np.isfinite(scores.u).all(axis=1), counts)
        bad = ~(np.isfinite(scores.f) & per_candidate)
        if bad.any():
            row = int(np.searchsorted(np.cumsum(counts), np.argmax(bad), side="right"))
            raise Refused(
                f"model {self.model_version} gives request {sets['request_id'][row].as_py()!r} "
                "an f or u that is not finite; promote another version or train again"
            )

    def _categories(self, sets: pa.RecordBatch, size: int) -> Categories:
        """Return the candidates' categories; none where neither teacher nor rule reads them."""
        named = any(teacher.name in READS_CATEGORIES for teacher in self.teachers)
        if not named and not self.policy.reads_categories:
            return no_categories(size)
        values, separator = flat(sets[self.fields.category]), self.fields.category_separator
        return categories_of(values, separator, also=self.policy.quotas)

    def _labels(self, sets: pa.RecordBatch, scores: Scores, picks: Picks) -> pa.RecordBatch:
        """Return the rows of teacher_labels of all requests."""
        counts, lost = lengths(sets["item_id"]), picks.order == 0
        start = np.cumsum(counts) - counts
        relaxed = picks.relaxed
        if relaxed is None:
            relaxed = np.zeros((len(counts), len(RULES)), np.int32)
        columns = {
            "request_id": sets["request_id"],
            "model_version": [self.model_version] * len(counts),
            "k": np.add.reduceat((~lost).astype(np.int32), start),
            "relaxed": relaxed.sum(axis=1),
            **{relaxed_column(rule): relaxed[:, place] for place, rule in enumerate(RULES)},
            "u": lists(pa.array(scores.u.ravel()), np.full(len(counts), scores.u.shape[1])),
            "item_id": lists(flat(sets["item_id"]), counts),
            "win": lists(pa.array((~lost).astype(np.int32)), counts),
            "pick_order": lists(pa.array(picks.order, mask=lost), counts),
            "gain": lists(pa.array(picks.gain, mask=lost), counts),
            "f": lists(pa.array(scores.f), counts),
        }
        schema = arrow_schema(teacher_labels(self.fields))
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _apart(labels: pa.RecordBatch, reasons: dict[int, str], fields: Fields) -> Labelled:
    """Take out the rows that there are reasons against."""
    schema = arrow_schema(unlabelled(fields))
    rows = sorted(reasons)
    ids = labels["request_id"].take(pa.array(rows, pa.int64()))
    why = pa.array([reasons[row] for row in rows], pa.string())
    lost = pa.RecordBatch.from_arrays([ids, why], schema=schema)
    if not rows:
        return Labelled(labels, lost)
    kept = np.ones(labels.num_rows, bool)
    kept[rows] = False
    return Labelled(labels.filter(pa.array(kept)), lost)
