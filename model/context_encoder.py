"""The contrastive context encoder (section 3.2, Eq. 5-15), on hard Gumbel-top-k selection.

Letters: B requests, N candidates, T targets, k context items, d width.

Training selects the k largest perturbed log-probabilities and lets the gradient flow through the
softmax weights of what was selected: the limit of the relaxation of Eq. 7-10 at temperature 0,
without its memory of k times N numbers a target. Serving selects without noise, so scores repeat
bit by bit.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from model.learning_config import ModelConfig

MASKED = -1e9
"""Stands for minus infinity: 0 * inf would be NaN."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """What the encoder found for each target: all [B, T, d]."""

    query: Tensor
    positive: Tensor
    negative: Tensor
    fused: Tensor


class ContextEncoder(nn.Module):
    """Two sampled contexts of each target, similar and dissimilar, fused with user interest."""

    def __init__(self, config: ModelConfig) -> None:
        """Make W_1, W_2, W_3 and the fusion network."""
        super().__init__()
        d = config.width
        self.context_size, self.include_self = config.context_size, config.include_self
        self.query = nn.Linear(d, d, bias=False)
        self.key = nn.Linear(d, d, bias=False)
        self.value = nn.Linear(d, d, bias=False)
        self.fusion = nn.Sequential(
            nn.Linear(2 * d, 2 * d), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(2 * d, d)
        )

    def forward(
        self,
        e: Tensor,
        u: Tensor,
        valid: Tensor,
        targets: Tensor,
        noise: torch.Generator | None = None,
    ) -> Contexts:
        """Encode the targets in the context of their request.

        `e` is [B, N, d], `u` [B, d], `valid` [B, N], `targets` [B, T] candidate indices; with
        `noise` the selection is perturbed by it, without it is the plain top k.
        """
        rows = torch.arange(len(e))[:, None]
        query = self.query(e[rows, targets])  # [B, T, d]
        attention = query @ self.key(e).transpose(1, 2) / e.shape[-1] ** 0.5  # [B, T, N], Eq. 11
        blocked = ~valid[:, None, :].expand_as(attention)
        if not self.include_self:
            own = torch.zeros_like(blocked).scatter_(2, targets[..., None], value=True)
            blocked = blocked | own
        value = self.value(e)
        positive = self._context(attention, blocked, value, noise)
        negative = self._context(-attention, blocked, value, noise)
        interest = u[:, None, :]
        fused = self.fusion(torch.cat([interest * positive, interest * negative], dim=-1))
        return Contexts(query, positive, negative, fused)  # Eq. 15

    def _context(
        self, attention: Tensor, blocked: Tensor, value: Tensor, noise: torch.Generator | None
    ) -> Tensor:
        """Return the context [B, T, d] of one direction (Eq. 5-6, 12-13).

        The negative direction comes in with its attention negated: its samples follow
        softmax(-w) and so do its weights. A target without any other candidate gets zeros.
        """
        # Log-probabilities up to a constant a target, which changes neither choice nor weights.
        score = attention.masked_fill(blocked, MASKED)
        if noise is not None:
            score = score + gumbel(score.shape, noise)
        weight, chosen = score.topk(min(self.context_size, score.shape[-1]), dim=-1)  # [B, T, k]
        share = torch.softmax(weight, dim=-1) * (weight > MASKED / 2)
        spread = torch.zeros_like(score).scatter(2, chosen, share)  # [B, T, N], k of them not 0
        return spread @ value


def gumbel(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return Gumbel(0, 1) variates: -log(-log(u)) of uniform u, kept off 0."""
    uniform = torch.rand(shape, generator=generator).clamp_min_(1e-30)
    return uniform.log_().neg_().log_().neg_()
