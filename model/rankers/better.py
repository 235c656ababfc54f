"""Who stands before whom in a request: the one order that closed forms and students count by.

    score     .9  .2  .9  .5        order  0 2 3 1      best first; equal scores as they come
    M = 2                           who    0 2          the context: the M best
                                    candidate 3 comes after both, 2 after 0, 0 after nobody

Letters: B requests, N candidates, T of them that are judged, M in the context.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Better(NamedTuple):
    """The context of a request, and which of it stand before each that is judged."""

    who: Tensor  # [B, M] int64, candidates, best first
    before: Tensor  # [B, T, M] bool; padding stands before padding alone


def best_first(score: Tensor, f: Tensor, valid: Tensor) -> Tensor:
    """Return candidates [B, N] int64 by `score` down, then by `f` down, then as they come.

    All are [B, N]. Padding comes last. Where item ids shall decide between equals, hand the
    candidates over in the order of their ids.
    """
    by_f = f.masked_fill(~valid, -torch.inf).argsort(dim=1, descending=True, stable=True)
    again = score.masked_fill(~valid, -torch.inf).gather(1, by_f)
    return by_f.gather(1, again.argsort(dim=1, descending=True, stable=True))


def better(order: Tensor, count: int, targets: Tensor) -> Better:
    """Return the context of the `count` best of an `order` [B, N] with padding last; 0 is all N.

    Judged are the targets [B, T].
    """
    who = order[:, :count] if count else order
    place = order.argsort(dim=1).gather(1, targets)  # the inverse of a permutation
    slot = torch.arange(who.shape[1], device=who.device)
    return Better(who, slot < place[..., None])


def run_starts(ordered: Tensor) -> Tensor:
    """Return where the run of each value begins [B, N] int64; equal values stand side by side."""
    index = torch.arange(ordered.shape[1], device=ordered.device).expand(ordered.shape)
    begins = ordered != ordered.roll(1, dims=1)  # of index 0 whatever it says
    return (index * begins).cummax(1).values


def by_value(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return a function of each x [B, N] that gives equal values equal bits.

    Torch rounds the last few of a tensor by other code than the rest, so that of two copies one
    would win by its place.
    """
    ordered, order = x.sort(dim=1)
    values = function(ordered).gather(1, run_starts(ordered))
    return torch.zeros_like(values).scatter(1, order, values)


def of(values: Tensor, who: Tensor) -> Tensor:
    """Return the values [B, M, ...] of some candidates, of those of all [B, N, ...]."""
    return values[torch.arange(values.shape[0], device=values.device)[:, None], who]
