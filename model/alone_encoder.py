"""The control without context: what a target says of itself stands where its context would."""

import torch
from torch import Tensor, nn

from model.attention import Contexts, fusion
from model.learning_config import ModelConfig


class AloneEncoder(nn.Module):
    """q and v of the target alone: a student that learns which items a teacher picks anywhere."""

    def __init__(self, config: ModelConfig) -> None:
        """Make W_1, W_3 and the fusion network."""
        super().__init__()
        inputs = config.width + config.score_feature
        self.query = nn.Linear(inputs, config.width, bias=False)
        self.value = nn.Linear(inputs, config.width, bias=False)
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
        """Encode the targets, as ContextEncoder does; who else is a candidate changes nothing."""
        mine = e[torch.arange(len(e), device=e.device)[:, None], targets]
        value = self.value(mine)
        return Contexts(self.query(mine), value, None, self.fusion(u[:, None, :] * value))
