"""Shared context candidates of a request: M landmarks, so that attention is O(N M) and not O(N^2).

    by f      a b c d e f g h i j       N = 10, M = 4: the first of each of four equal runs,
              a     d   f     i         from the best f to the worst

They hang on f and not on the order in which candidates come, so scores keep following their items.
"""

import torch
from torch import Tensor


def choose_landmarks(logits: Tensor, valid: Tensor, count: int) -> Tensor:
    """Return indices [B, M], rising, of `count` valid candidates at even ranks by f.

    `logits` are those of f [B, N]; equal ones rank as they come. M is min(count, N); a request
    with fewer valid candidates has all of them, then padding.
    """
    padded = valid.shape[1]
    by_f = logits.masked_fill(~valid, float("-inf")).argsort(dim=1, descending=True, stable=True)
    run = torch.arange(min(count, padded), device=logits.device)
    n = valid.sum(1, keepdim=True)
    # Of fewer than `count` each is a run of its own; those behind them are padding, as it comes.
    first = torch.maximum((run * n + count - 1) // count, run)
    chosen = by_f.gather(1, first)
    is_padding = ~valid.gather(1, chosen)
    return (chosen + padded * is_padding).sort(dim=1).values % padded
