"""How often a candidate repeats what stands before it, by tokens and by vectors.

    n_i = sum over better-scored j of likeness(i, j)
    likeness(i, j) = sum_F a_F [token_iF = token_jF] + a_0 * max(0, cos(e_i, e_j))

Letters: B requests, T candidates that are judged, M that stand before them, F item fields, d width.
"""

import torch.nn.functional as F
from torch import Tensor

from model.rankers.better import best_first, better, of

UNKNOWN = 1
"""Tokens up to this one are padding and unknown, which are like nothing, not even each other."""


def likeness(
    tokens: Tensor, e: Tensor, tokens_before: Tensor, e_before: Tensor, share: Tensor
) -> Tensor:
    """Return how much each of T candidates is like each of M, [B, T, M].

    `tokens` is [B, T, F] and `e` [B, T, d], those before [B, M, F] and [B, M, d]; `share` is a
    [F + 1], the fields and then a_0.
    """
    alike = F.normalize(e, dim=-1) @ F.normalize(e_before, dim=-1).transpose(1, 2)
    total = share[-1] * alike.clamp_min(0.0)
    for field in range(tokens.shape[-1]):
        mine, theirs = tokens[..., field, None], tokens_before[:, None, :, field]
        total = total + share[field] * ((mine == theirs) & (mine > UNKNOWN))
    return total


def repeats(
    f: Tensor,
    tokens: Tensor,
    e: Tensor,
    valid: Tensor,
    share: Tensor,
    targets: Tensor,
    context: int = 0,
) -> Tensor:
    """Return n [B, T] of the targets over the `context` candidates of highest f, 0 for all.

    `f` [B, N] may be probabilities or logits; equal ones stand as they come. O(T M (d + F)).
    """
    who, before = better(best_first(f, f, valid), context, targets)
    alike = likeness(of(tokens, targets), of(e, targets), of(tokens, who), of(e, who), share)
    return (alike * before).sum(-1)
