"""Rank a day's candidate sets with a model that never saw the day, and with what it is judged by.

Reads candidate_sets and models, writes rankings: the newest earlier model's CDM, its DCN alone, MMR
re-ranking of that DCN, the pre-ranker, a random order, and the promoted model where it is another.
"""

import argparse
import dataclasses
import sys
import zlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import torch

from jobs.categories import categories_of, padded
from jobs.cli import Task, run, step_parser
from jobs.errors import NothingToDo
from jobs.features import encode, flat, input_columns
from jobs.load_model import load_model
from jobs.publish import Publication
from jobs.registry import Registry
from model.batch import from_ragged
from model.cdm import CDM
from model.config import RankingConfig, TeacherConfig
from model.ordering import top_k
from model.scorer import Scorer
from model.teachers import mmr
from model.teachers.requests import Requests
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema
from schemas.table import Fields, Table

STEP = "score"
READS = ("candidate_sets",)
WRITES = ("rankings",)
REQUESTS = 64


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return step_parser(STEP, __doc__)


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


def by(score: np.ndarray, request: Scores, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k best by a score, and their scores."""
    picks = top_k(score, request.item_id, k)
    return picks, score[picks]


def rerank(request: Scores, weight: float, scale: float, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return MMR on the model's f with every u one: likeness of items, the paper's baseline."""
    n = len(request.f)
    by_id = np.argsort(request.item_id, kind="stable")
    row = np.empty(n, np.int64)
    row[by_id] = np.arange(n)
    requests = Requests(
        ends=np.array([n]),
        row=row,
        f=request.f,
        table=request.e[by_id],
        u=np.ones((1, request.e.shape[1]), np.float32),
        category_ends=np.zeros(n, np.int64),
        category=np.zeros(0, np.int64),
    )
    teacher = TeacherConfig(name="mmr", diversity_weight=weight, cosine_scale=scale, k=k)
    found = mmr.pick(requests, teacher)
    picks = np.argsort(found.order)[-min(k, n) :]
    return picks, found.gain[picks]


def shuffled(request: Scores, seed: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a random ranking that depends on the seed and the request alone."""
    rng = np.random.default_rng([seed, zlib.crc32(str(request.request_id).encode())])
    return by(rng.random(len(request.f)), request, k)


def lists(request: Scores, model: CDM, config: RankingConfig, k: int) -> Iterator[tuple]:
    """Yield (method, picks, final scores) of every method that one model's scores allow."""
    scale = config.mmr_cosine_scale
    yield "random", *shuffled(request, config.seed, k)
    yield "pre_ranker", *by(request.pre_rank, request, k)
    yield "dcn", *by(request.f, request, k)
    yield "mmr", *rerank(request, config.mmr_weight, scale, k)
    for weight in config.mmr_sweep:
        yield f"mmr@{weight:g}", *rerank(request, weight, scale, k)
    if request.win is not None:
        yield "cdm", *by(request.final, request, k)
        for gamma in config.gamma_sweep:
            yield f"cdm@{gamma:g}", *by(model.fuse(request.f, request.win, gamma), request, k)


def score_requests(
    sets: pa.RecordBatch, fields: Fields, scorer: Scorer, vocabulary: Vocabulary
) -> Iterator[Scores]:
    """Score some requests."""
    encoded = encode(sets, fields, vocabulary)
    batch = from_ragged(*encoded)
    codes = category_codes(sets, fields, batch.valid)
    f, win, final = scorer(batch.user_tokens, batch.item_tokens, batch.dense, batch.valid, codes)
    e = scorer.model.item_vectors(batch.item_tokens)
    ids = flat(sets["item_id"]).to_numpy(zero_copy_only=False)
    pre_rank = flat(sets["score"]).to_numpy(zero_copy_only=False)
    ends = np.cumsum(encoded.lengths)
    for row, (n, end) in enumerate(zip(encoded.lengths, ends, strict=True)):
        yield Scores(
            sets["request_id"][row].as_py(),
            ids[end - n : end],
            pre_rank[end - n : end],
            f[row, :n].numpy().astype(np.float64),
            None if win is None else win[row, :n].numpy().astype(np.float64),
            final[row, :n].numpy(),
            e[row, :n].numpy(),
        )


def category_codes(sets: pa.RecordBatch, fields: Fields, valid: torch.Tensor) -> torch.Tensor:
    """Return the codes of the candidates' categories [B, N, G], from 1; 0 is none."""
    codes = np.zeros((int(valid.sum()), 0), np.int64)
    if fields.category:
        codes = padded(categories_of(flat(sets[fields.category]), fields.category_separator))
    room = torch.zeros(*valid.shape, codes.shape[1], dtype=torch.int64)
    room[valid] = torch.from_numpy(codes)
    return room


def as_rows(
    ranked: list[tuple[Scores, str, np.ndarray, np.ndarray]], version: str, table: Table
) -> pa.Table:
    """Return rows of the rankings table."""
    counts = [len(picks) for _, _, picks, _ in ranked]
    win = [
        np.full(len(picks), np.nan) if s.win is None else s.win[picks] for s, _, picks, _ in ranked
    ]
    win_probability = np.concatenate(win)
    columns = {
        "request_id": np.repeat([s.request_id for s, *_ in ranked], counts),
        "method": np.repeat([method for _, method, *_ in ranked], counts),
        "model_version": [version] * sum(counts),
        "rank": np.concatenate([np.arange(1, n + 1) for n in counts]),
        "item_id": np.concatenate([s.item_id[picks] for s, _, picks, _ in ranked]),
        "f": np.concatenate([s.f[picks] for s, _, picks, _ in ranked]),
        "win_probability": pa.array(win_probability, mask=np.isnan(win_probability)),
        "final_score": np.concatenate([score for *_, score in ranked]),
    }
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in arrow_schema(table)]
    return pa.Table.from_arrays(arrays, schema=arrow_schema(table))


def score(task: Task, args: argparse.Namespace) -> None:
    """Rank the day by every method and publish."""
    registry, profile = Registry(task.lake), task.profile
    candidate = registry.trained_before(task.day)
    if candidate is None:
        raise NothingToDo(f"no model was trained before {task.day}; the first day is not ranked")
    promoted = registry.promoted_before(task.day)
    source = task.lake.partition("candidate_sets", task.day)
    sets = source.require("build_candidates")
    output = Publication(
        task.lake.partition("rankings", task.day),
        step=STEP,
        inputs={source.name: sets.digest, "candidate": candidate, "promoted": promoted or ""},
        parameters=dataclasses.asdict(profile.ranking) | {"depth": profile.depth},
    )
    if task.is_done(output):
        return
    table = output.partition.table

    def ready(version: str) -> tuple[Scorer, Vocabulary]:
        model, vocabulary = load_model(registry, version, profile.fields)
        return Scorer(model, profile.ranking), vocabulary

    scorer, vocabulary = ready(candidate)
    rival = None if promoted in (None, candidate) else ready(promoted)
    columns = dict.fromkeys(["request_id", "score", *input_columns(profile.fields)])

    def rows() -> Iterator[pa.Table]:
        done = 0
        for batch in source.batches(list(columns), REQUESTS):
            ranked = [
                (request, *ranking)
                for request in score_requests(batch, profile.fields, scorer, vocabulary)
                for ranking in lists(request, scorer.model, profile.ranking, profile.depth)
            ]
            yield as_rows(ranked, candidate, table)
            if rival is not None:
                served = [
                    (request, "promoted", *by(request.final, request, profile.depth))
                    for request in score_requests(batch, profile.fields, *rival)
                ]
                yield as_rows(served, promoted, table)
            done += batch.num_rows
            task.progress(done, sets.rows, "requests")

    output.publish_rows(rows(), {"requests": sets.rows, "depth": profile.depth})
    note = f"{sets.rows:,} requests to {profile.depth} places by model {candidate}"
    task.made(output, note, "evaluate")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    # As in train: on models this small more threads only get in each other's way.
    torch.set_num_threads(1)
    return run(STEP, build_parser(), argv, score)


if __name__ == "__main__":
    sys.exit(main())
