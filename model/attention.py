"""Attention of targets over the candidates of their request (Eq. 11), common to both encoders.

Letters: B requests, N candidates, T targets, M candidates that may stand in a context, d width.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.learning_config import ModelConfig
from model.precision import full_logits


@dataclass(frozen=True, slots=True)
class Contexts:
    """What an encoder found for each target: all [B, T, d]."""

    query: Tensor
    positive: Tensor
    negative: Tensor | None
    """None where the encoder has one context only, so nothing to contrast it with."""
    fused: Tensor


class Attended(NamedTuple):
    """Queries, and whom they may look at."""

    query: Tensor  # [B, T, d]
    weight: Tensor  # [B, T, M], w of Eq. 11
    blocked: Tensor  # [B, T, M] bool: padding, and the target itself
    value: Tensor  # [B, M, d]


class TargetAttention(nn.Module):
    """W_1, W_2 and W_3; with the score feature they see the logit of f beside e."""

    def __init__(self, config: ModelConfig) -> None:
        """Make the three maps."""
        super().__init__()
        d = config.width
        inputs = d + config.score_feature
        self.include_self = config.include_self
        self.query = nn.Linear(inputs, d, bias=False)
        self.key = nn.Linear(inputs, d, bias=False)
        self.value = nn.Linear(inputs, d, bias=False)

    def attend(
        self, e: Tensor, valid: Tensor, targets: Tensor, landmarks: Tensor | None
    ) -> Attended:
        """Let targets [B, T] look at the candidates `landmarks` [B, M], or at all [B, N].

        `e` is [B, N, d], or [B, N, d + 1] with the score feature, and `valid` [B, N].
        """
        rows = torch.arange(e.shape[0], device=e.device)[:, None]
        query = self.query(e[rows, targets])
        if landmarks is None:
            among = torch.arange(e.shape[1], device=e.device).expand_as(valid)
        else:
            among, e, valid = landmarks, e[rows, landmarks], valid.gather(1, landmarks)
        weight = full_logits(query @ self.key(e).transpose(1, 2) / query.shape[-1] ** 0.5)
        blocked = ~valid[:, None, :].expand_as(weight)
        if not self.include_self:
            blocked = blocked | (among[:, None, :] == targets[..., None])
        return Attended(query, weight, blocked, self.value(e))


def fusion(inputs: int, config: ModelConfig) -> nn.Sequential:
    """Return the FFN of Eq. 15: inputs -> 2d -> d."""
    d = config.width
    return nn.Sequential(
        nn.Linear(inputs, 2 * d), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(2 * d, d)
    )
