"""The ablation without contrast ("-CCE", Table 3): one attention over all other candidates."""

import torch
from torch import Tensor

from model.attention import Contexts, TargetAttention, fusion
from model.learning_config import ModelConfig
from model.relaxed_top_k import MASKED


class PlainEncoder(TargetAttention):
    """One context of each target, the softmax of w over everyone else, fused with user interest."""

    def __init__(self, config: ModelConfig) -> None:
        """Make W_1, W_2, W_3 and the fusion network."""
        super().__init__(config)
        self.fusion = fusion(config.width, config)

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
        """Encode the targets, as ContextEncoder does; nothing is selected, so nothing is drawn.

        A target without any other candidate gets zeros.
        """
        query, weight, blocked, value = self.attend(e, valid, targets, landmarks)
        share = torch.softmax(weight.masked_fill(blocked, MASKED), dim=-1).masked_fill(blocked, 0.0)
        context = share @ value
        return Contexts(query, context, None, self.fusion(u[:, None, :] * context))
