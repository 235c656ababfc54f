"""What is known of each epoch of a training: the learning curve, in memory and as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from model.learning_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of one epoch."""

    click: float
    distillation: float
    contrastive: float

    def total(self, config: TrainingConfig) -> float:
        """Return the weighted sum (Eq. 20)."""
        return self.click + config.beta_kd * self.distillation + config.beta_nce * self.contrastive


@dataclass(frozen=True, slots=True)
class Quality:
    """How far the predictions for held-out requests can be believed; None where nothing says it.

    A calibration is the predicted over the observed number: 1 is right, above it too many are
    expected. An AUC is the mean over the requests that have both outcomes, ties counted half.
    """

    click_calibration: float | None = None
    """Sum of f over the clicks, of exposed candidates."""
    click_auc: float | None = None
    """Of f against clicks, among exposed candidates."""
    win_calibration: float | None = None
    """Sum of y_stu over the teacher's picks, of all candidates."""
    win_auc: float | None = None
    """Of y_stu against the teacher's picks, among all candidates."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the learning curve."""

    number: int
    training: Losses
    validation: Losses
    quality: Quality = Quality()

    def to_json(self) -> dict[str, Any]:
        """Return the epoch as history.json holds it."""
        return {
            "epoch": self.number,
            "training": asdict(self.training),
            "validation": asdict(self.validation),
            "quality": asdict(self.quality),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Epoch":
        """Return the epoch that `to_json` told, with every bit of its numbers."""
        return cls(
            told["epoch"],
            Losses(**told["training"]),
            Losses(**told["validation"]),
            Quality(**told["quality"]),
        )
