"""Teachers that ask what is new against all that the picks span: DPP and SSD, by pseudo-inverse."""

import numpy as np

from model.config import TeacherConfig
from model.teachers import dpp as dpp_kernel
from model.teachers import ssd as ssd_kernel
from model.teachers.explained.terms import OneRequest, Terms, cosine, to_picks


def _likeness(every: np.ndarray, constant: float, jitter: float) -> np.ndarray:
    """Return the Gram matrix of vectors [x; constant] of length one by cos [N, N], jitter added."""
    gram = (every + constant**2) / (1.0 + constant**2)
    # A zero vector too is of length one.
    np.fill_diagonal(gram, 1.0)
    return gram + jitter * np.eye(len(gram))


def _residual(gram: np.ndarray, against: list[int]) -> np.ndarray:
    """Return the squared residual [N] of each vector against the span of some of them."""
    if not against:
        return gram.diagonal().copy()
    shared = gram[:, against]
    inverse = np.linalg.pinv(gram[np.ix_(against, against)], rcond=1e-10, hermitian=True)
    return np.maximum(gram.diagonal() - ((shared @ inverse) * shared).sum(axis=1), 0.0)


def _seen(request: OneRequest, config: TeacherConfig) -> np.ndarray:
    """Return the vectors that are compared [N, d], of items as the user sees them or themselves."""
    return request.as_seen if config.interest else request.e


def _length_of_rest(x: np.ndarray, constant: float, against: list[int]) -> np.ndarray:
    """Return the length [N] of what the span of some vectors [x; constant] leaves of each.

    From the vectors themselves: of a copy the Gram matrix leaves the root of its rounding.
    """
    length = np.linalg.norm(x, axis=1, keepdims=True)
    is_zero = length[:, 0] == 0
    # A zero vector is of length one by a coordinate of its own.
    own = np.eye(len(x))[:, is_zero]
    unit = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    v = np.hstack([unit, np.full((len(x), 1), constant), own]) / np.hypot(1.0, constant)
    if against:
        share, *_ = np.linalg.lstsq(v[against].T, v.T, rcond=1e-5)
        v = v - share.T @ v[against]
    return np.linalg.norm(v, axis=1)


def _compared(request: OneRequest, config: TeacherConfig) -> np.ndarray:
    """Return every cosine [N, N], of items as the user sees them or by themselves."""
    return cosine(_seen(request, config))


def dpp(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain model.teachers.dpp: the log of the squared residual."""
    latest, every = picked[-config.window :], _compared(request, config)
    cos, nearest = to_picks(every, latest)
    r = _residual(_likeness(every, dpp_kernel.CONSTANT, dpp_kernel.JITTER), latest)
    term = config.diversity_weight * np.log(np.maximum(r, 1e-10))
    return Terms(request.f + term, {"lambda*log r": term, "r": r, "cos": cos}, nearest)


def ssd(request: OneRequest, config: TeacherConfig, picked: list[int]) -> Terms:
    """Explain model.teachers.ssd: the length of the residual, by P or not."""
    latest, every = picked[-config.window :], _compared(request, config)
    cos, nearest = to_picks(every, latest)
    gram = _likeness(every, ssd_kernel.CONSTANT, 0.0)
    if config.add_back:
        rho, volume = _added_back(gram, picked, config.window)
    else:
        rho = _length_of_rest(_seen(request, config), ssd_kernel.CONSTANT, latest)
        volume = np.sqrt(max(np.linalg.det(gram[np.ix_(latest, latest)]), 0.0))
    volume = np.full(len(rho), volume if config.volume else 1.0)
    gain = request.f + config.diversity_weight * volume * rho
    return Terms(gain, {"P": volume, "|rho|": rho, "cos": cos}, nearest)


def _added_back(gram: np.ndarray, picked: list[int], window: int) -> tuple[np.ndarray, float]:
    """Return |rho| [N] and P as the queue of the paper's algorithm keeps them."""
    value, vector = np.linalg.eigh(gram)
    rho, queue = vector * np.sqrt(np.maximum(value, 0.0)), []
    for pick in picked:
        direction = rho[pick].copy()
        if len(queue) == window:
            oldest, share = queue.pop(0)
            rho = rho + np.outer(share, oldest)
        squared = direction @ direction
        share = rho @ direction / squared if squared > 1e-10 else np.zeros(len(rho))
        rho = rho - np.outer(share, direction)
        queue.append((direction, share))
    lengths = [np.linalg.norm(direction) for direction, _ in queue]
    return np.linalg.norm(rho, axis=1), float(np.prod(lengths))
