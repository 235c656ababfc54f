"""Teachers that compare a candidate with each earlier pick: MMR, its one-pass form and MSD."""

import numpy as np

from model.config import TeacherConfig
from model.teachers.explained.terms import OneRequest, Terms, cosine, most_similar, to_picks


def _similarity(request: OneRequest, config: TeacherConfig) -> np.ndarray:
    """Return s [N, N] (Eq. 3), or kappa * cos."""
    vectors = request.as_seen
    if config.cosine_scale > 0:
        return config.cosine_scale * cosine(vectors)
    return vectors @ vectors.T


def _div(s: np.ndarray) -> np.ndarray:
    """Return 1 - sigmoid(s) as sigmoid(-s) (Eq. 3)."""
    return 1.0 / (1.0 + np.exp(np.minimum(s, 700.0)))


def mmr(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain interest-aware MMR (Eq. 2)."""
    s, nearest = to_picks(_similarity(request, config), picked)
    term = config.diversity_weight * _div(s)
    # The first pick is the largest f (Eq. 4).
    return Terms(request.f + np.nan_to_num(term), {"lambda*Div": term, "s": s}, nearest)


def mmr_item(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain MMR on the items' own cosines, whoever looks at them."""
    cos, nearest = to_picks(cosine(request.e), picked)
    term = config.diversity_weight * (1.0 - cos)
    return Terms(request.f + np.nan_to_num(term), {"lambda*Div": term, "cos": cos}, nearest)


def one_pass(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain model.teachers.one_pass; what was picked changes nothing there."""
    similarity, score = _similarity(request, config), request.f
    n = len(score)
    for _ in range(config.rounds):
        order = np.lexsort((request.row, -request.f, -score))[: config.context or config.k]
        place = np.full(n, n)
        place[order] = np.arange(len(order))
        s, nearest = most_similar(similarity, (place < n) & (place < place[:, None]))
        # What has nothing before it is as new as can be.
        term = config.diversity_weight * np.where(nearest < 0, 1.0, _div(s))
        score = request.f + term
    return Terms(score, {"lambda*Div": term, "s": s}, nearest)


def msd(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain model.teachers.msd: the mean distance to the picks."""
    every = cosine(request.e)
    cos, nearest = to_picks(every, picked)
    mean = (1.0 - every[:, picked]).mean(axis=1) if picked else np.full(len(cos), np.nan)
    gain = request.f + np.nan_to_num(config.diversity_weight * mean)
    return Terms(gain, {"distance": mean, "cos": cos}, nearest)
