"""A data set in memory, ready for training, labelling and judging without another engine.

Letters: R requests, C candidates of all of them one after the other, I items, F item fields.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from jobs.build_examples import VOCABULARY
from jobs.categories import Categories, categories_of, no_categories
from jobs.features import Encoded, encode, flat, input_columns
from jobs.judged_day import JudgedDay, read_judged_day
from jobs.lake import Lake
from jobs.profile.config import Profile
from jobs.study.config import DataSet
from jobs.teacher import WITHOUT_TEACHER
from jobs.truth import Truth, read_truth
from model.batch import CandidateBatch, from_ragged
from model.vocabulary import Vocabulary
from schemas.table import Fields


@dataclass(frozen=True)
class Requests:
    """The requests of some days, as a model reads them and as its lists are labelled."""

    encoded: Encoded
    item: pa.Array  # [C] item ids
    categories: Categories  # of the candidates
    pre_rank: np.ndarray  # [C] float64
    exposed: np.ndarray  # [C] float32, 1 where the label may be learned from
    label: np.ndarray  # [C] float32
    shown_rank: np.ndarray  # [C] float32, 0 where not shown or unknown

    @cached_property
    def ends(self) -> np.ndarray:
        """Where each request's candidates end [R]."""
        return np.cumsum(self.encoded.lengths)

    def __len__(self) -> int:
        """Return R."""
        return len(self.encoded.lengths)

    def batch(self, rows: np.ndarray, **per_candidate: np.ndarray) -> CandidateBatch:
        """Return some requests, padded to their longest; further values are [C] float32 each."""
        counts = self.encoded.lengths[rows]
        start = (self.ends - self.encoded.lengths)[rows]
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = np.repeat(start, counts) + place
        batch = from_ragged(
            self.encoded.user_tokens[rows],
            self.encoded.item_tokens[chosen],
            self.encoded.dense[chosen],
            counts,
        )
        valid = batch.valid.numpy()

        def padded(values: np.ndarray) -> torch.Tensor:
            room = np.zeros(valid.shape, np.float32)
            room[valid] = values[chosen]
            return torch.from_numpy(room)

        given = {name: padded(values) for name, values in per_candidate.items()}
        exposed = padded(self.exposed) > 0
        if "shown_rank" in given:
            given["shown_rank"] = given["shown_rank"].long()
        return replace(batch, exposed=exposed, **({"label": padded(self.label)} | given))

    def batches(
        self, size: int, seed: int | None = None, **per_candidate: np.ndarray
    ) -> Iterator[CandidateBatch]:
        """Yield all requests once, shuffled by the seed or, without one, as they come."""
        order = np.arange(len(self))
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)
        for start in range(0, len(order), size):
            yield self.batch(order[start : start + size], **per_candidate)


@dataclass(frozen=True, slots=True)
class Judged:
    """A day to tune on or to judge by."""

    requests: Requests
    day: JudgedDay
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class Arena:
    """Everything that a cell of the study reads."""

    profile: Profile
    vocabulary: Vocabulary
    training: Requests
    validation: Judged
    test: Judged
    item_id: pa.Array  # [I], rising: ties go to the lower row
    item_tokens: np.ndarray  # [I, F]

    def item_rows(self, requests: Requests) -> np.ndarray:
        """Return each candidate's row among the items [C]."""
        return pc.index_in(requests.item, value_set=self.item_id).to_numpy().astype(np.int64)


def read_arena(data: DataSet, profile: Profile, root: Path) -> Arena:
    """Read the days that `prepare` made."""
    lake, fields = Lake(root, profile.tables), profile.fields
    last = data.training_days[-1]
    examples = lake.partition("examples", last, teacher_id=WITHOUT_TEACHER)
    names = fields.user_tokens + fields.item_tokens
    vocabulary = Vocabulary.load(examples.folder() / VOCABULARY, names)
    training = _read(lake, data.training_days, profile, vocabulary)
    judged = [
        _judged(lake, day, profile, vocabulary) for day in (data.validation_day, data.test_day)
    ]
    everything = [training, *(one.requests for one in judged)]
    item = pa.concat_arrays([requests.item for requests in everything])
    tokens = np.concatenate([requests.encoded.item_tokens for requests in everything])
    known = item.unique()
    known = known.take(pc.sort_indices(known))
    first = np.empty(len(known), np.int64)
    row = pc.index_in(item, value_set=known).to_numpy()
    first[row[::-1]] = np.arange(len(row))[::-1]
    return Arena(profile, vocabulary, training, *judged, known, tokens[first])


def _judged(lake: Lake, day: date, profile: Profile, vocabulary: Vocabulary) -> Judged:
    requests = _read(lake, [day], profile, vocabulary)
    sets, reference = (lake.partition(name, day) for name in ("candidate_sets", "reference_items"))
    judged = read_judged_day(sets, reference, profile.fields)
    likeness = profile.world.wear_by == "likeness"
    truth = read_truth(lake.partition("truth_requests", day), judged, by_likeness=likeness)
    return Judged(requests, judged, truth)


def _read(lake: Lake, days: list[date], profile: Profile, vocabulary: Vocabulary) -> Requests:
    fields = profile.fields
    columns = dict.fromkeys(
        ["request_id", "item_id", "score", "exposed", "shown_rank", "label", *input_columns(fields)]
    )
    parts = [lake.partition("candidate_sets", day).read(list(columns)) for day in days]
    # Each day in the order in which it is judged.
    table = pa.concat_tables([part.sort_by("request_id") for part in parts])
    exposed = flat(table["exposed"]).to_numpy()
    if profile.unexposed_as_negative:
        exposed = np.ones_like(exposed)
    label = pc.fill_null(flat(table["label"]), 0).to_numpy()
    items = flat(table["item_id"])
    return Requests(
        encode(table, fields, vocabulary),
        items,
        _categories(table, fields, len(items)),
        flat(table["score"]).to_numpy(),
        exposed.astype(np.float32),
        label.astype(np.float32),
        pc.fill_null(flat(table["shown_rank"]), 0).to_numpy().astype(np.float32),
    )


def _categories(table: pa.Table, fields: Fields, size: int) -> Categories:
    if not fields.category:
        return no_categories(size)
    return categories_of(flat(table[fields.category]), fields.category_separator)
