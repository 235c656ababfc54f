"""Who stands before whom in a request: the one order that closed forms and students count by.

    score     .9  .2  .9  .5        order  0 2 3 1      best first; equal scores as they come
    M = 2                           who    0 2          the context: the M best
                                    candidate 3 comes after both, 2 after 0, 0 after nobody

Letters: B requests, N candidates, M of them in the context.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Better(NamedTuple):
    """The context of a request, and which of it stand before each candidate."""

    who: Tensor  # [B, M] int64, candidates, best first
    before: Tensor  # [B, N, M] bool; padding stands before nobody


def best_first(score: Tensor, f: Tensor, valid: Tensor) -> Tensor:
    """Return candidates [B, N] int64 by `score` down, then by `f` down, then as they come.

    All are [B, N]. Padding comes last. Where item ids shall decide between equals, hand the
    candidates over in the order of their ids.
    """
    by_f = f.masked_fill(~valid, -torch.inf).argsort(dim=1, descending=True, stable=True)
    again = score.masked_fill(~valid, -torch.inf).gather(1, by_f)
    return by_f.gather(1, again.argsort(dim=1, descending=True, stable=True))


def better(order: Tensor, valid: Tensor, count: int) -> Better:
    """Return the context of the `count` best of an `order` [B, N]; 0 is all N."""
    who = order[:, :count] if count else order
    place = order.argsort(dim=1)  # the inverse of a permutation
    slot = torch.arange(who.shape[1], device=who.device)
    is_there = valid.gather(1, who)[:, None]
    return Better(who, (slot < place[..., None]) & is_there)


def of(values: Tensor, who: Tensor) -> Tensor:
    """Return the values [B, M, ...] of some candidates, of those of all [B, N, ...]."""
    return values[torch.arange(values.shape[0], device=values.device)[:, None], who]
