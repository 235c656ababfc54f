"""Every student by the name that a profile gives it."""

import torch

from model.learning_config import ModelConfig
from model.students.better_context import BetterContext
from model.students.paper import PaperStudent
from model.students.student import Student
from model.students.wear import Wear


def make_student(config: ModelConfig, win_rate: float, item_fields: int) -> Student:
    """Make the configured student; `win_rate` is K/N, from which its predictions start.

    Those that leave f alone take nothing from the stream that f's weights and dropout come from.
    """
    if config.student == "cdm":
        return PaperStudent(config, win_rate)
    with torch.random.fork_rng(devices=()):
        if config.student == "better_context":
            return BetterContext(config, win_rate)
        return Wear(config, item_fields)
