"""Every teacher by the name that a profile gives it."""

from model.config import TeacherConfig
from model.teachers import calibrated, category_decay, dpp, mmr, msd, one_pass, ssd
from model.teachers.requests import Picks, Requests
from model.teachers.rules import Rules

TEACHERS = {
    "mmr": mmr.pick,
    "mmr_item": mmr.pick,
    "one_pass": one_pass.pick,
    "category_decay": category_decay.pick,
    "msd": msd.pick,
    "calibrated": calibrated.pick,
    "dpp": dpp.pick,
    "ssd": ssd.pick,
}
"""The names of model.config.USES."""


def pick(requests: Requests, config: TeacherConfig, rules: Rules | None = None) -> Picks:
    """Let the configured teacher pick min(K, N) candidates of each request, fewer under rules."""
    return TEACHERS[config.name](requests, config, rules)
