"""What a student is: it reads a request beside f, learns, gives y, and says how y joins f.

Letters: B requests, N candidates, F item fields, d width.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from torch import Generator, Tensor, nn

from model.batch import CandidateBatch
from model.learning_config import TrainingConfig
from model.runs import everyone

Array = TypeVar("Array", Tensor, np.ndarray)


@dataclass(frozen=True, slots=True)
class CandidateView:
    """What a student may read of requests."""

    e: Tensor  # [B, N, d], P_I x_i
    u: Tensor  # [B, d], P_U x_u
    item_tokens: Tensor  # [B, N, F] int64
    valid: Tensor  # [B, N] bool
    logits: Tensor | None  # [B, N] of f as it serves, without gradient; None if it reads no f

    def detached(self) -> "CandidateView":
        """Return the same with no way back into the shared tables and maps."""
        return replace(self, e=self.e.detach(), u=self.u.detach())


class Student(nn.Module, ABC):
    """A network beside the click model."""

    reads_f: bool = True
    """Whether it needs the logits of f."""
    formula: str = "f + {gamma:g} * y_stu"
    """What `fuse` returns, in symbols."""
    landmarks: int = 0
    """How many candidates it compares a target with; 0 is all."""
    most_selected: int = 0
    """How many candidates of a request it selects at most, if it has that many."""

    @abstractmethod
    def losses(
        self,
        view: CandidateView,
        batch: CandidateBatch,
        config: TrainingConfig,
        generator: Generator,
        tau: float,
    ) -> tuple[Tensor, Tensor]:
        """Return its two loss terms, which beta_kd and beta_nce weigh; 0 for one it has not.

        Targets and noise are drawn from `generator`, in training mode alone; `tau` is the
        temperature of the step.
        """

    def judged(
        self,
        view: CandidateView,
        batch: CandidateBatch,
        config: TrainingConfig,
        generator: Generator,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return its two loss terms over all candidates and y [B, N]; for a model in eval mode."""
        y = self.score(view, everyone(view.valid))
        return *self.losses(view, batch, config, generator, 0.0), y

    @abstractmethod
    def score(self, view: CandidateView, targets: Tensor) -> Tensor:
        """Return y [B, T] in [0, 1] of targets [B, T] as it serves; anything in padding."""

    @staticmethod
    def fuse(f: Array, y: Array, gamma: float) -> Array:
        """Return the final ranking score [...] of f and y [...]; at gamma = 0 it is f."""
        return f + gamma * y
