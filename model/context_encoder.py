"""The contrastive context encoder (section 3.2, Eq. 5-15): two sampled contexts of each target.

Training perturbs the attention with Gumbel noise and selects as `model.selection` says. Serving
selects the plain top k without noise, so scores repeat bit by bit. Letters: B requests, N
candidates, T targets, M candidates that may stand in a context, d width.
"""

import torch
from torch import Tensor

from model.attention import Contexts, TargetAttention, fusion
from model.learning_config import ModelConfig
from model.relaxed_top_k import MASKED
from model.selection import context_shares


class ContextEncoder(TargetAttention):
    """Two sampled contexts of each target, similar and dissimilar, fused with user interest."""

    def __init__(self, config: ModelConfig) -> None:
        """Make W_1, W_2, W_3 and the fusion network."""
        super().__init__(config)
        self.context_size, self.selection = config.context_size, config.selection
        self.fusion = fusion(2 * config.width, config)

    def forward(
        self,
        e: Tensor,
        u: Tensor,
        valid: Tensor,
        targets: Tensor,
        noise: torch.Generator | None = None,
        temperature: float = 0.0,
        landmarks: Tensor | None = None,
    ) -> Contexts:
        """Encode the targets in the context of their request.

        `e` is [B, N, d], `u` [B, d], `valid` [B, N], `targets` [B, T] candidate indices; with
        `noise` the selection is perturbed by it, without it is the plain top k. `temperature` is
        tau of the relaxed selections, 0 their hard limit. `landmarks` [B, M] are the candidates
        that may stand in a context, all N without it.
        """
        query, weight, blocked, value = self.attend(e, valid, targets, landmarks)
        positive = self._shares(weight, blocked, noise, temperature) @ value
        negative = self._shares(-weight, blocked, noise, temperature) @ value
        interest = u[:, None, :]
        fused = self.fusion(torch.cat([interest * positive, interest * negative], dim=-1))
        return Contexts(query, positive, negative, fused)  # Eq. 15

    def _shares(
        self, weight: Tensor, blocked: Tensor, noise: torch.Generator | None, temperature: float
    ) -> Tensor:
        """Return who stands in the context of one direction [B, T, M] (Eq. 5-6, 12-13).

        The negative direction comes in with its attention negated: its samples follow
        softmax(-w) and so do its weights. A target without any other candidate gets zeros.
        """
        # Log-probabilities up to a constant a target, which changes neither choice nor weights.
        score = weight.masked_fill(blocked, MASKED)
        if noise is not None:
            score = score + gumbel(score.shape, noise)
        return context_shares(score, self.context_size, self.selection, temperature)


def gumbel(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return Gumbel(0, 1) variates, -log(-log(u)) of uniform u kept off 0, where they are drawn."""
    uniform = torch.rand(shape, generator=generator, device=generator.device).clamp_min_(1e-30)
    return uniform.log_().neg_().log_().neg_()
