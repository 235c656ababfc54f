"""One-pass MMR: each candidate against the best few, without K steps.

    score_i = f_i + lambda * sigmoid(-max s_ij over j in the context that stand before i)

s_ij = (e_i * u)(e_j * u), or with kappa > 0 kappa * cos of the same two. It scores as
`model.teachers.one_pass` does, all N candidates of a batch at once, and can be exported. Letters:
B requests, N candidates, M of them in the context, d width.
"""

from functools import partial

import torch
from torch import Tensor

from model.rankers.better import best_first, better, by_value, of
from model.runs import ALL, AtOnce, in_runs

FAR = 700.0
"""The largest similarity that is told from larger ones."""


def one_pass_mmr(
    f: Tensor,
    e: Tensor,
    u: Tensor,
    valid: Tensor,
    weight: float,
    scale: float = 0.0,
    context: int = 64,
    rounds: int = 1,
    at_once: AtOnce = ALL,
) -> Tensor:
    """Return final scores [B, N] in the type of f, -inf in padding; O(N M d) a round.

    `f` and `valid` are [B, N], `e` [B, N, d] and `u` [B, d]; `weight` is lambda, `scale` kappa,
    `context` M. The first round orders by f, each further one by the scores of the one before;
    equal scores go to the higher f, then to who comes first.
    """
    seen = e.to(f.dtype) * u.to(f.dtype)[:, None]
    if scale:
        # A zero vector stays zero, and so has the cosine 0 with all.
        length = seen.norm(dim=-1, keepdim=True)
        seen = scale**0.5 * seen / torch.where(length > 0, length, 1.0)
    score, width = f, at_once.of_pairs(f.shape[0], context or f.shape[1])
    for _ in range(rounds):
        order = best_first(score, f, valid)
        nearest = in_runs(partial(_nearest, seen, order, context), f, width)
        # As in the teacher: beyond FAR float64 has no room, and all are equally alike.
        score = f + weight * by_value(torch.sigmoid, -nearest.clamp_max(FAR))
    return score.masked_fill(~valid, -torch.inf)


def _nearest(seen: Tensor, order: Tensor, context: int, targets: Tensor) -> Tensor:
    """Return the largest similarity to who stands before [B, T] of targets [B, T], -inf to nobody.

    `seen` is [B, N, d], `order` [B, N] best first.
    """
    who, before = better(order, context, targets)
    s = of(seen, targets) @ of(seen, who).transpose(1, 2)  # [B, T, M]
    return s.masked_fill(~before, -torch.inf).amax(-1)
