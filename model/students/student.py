"""What a student is: it reads a request beside f, learns, gives y, and says how y joins f.

Letters: B requests, N candidates, F item fields, d width.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import torch
from torch import Generator, Tensor, nn

from model.batch import CandidateBatch
from model.learning_config import TrainingConfig
from model.rankers.better import of
from model.runs import everyone

Array = TypeVar("Array", Tensor, np.ndarray)


@dataclass(frozen=True)
class CandidateView:
    """What a student may read of requests."""

    u: Tensor  # [B, d], P_U x_u
    item_tokens: Tensor  # [B, N, F] int64
    valid: Tensor  # [B, N] bool
    logits: Tensor | None  # [B, N] of f as it serves, without gradient; None if it reads no f
    raw_item: Callable[[Tensor], Tensor]  # from item tokens [..., F] to x_i [..., F d_e]
    item_map: Callable[[Tensor], Tensor]  # P_I, from x_i to e_i
    raw: Tensor | None = None  # x_i [B, N, F d_e], where they are known

    @cached_property
    def x(self) -> Tensor:
        """x_i [B, N, F d_e]."""
        return self.raw_item(self.item_tokens) if self.raw is None else self.raw

    @cached_property
    def e(self) -> Tensor:
        """P_I x_i [B, N, d]."""
        return self.item_map(self.x)

    def of(self, who: Tensor) -> "CandidateView":
        """Return the requests with the candidates `who` [B, M] alone."""
        names = ("item_tokens", "valid", "logits", "raw")
        known = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(self, **{name: of(values, who) for name, values in known.items()})

    def detached(self) -> "CandidateView":
        """Return the same with no way back into the shared tables and maps."""
        return replace(self, u=self.u.detach(), item_map=lambda x: self.item_map(x).detach())


def named_alone(view: CandidateView, *named: Tensor) -> tuple[CandidateView, *tuple[Tensor, ...]]:
    """Return the view of the candidates that are named [B, *] alone, and where these stand in it.

    So a step costs what it looks at, whatever N is. Where they may be all, nothing changes.
    """
    room = sum(who.shape[1] for who in named)
    if torch.compiler.is_exporting() or room >= view.valid.shape[1]:
        return view, *named
    is_named = torch.zeros_like(view.valid)
    for who in named:
        is_named = is_named.scatter(1, who, value=True)
    kept = (~is_named).to(torch.uint8).argsort(dim=1, stable=True)[:, :room]
    place = is_named.cumsum(1) - 1
    return view.of(kept), *(place.gather(1, who) for who in named)


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

    def scoring(self, view: CandidateView) -> Callable[[Tensor], Tensor]:
        """Return `score` of a view, whose targets are different candidates each time."""
        return partial(self.score, view)

    @staticmethod
    def fuse(f: Array, y: Array, gamma: float) -> Array:
        """Return the final ranking score [...] of f and y [...]; at gamma = 0 it is f."""
        return f + gamma * y
