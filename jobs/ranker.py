"""A day's candidate sets ranked by every method: what one process and Spark's workers both run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from jobs.features import input_columns
from jobs.load_model import open_model
from jobs.ranked_lists import by, lists
from jobs.request_scores import AT_ONCE, Scores, score_requests
from model.config import RankingConfig
from model.scorer import Scorer
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema
from schemas.table import Fields, Table


class Served(NamedTuple):
    """A model version that ranks."""

    version: str
    scorer: Scorer
    vocabulary: Vocabulary


class Ranked(NamedTuple):
    """One list of one request; arrays are [k], best first."""

    request_id: object
    method: str
    version: str
    item_id: np.ndarray
    f: np.ndarray
    win: np.ndarray
    """NaN where the model has no student."""
    score: np.ndarray


@dataclass(frozen=True, slots=True)
class Ranker:
    """The newest model that never saw the day and, where it is another, the promoted one."""

    fields: Fields
    config: RankingConfig
    depth: int
    table: Table
    """The rankings."""
    candidate: Served
    promoted: Served | None

    @classmethod
    def open(
        cls,
        models: tuple[Path, ...],
        fields: Fields,
        config: RankingConfig,
        depth: int,
        table: Table,
    ) -> "Ranker":
        """Load the models of these folders: the candidate's, then the promoted one's if another."""
        # As many workers run side by side as there are cores, and a sum's parts would hang on how
        # many threads it has.
        torch.set_num_threads(1)
        served = []
        for folder in models:
            model, vocabulary = open_model(folder, fields)
            served.append(Served(folder.name, Scorer(model, config, AT_ONCE), vocabulary))
        return cls(fields, config, depth, table, *served, *[None] * (2 - len(served)))

    @property
    def columns(self) -> list[str]:
        """What it reads of candidate_sets."""
        return list(dict.fromkeys(["request_id", "score", *input_columns(self.fields)]))

    def rank(self, sets: pa.RecordBatch) -> pa.Table:
        """Return the rankings of some requests, whose rows hang on none of the others."""
        return self._rows(list(self._lists(sets)))

    def _lists(self, sets: pa.RecordBatch) -> Iterator[Ranked]:
        version, scorer, vocabulary = self.candidate
        for request in score_requests(sets, self.fields, scorer, vocabulary):
            for method, picks, score in lists(request, scorer.model, self.config, self.depth):
                yield _ranked(request, method, version, picks, score)
        if self.promoted is not None:
            version, scorer, vocabulary = self.promoted
            for request in score_requests(sets, self.fields, scorer, vocabulary):
                picks, score = by(request.final, request, self.depth)
                yield _ranked(request, "promoted", version, picks, score)

    def _rows(self, ranked: list[Ranked]) -> pa.Table:
        counts = [len(one.item_id) for one in ranked]
        row = np.repeat(np.arange(len(ranked)), counts)
        win = np.concatenate([one.win for one in ranked])
        columns = {
            "request_id": pa.array([one.request_id for one in ranked]).take(row),
            "method": pa.array([one.method for one in ranked]).take(row),
            "model_version": pa.array([one.version for one in ranked]).take(row),
            "rank": np.concatenate([np.arange(1, n + 1) for n in counts]),
            "item_id": np.concatenate([one.item_id for one in ranked]),
            "f": np.concatenate([one.f for one in ranked]),
            "win_probability": pa.array(win, mask=np.isnan(win)),
            "final_score": np.concatenate([one.score for one in ranked]),
        }
        schema = arrow_schema(self.table)
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
        return pa.Table.from_arrays(arrays, schema=schema)


def _ranked(
    request: Scores, method: str, version: str, picks: np.ndarray, score: np.ndarray
) -> Ranked:
    win = np.full(len(picks), np.nan) if request.win is None else request.win[picks]
    return Ranked(
        request.request_id,
        method,
        version,
        request.item_id[picks],
        request.f[picks],
        win,
        score,
    )
