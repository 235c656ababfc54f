"""Under which name a teacher's labels stand: one id for teacher, policy and model version."""

import hashlib
import json

from model.config import USES, PolicyConfig, TeacherConfig

WITHOUT_TEACHER = "none"
"""The teacher_id of examples that carry clicks only, for the base DCN of the first day."""


def teacher_id(config: TeacherConfig, policy: PolicyConfig, model_version: str) -> str:
    """Return the partition value, such as mmr-0a1b2c3d4e.

    Hashed is what decides the labels and nothing else, so that a parameter of other teachers, or a
    rule that asks nothing, may be added without giving old labels a new name.
    """
    read = {name: getattr(config, name) for name in ("name", "k", *USES[config.name])}
    text = json.dumps([read, _asked(policy), model_version], sort_keys=True)
    return f"{config.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def teacher_told(config: TeacherConfig) -> str:
    """Return the teacher and its parameters in words; those at their usual value are left out."""
    usual = TeacherConfig()
    parts = [config.name, f"K {config.k}"]
    for name in USES[config.name]:
        value = getattr(config, name)
        if name in _ALWAYS_TOLD or value != getattr(usual, name):
            called = _ALWAYS_TOLD.get(name, name)
            parts.append(called if value is True else f"{called} {value:g}")
    return ", ".join(parts)


_ALWAYS_TOLD = {"diversity_weight": "lambda", "decay": "delta"}


def _asked(policy: PolicyConfig) -> dict[str, object]:
    """Return the rules that ask something."""
    if not policy.has_rules:
        return {}
    rules = {
        "max_per_category": policy.max_per_category,
        "window": policy.window,
        "quotas": policy.quotas,
        "pinned": policy.pinned,
        "blocked": sorted(map(str, policy.blocked)),
        "relax": policy.relax,
    }
    return {name: value for name, value in rules.items() if value}
