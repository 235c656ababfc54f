"""How scores become lists: every ranking of the study with the weights that it is tried at.

Weights stand from the least diversity to the most, so that a ranking's points make a front.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from jobs.study.arena import Arena, Judged
from jobs.study.outputs import Outputs, best_first, places_of, teach
from model.config import TeacherConfig

LAMBDAS = (0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5)
"""The paper's grid of lambda, and beyond both of its ends."""
GAMMAS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5)
"""The paper's grid of gamma likewise."""
DECAYS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5)
WEARS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Gammas of the wear student, whose scores are f y^gamma; 1 is what it learned."""
SEED = 5

Scored = tuple[Arena, Judged, Outputs]
Lists = Callable[[Scored, float, int], np.ndarray]
"""From scored requests, a weight and K, lists [R, K] of candidate indices, -1 beyond their end."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """One way to rank, at every weight that it has."""

    lists: Lists
    weights: tuple[float, ...] = (0.0,)
    off: str = ""
    """The weight at which it is f itself, of one that re-ranks f; no cell need try that."""


def _sorted(score: np.ndarray, scored: Scored, depth: int) -> np.ndarray:
    arena, judged, _ = scored
    return best_first(score, judged.requests, arena.item_rows(judged.requests), depth)


def _random(scored: Scored, weight: float, depth: int) -> np.ndarray:
    draw = np.random.default_rng(SEED).random(len(scored[1].requests.item))
    return _sorted(draw, scored, depth)


def _pre_ranker(scored: Scored, weight: float, depth: int) -> np.ndarray:
    return _sorted(scored[1].requests.pre_rank, scored, depth)


def _f(scored: Scored, weight: float, depth: int) -> np.ndarray:
    return _sorted(scored[2].f, scored, depth)


def _fused(scored: Scored, weight: float, depth: int) -> np.ndarray:
    """Rank by f and y_stu as the student joins them, in the paper by f + gamma y_stu (Eq. 20)."""
    said = scored[2]
    return _sorted(said.fuse(said.f, said.win, weight), scored, depth)


def teacher_of(name: str, weight: float, k: int) -> TeacherConfig:
    """Return a teacher at a weight: lambda, or delta of category decay."""
    if name == "category_decay":
        return TeacherConfig(name=name, decay=weight, k=k)
    return TeacherConfig(name=name, diversity_weight=weight, k=k)


def _reranked(name: str) -> Lists:
    def lists(scored: Scored, weight: float, depth: int) -> np.ndarray:
        arena, judged, said = scored
        order = teach(arena, judged.requests, said, teacher_of(name, weight, depth))
        return places_of(order, judged.requests.ends, depth)

    return lists


def _knowing(*, each_user: bool) -> Lists:
    """Rank by f as one would who knows what is alike to users, and how much it wears each."""

    def lists(scored: Scored, weight: float, depth: int) -> np.ndarray:
        _, judged, said = scored
        places = np.full((len(judged.requests), depth), -1, np.int64)
        audiences = judged.truth.audiences
        mean = np.mean(np.concatenate([one.wear for one in audiences]))
        for row, audience, start in zip(places, audiences, judged.truth.start, strict=True):
            f = said.f[start : start + len(audience.p)]
            wear = audience.wear if each_user else np.full_like(audience.wear, mean)
            picks = replace(audience, p=f, wear=wear).best(depth)
            row[: len(picks)] = start + picks
        return places

    return lists


RANKINGS = {
    "random": Ranking(_random),
    "pre_ranker": Ranking(_pre_ranker),
    "f": Ranking(_f),
    "fused": Ranking(_fused, GAMMAS),
    "worn": Ranking(_fused, WEARS),
    **{
        name: Ranking(_reranked(name), LAMBDAS, off="0")
        for name in ("mmr", "mmr_item", "one_pass", "dpp", "ssd", "msd", "calibrated")
    },
    "category_decay": Ranking(_reranked("category_decay"), DECAYS, off="1"),
    "mean_wear": Ranking(_knowing(each_user=False)),
    "true_wear": Ranking(_knowing(each_user=True)),
}
"""By name; those that re-rank are called as their teachers are."""
OFF = {name: ranking.off for name, ranking in RANKINGS.items() if ranking.off}
"""The weight at which a re-ranking is f itself, by name."""
READS_CATEGORIES = ("category_decay", "calibrated")
READS_TRUTH = ("mean_wear", "true_wear")
