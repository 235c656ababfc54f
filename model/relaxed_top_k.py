"""Top-k as a smooth function: the successive softmaxes of Eq. 7-10, and a threshold (LapSum-like).

Both give every entry of a row its mass a in the selection, and a row sums to k' = min(k, m) for m
entries that are not masked. As the temperature tau falls, both tend to the hard top k. Letters:
`score` alpha [..., N], whose masked entries hold MASKED and get no mass and no gradient. Compute
in float32 or wider.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

MASKED = -1e9
"""Stands for minus infinity: 0 * inf would be NaN."""


def is_open(score: Tensor) -> Tensor:
    """Return which entries [..., N] are not masked."""
    return score > MASKED / 2


def successive_top_k(score: Tensor, k: int, temperature: float) -> Tensor:
    """Return a = sum_j P^j [..., N], P^j = softmax(alpha^j / tau), over j = 1..k' (Eq. 7-10).

    alpha^1 is `score` and alpha^{j+1} = alpha^j + log(1 - P^j): the temperature stands inside the
    softmax only, without which the limit is not top-k. An entry may exceed 1. What backward needs
    is the score alone, whatever k is; it computes the P^j again.
    """
    return _Successive.apply(score, k, temperature)


def threshold_top_k(score: Tensor, k: int, temperature: float) -> Tensor:
    """Return a = sigmoid((alpha - theta) / tau) [..., N] with theta such that a row sums to k'.

    No entry exceeds 1, and time and memory know no k.
    """
    return _Threshold.apply(score, k, temperature)


def _parts(p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return where P > 1/2 (once a row at most), P elsewhere or 0, and the sum of the latter.

    P rounds to 1 where 1 - P is far from 0 in logarithms, but that sum *is* 1 - P of the peak, down
    to the least normal number: e^-87 in float32.
    """
    is_peak = p > 0.5
    small = p * ~is_peak
    return is_peak, small, small.sum(-1, keepdim=True).clamp_min(torch.finfo(p.dtype).tiny)


def _softmaxes(score: Tensor, k: int, temperature: float) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield P^j and which rows [..., 1] pick it, j <= k', for j = 1.. of the longest row."""
    picks, alpha = is_open(score).sum(-1, keepdim=True).clamp_max(k), score
    for j in range(int(picks.max()) if picks.numel() else 0):
        p = torch.softmax(alpha / temperature, dim=-1)
        yield p, j < picks
        is_peak, small, rest = _parts(p)
        alpha = alpha + torch.log1p(-small) + is_peak * rest.log()


class _Successive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, score: Tensor, k: int, temperature: float) -> Tensor:
        ctx.save_for_backward(score)
        ctx.k, ctx.temperature = k, temperature
        mass = torch.zeros_like(score)
        for p, is_picked in _softmaxes(score, k, temperature):
            mass += p * is_picked
        return mass

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, None, None]:
        (score,) = ctx.saved_tensors
        rows = score.reshape(-1, score.shape[-1])
        # Rows know nothing of each other: in k parts, what all P^j take is one copy of the score.
        parts = zip(rows.chunk(ctx.k), upstream.reshape_as(rows).chunk(ctx.k), strict=True)
        gradient = [_successive_gradient(*part, ctx.k, ctx.temperature) for part in parts]
        return torch.cat(gradient).reshape_as(score), None, None


def _successive_gradient(score: Tensor, upstream: Tensor, k: int, temperature: float) -> Tensor:
    """Return dL/dalpha of rows [R, N], given G = dL/da.

    With lambda^{k+1} = 0, backwards over j: h = G - lambda / (1 - P) and
    lambda <- lambda + P * (h - <P, h>) / tau.
    """
    ahead = torch.zeros_like(score)
    for p, is_picked in reversed(list(_softmaxes(score, k, temperature))):
        # P (h - <P, h>) with its 1 / (1 - P) cancelled by hand, for at the peak it has no bound:
        # odds = P / (1 - P) off the peak, pull = sum of odds * lambda, and what the peak passes to
        # the others goes by their shares among themselves.
        is_peak, small, rest = _parts(p)
        odds = small / (1 - small)
        pull = (odds * ahead).sum(-1, keepdim=True)
        at_peak = (p * is_peak * ahead).sum(-1, keepdim=True)
        through_log = p * (pull - odds * ahead - ahead) + at_peak * (small / rest)
        through_mass = p * (upstream - (p * upstream).sum(-1, keepdim=True))
        ahead = ahead + is_picked * (through_mass + through_log) / temperature
    return ahead * is_open(score)


class _Threshold(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, score: Tensor, k: int, temperature: float) -> Tensor:
        are_open = is_open(score)
        count = are_open.sum(-1, keepdim=True)
        share = (k / count.clamp_min(k + 1)).to(score.dtype)
        # At alpha_min - tau logit(k/m) every entry has at least k/m, at alpha_max at most.
        low = score.masked_fill(~are_open, -MASKED).amin(-1, keepdim=True)
        low, high = (end - temperature * share.logit() for end in (low, score.amax(-1, True)))
        for _ in range(torch.finfo(score.dtype).bits):
            # As many halvings as the type has bits: the interval is then as narrow as it can tell.
            middle = (low + high) / 2
            is_low = torch.sigmoid((score - middle) / temperature).sum(-1, keepdim=True) > k
            low, high = torch.where(is_low, middle, low), torch.where(is_low, high, middle)
        mass = torch.sigmoid((score - (low + high) / 2) / temperature)
        mass = torch.where(count > k, mass, 1.0) * are_open
        ctx.save_for_backward(mass)
        ctx.temperature = temperature
        return mass

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, None, None]:
        """da_m / dalpha_n = s_m (delta_mn - s_n / sum s) / tau, where s = a (1 - a)."""
        (mass,) = ctx.saved_tensors
        slope = mass * (1 - mass)
        total = slope.sum(-1, keepdim=True).clamp_min(torch.finfo(mass.dtype).tiny)
        mean = (slope / total * upstream).sum(-1, keepdim=True)
        return slope * (upstream - mean) / ctx.temperature, None, None
