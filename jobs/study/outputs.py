"""What a model says of requests, and what a teacher picks from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from jobs.study.arena import Arena, Requests
from model.cdm import CDM
from model.config import TeacherConfig
from model.teachers import requests as teachers
from model.teachers.choice import pick

CHUNK = 4
"""Requests at once, as few as when they are judged in training."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """A model's scores of C candidates of R requests, and its vectors of I items."""

    f: np.ndarray  # [C] float64
    win: np.ndarray | None  # [C] float64
    u: np.ndarray  # [R, d] float32
    e: np.ndarray  # [I, d] float32
    fuse: Callable[[np.ndarray, np.ndarray, float], np.ndarray]
    """The final score [C] of f and y_stu at a gamma, as the student has it."""


def outputs(model: CDM, arena: Arena, requests: Requests) -> Outputs:
    """Score all requests, some at a time."""
    f, win, u = [], [], []
    for batch in requests.batches(CHUNK):
        scores = model.score(batch)
        valid = batch.valid
        f.append(scores[0][valid].double().numpy())
        if scores[1] is not None:
            win.append(scores[1][valid].double().numpy())
        u.append(model.user_vectors(batch.user_tokens).numpy())
    e = model.item_vectors(torch.from_numpy(arena.item_tokens)).numpy()
    joined = np.concatenate(win) if win else None
    return Outputs(np.concatenate(f), joined, np.concatenate(u), e, model.fuse)


def teach(arena: Arena, requests: Requests, said: Outputs, teacher: TeacherConfig) -> np.ndarray:
    """Return the order of a teacher's picks [C]: 1 for the first of a request, 0 for none."""
    asked = teachers.Requests(
        ends=requests.ends,
        row=arena.item_rows(requests),
        f=said.f,
        table=np.ascontiguousarray(said.e),
        u=said.u,
        category_ends=requests.categories.ends,
        category=requests.categories.code,
    )
    return pick(asked, teacher).order


def places_of(order: np.ndarray, ends: np.ndarray, depth: int) -> np.ndarray:
    """Return lists [R, depth] as candidate indices from picks' orders [C], -1 beyond their end."""
    places = np.full((len(ends), depth), -1, np.int64)
    picked = np.flatnonzero((order > 0) & (order <= depth))
    places[np.searchsorted(ends, picked, side="right"), order[picked] - 1] = picked
    return places


def best_first(score: np.ndarray, requests: Requests, row: np.ndarray, depth: int) -> np.ndarray:
    """Return the lists [R, depth] of highest scores [C]; ties go to the lower item row [C]."""
    owner = np.repeat(np.arange(len(requests)), requests.encoded.lengths)
    sorted_ = np.lexsort((row, -score, owner))
    rank = np.empty(len(score), np.int64)
    start = requests.ends - requests.encoded.lengths
    rank[sorted_] = np.arange(len(score)) - np.repeat(start, requests.encoded.lengths) + 1
    return places_of(rank, requests.ends, depth)
