"""Under which name a teacher's labels stand: one id for teacher, parameters and model version."""

import hashlib
import json
from dataclasses import asdict

from model.config import TeacherConfig

WITHOUT_TEACHER = "none"
"""The teacher_id of examples that carry clicks only, for the base DCN of the first day."""


def teacher_id(config: TeacherConfig, model_version: str) -> str:
    """Return the partition value, such as mmr-0a1b2c3d4e."""
    text = json.dumps([asdict(config), model_version], sort_keys=True)
    return f"{config.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
