"""The lists of a request by every method: a model's own, its baselines, and their weights swept."""

import zlib
from collections.abc import Iterator

import numpy as np

from jobs.request_scores import Scores
from model.cdm import CDM
from model.config import RankingConfig, TeacherConfig
from model.ordering import top_k
from model.teachers import mmr
from model.teachers.requests import Requests


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
    """Yield (method, picks, final scores) of every method that one model's scores allow.

    What serves is called cdm under any ranker; where that is not the student, the student at its
    own gamma stands among the swept ones.
    """
    scale = config.mmr_cosine_scale
    yield "random", *shuffled(request, config.seed, k)
    yield "pre_ranker", *by(request.pre_rank, request, k)
    yield "dcn", *by(request.f, request, k)
    yield "mmr", *rerank(request, config.mmr_weight, scale, k)
    for weight in config.mmr_sweep:
        yield f"mmr@{weight:g}", *rerank(request, weight, scale, k)
    is_student = config.ranker == "student"
    if request.win is not None or not is_student:
        yield "cdm", *by(request.final, request, k)
    if request.win is not None:
        gammas = config.gamma_sweep if is_student else (config.gamma, *config.gamma_sweep)
        for gamma in dict.fromkeys(gammas):
            yield f"cdm@{gamma:g}", *by(model.fuse(request.f, request.win, gamma), request, k)
