"""Every student by the name that a profile gives it."""

from model.learning_config import ModelConfig
from model.students.paper import PaperStudent
from model.students.student import Student


def make_student(config: ModelConfig, win_rate: float, item_fields: int) -> Student:
    """Make the configured student; `win_rate` is K/N, from which its predictions start."""
    return PaperStudent(config, win_rate)
