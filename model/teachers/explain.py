"""Why a teacher picks: the parts of every candidate's gain, in float64, as the equations say them.

Slow on purpose and without any code of the kernels, so that it also tells whether a stored label is
what its teacher says. Letters: N candidates of one request, d vector width, j an earlier pick.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.config import USES, TeacherConfig
from model.teachers import calibrated, dpp, ssd
from model.teachers.requests import Requests


@dataclass(frozen=True, slots=True)
class Terms:
    """What each candidate of a request adds after some picks."""

    gain: np.ndarray
    """[N] float64."""
    parts: dict[str, np.ndarray]
    """[N] each, what the gain is made of beside f, by the names of `formula`; nan for none."""
    nearest: np.ndarray | None = None
    """[N] int64, the most similar of what a candidate is compared with, as an index of a candidate;
    -1 for none. None where the teacher compares no pairs."""


@dataclass(frozen=True, slots=True)
class _Request:
    f: np.ndarray  # [N]
    row: np.ndarray  # [N]
    e: np.ndarray  # [N, d]
    e_u: np.ndarray | None  # [N, d], e * u
    member: np.ndarray  # [N, C], 1 / m for each of an item's m categories


def formula(config: TeacherConfig) -> str:
    """Return in one line how the teacher's gain comes about, in the words of `Terms.parts`."""
    said = _FAMILY[config.name][0]
    if "decay" in USES[config.name]:
        return f"{said}; delta = {config.decay:g}"
    if config.cosine_scale:
        said = said.replace(
            "(e_i * u)(e_j * u)", f"{config.cosine_scale:g} * cos(e_i * u, e_j * u)"
        )
    return f"{said}; lambda = {config.diversity_weight:g}"


def terms(requests: Requests, config: TeacherConfig, picked: Sequence[int]) -> Terms:
    """Return what each candidate of one request adds after the picks, in their order.

    Of what is picked already the values mean nothing. Raises ValueError for a batch that is not one
    request, or one without u where the teacher needs it.
    """
    if len(requests.ends) != 1:
        raise ValueError(f"one request is explained at a time, not {len(requests.ends)}")
    e = requests.table[requests.row].astype(np.float64)
    request = _Request(
        requests.f,
        requests.row,
        e,
        None if requests.u is None else e * requests.u[0].astype(np.float64),
        _membership(requests),
    )
    return _FAMILY[config.name][1](request, config, list(picked))


def _membership(requests: Requests) -> np.ndarray:
    count = np.diff(requests.category_ends, prepend=0)
    member = np.zeros((len(requests.f), requests.category.max(initial=-1) + 1))
    member[np.repeat(np.arange(len(count)), count), requests.category] = 1.0
    return member / np.maximum(member.sum(axis=1, keepdims=True), 1.0)


# --- compared by vectors


def _as_seen(request: _Request) -> np.ndarray:
    if request.e_u is None:
        raise ValueError("this teacher compares items by e * u, and the request has no u")
    return request.e_u


def _cosine(vectors: np.ndarray) -> np.ndarray:
    """Return cos [N, N]; 0 of a zero vector with everything."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit @ unit.T


def _similarity(request: _Request, config: TeacherConfig) -> np.ndarray:
    """Return s [N, N] (Eq. 3), or kappa * cos."""
    vectors = _as_seen(request)
    if config.cosine_scale > 0:
        return config.cosine_scale * _cosine(vectors)
    return vectors @ vectors.T


def _most(similarity: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest similarity [N] to what `among` [N, N] marks, nan for none; and to which.

    Of equals it names the first.
    """
    compared = np.where(among, similarity, -np.inf)
    nearest = np.where(among.any(axis=1), compared.argmax(axis=1), -1)
    return np.where(nearest >= 0, compared.max(axis=1), np.nan), nearest


def _to_picks(similarity: np.ndarray, picked: list[int]) -> tuple[np.ndarray, np.ndarray]:
    among = np.zeros(similarity.shape, np.bool_)
    among[:, picked] = True
    return _most(similarity, among)


def _div(s: np.ndarray) -> np.ndarray:
    """Return 1 - sigmoid(s) as sigmoid(-s) (Eq. 3)."""
    return 1.0 / (1.0 + np.exp(np.minimum(s, 700.0)))


def _mmr(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    s, nearest = _to_picks(_similarity(request, config), picked)
    term = config.diversity_weight * _div(s)
    # The first pick is the largest f (Eq. 4).
    return Terms(request.f + np.nan_to_num(term), {"lambda*Div": term, "s": s}, nearest)


def _mmr_item(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    cos, nearest = _to_picks(_cosine(request.e), picked)
    term = config.diversity_weight * (1.0 - cos)
    return Terms(request.f + np.nan_to_num(term), {"lambda*Div": term, "cos": cos}, nearest)


def _one_pass(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    similarity, score = _similarity(request, config), request.f
    n = len(score)
    for _ in range(config.rounds):
        order = np.lexsort((request.row, -request.f, -score))[: config.context or config.k]
        place = np.full(n, n)
        place[order] = np.arange(len(order))
        s, nearest = _most(similarity, (place < n) & (place < place[:, None]))
        # What has nothing before it is as new as can be.
        term = config.diversity_weight * np.where(nearest < 0, 1.0, _div(s))
        score = request.f + term
    return Terms(score, {"lambda*Div": term, "s": s}, nearest)


def _msd(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    cosine = _cosine(request.e)
    cos, nearest = _to_picks(cosine, picked)
    mean = (1.0 - cosine[:, picked]).mean(axis=1) if picked else np.full(len(cos), np.nan)
    gain = request.f + np.nan_to_num(config.diversity_weight * mean)
    return Terms(gain, {"distance": mean, "cos": cos}, nearest)


# --- new against what the picks span


def _likeness(cosine: np.ndarray, constant: float, jitter: float) -> np.ndarray:
    """Return the Gram matrix of the vectors [x; constant] of length one, jitter added."""
    gram = (cosine + constant**2) / (1.0 + constant**2)
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


def _compared(request: _Request, config: TeacherConfig) -> np.ndarray:
    return _cosine(_as_seen(request) if config.interest else request.e)


def _dpp(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    latest, cosine = picked[-config.window :], _compared(request, config)
    cos, nearest = _to_picks(cosine, latest)
    r = _residual(_likeness(cosine, dpp.CONSTANT, dpp.JITTER), latest)
    term = config.diversity_weight * np.log(np.maximum(r, 1e-10))
    return Terms(request.f + term, {"lambda*log r": term, "r": r, "cos": cos}, nearest)


def _ssd(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    latest, cosine = picked[-config.window :], _compared(request, config)
    cos, nearest = _to_picks(cosine, latest)
    gram = _likeness(cosine, ssd.CONSTANT, 0.0)
    if config.add_back:
        rho, volume = _added_back(gram, picked, config.window)
    else:
        rho = np.sqrt(_residual(gram, latest))
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


# --- compared by categories


def _category_decay(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
    worn = (request.member[picked] > 0).sum(axis=0)
    n = np.where(request.member > 0, worn, 0).max(axis=1, initial=0)
    left = config.decay ** n.astype(np.float64)
    return Terms(request.f * left, {"n": n, "delta^n": left})


def _calibrated(request: _Request, config: TeacherConfig, picked: list[int]) -> Terms:
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
    return float((p * np.log(p / ((1 - calibrated.ALPHA) * q + calibrated.ALPHA * p))).sum())


_SEEN = "Div = sigmoid(-s), s = (e_i * u)(e_j * u)"
_FAMILY: dict[str, tuple[str, Callable[[_Request, TeacherConfig, list[int]], Terms]]] = {
    "mmr": (f"gain = f + lambda * Div, {_SEEN} of the nearest earlier pick j", _mmr),
    "mmr_item": (
        "gain = f + lambda * Div, Div = 1 - cos(e_i, e_j) of the nearest earlier pick j",
        _mmr_item,
    ),
    "one_pass": (
        f"gain = f + lambda * Div, {_SEEN} of the nearest j before i in the context",
        _one_pass,
    ),
    "msd": (
        "gain = f + lambda * distance, the mean of 1 - cos(e_i, e_j) over the earlier picks j",
        _msd,
    ),
    "dpp": (
        "gain = f + lambda * log r, r the squared residual against the earlier picks; cos of the "
        "nearest",
        _dpp,
    ),
    "ssd": (
        "gain = f + lambda * P * |rho|, |rho| the length of the residual against the earlier "
        "picks; cos of the nearest",
        _ssd,
    ),
    "category_decay": (
        "gain = f * delta^n, n the earlier picks of the same category",
        _category_decay,
    ),
    "calibrated": (
        "gain = f - lambda * (KL - KL before), KL of the list's categories from the request's",
        _calibrated,
    ),
}
