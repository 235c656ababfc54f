"""Why a teacher picks: the parts of every candidate's gain, in float64, as the equations say them.

Slow on purpose and without any code of the kernels, so that it also tells whether a stored label is
what its teacher says. Letters: i a candidate, j an earlier pick.
"""

from collections.abc import Callable, Sequence

from model.config import USES, TeacherConfig
from model.teachers.explained import by_categories, by_pairs, by_residuals
from model.teachers.explained.terms import OneRequest, Terms
from model.teachers.requests import Requests


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
    return _FAMILY[config.name][1](OneRequest.of(requests), config, list(picked))


_SEEN = "Div = sigmoid(-s), s = (e_i * u)(e_j * u)"
_FAMILY: dict[str, tuple[str, Callable[[OneRequest, TeacherConfig, list[int]], Terms]]] = {
    "mmr": (f"gain = f + lambda * Div, {_SEEN} of the nearest earlier pick j", by_pairs.mmr),
    "mmr_item": (
        "gain = f + lambda * Div, Div = 1 - cos(e_i, e_j) of the nearest earlier pick j",
        by_pairs.mmr_item,
    ),
    "one_pass": (
        f"gain = f + lambda * Div, {_SEEN} of the nearest j before i in the context",
        by_pairs.one_pass,
    ),
    "msd": (
        "gain = f + lambda * distance, the mean of 1 - cos(e_i, e_j) over the earlier picks j",
        by_pairs.msd,
    ),
    "dpp": (
        "gain = f + lambda * log r, r the squared residual against the earlier picks; cos of the "
        "nearest",
        by_residuals.dpp,
    ),
    "ssd": (
        "gain = f + lambda * P * |rho|, |rho| the length of the residual against the earlier "
        "picks; cos of the nearest",
        by_residuals.ssd,
    ),
    "category_decay": (
        "gain = f * delta^n, n the earlier picks of the same category",
        by_categories.category_decay,
    ),
    "calibrated": (
        "gain = f - lambda * (KL - KL before), KL of the list's categories from the request's",
        by_categories.calibrated,
    ),
}
