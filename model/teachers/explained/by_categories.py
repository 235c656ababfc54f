"""Teachers to whom items are alike by category: category decay and calibration."""

import numpy as np

from model.config import TeacherConfig
from model.teachers.calibrated import ALPHA
from model.teachers.explained.terms import OneRequest, Terms


def category_decay(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain model.teachers.category_decay."""
    worn = (request.member[picked] > 0).sum(axis=0)
    n = np.where(request.member > 0, worn, 0).max(axis=1, initial=0)
    left = config.decay ** n.astype(np.float64)
    return Terms(request.f * left, {"n": n, "delta^n": left})


def calibrated(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain model.teachers.calibrated."""
    wanted = request.f @ request.member
    wanted = wanted / wanted.sum() if wanted.sum() > 0 else wanted
    given = request.member[picked].sum(axis=0)
    before = _divergence(wanted, given / max(len(picked), 1))
    after = np.array(
        [_divergence(wanted, (given + own) / (len(picked) + 1)) for own in request.member]
    )
    gain = request.f - config.diversity_weight * (after - before)
    return Terms(gain, {"KL before": np.full(len(after), before), "KL": after})


def _divergence(wanted: np.ndarray, given: np.ndarray) -> float:
    """Return KL(p || (1 - alpha) q + alpha p) of p `wanted` and q `given`, both [C]."""
    there = wanted > 0
    p, q = wanted[there], given[there]
    return float((p * np.log(p / ((1 - ALPHA) * q + ALPHA * p))).sum())
