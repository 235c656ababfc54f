"""Tokens made unknown in training, so that the row of the unknown learns to stand for a token.

A token that is new tomorrow stands on that row, beside known ones of its other fields.
"""

from dataclasses import replace

import torch
from torch import Tensor

from model.batch import CandidateBatch
from model.vocabulary import PADDING, UNKNOWN


def hide_tokens(batch: CandidateBatch, share: float, generator: torch.Generator) -> CandidateBatch:
    """Return the batch with this share of all tokens unknown, each drawn by itself.

    Padding stays padding.
    """

    def hidden(tokens: Tensor) -> Tensor:
        drawn = torch.rand(tokens.shape, generator=generator) < share
        return torch.where(drawn & (tokens != PADDING), UNKNOWN, tokens)

    return replace(
        batch, user_tokens=hidden(batch.user_tokens), item_tokens=hidden(batch.item_tokens)
    )
