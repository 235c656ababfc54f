"""Top-k as a smooth function: the successive softmaxes of Eq. 7-10, and a threshold (LapSum-like).

Both give every entry of a row its mass a in the selection, and a row sums to k' = min(k, m) for m
entries that are not masked. As the temperature tau falls, both tend to the hard top k. Letters:
`score` alpha [..., N], whose masked entries hold MASKED and get no mass and no gradient. Compute
in float32 or wider.
"""

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


def _step(alpha: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return P, log P, log(1 - P) and the place of the largest P, [..., 1].

    The largest P rounds to 1 where 1 - P is far from 0 in logarithms, so its 1 - P is the sum of
    the others'. These are at most 1/2.
    """
    log_p = torch.log_softmax(alpha / temperature, dim=-1)
    peak = log_p.argmax(dim=-1, keepdim=True)
    others = log_p.scatter(-1, peak, float("-inf")).logsumexp(-1, keepdim=True)
    p = log_p.exp()
    # The clamp to 1/2 keeps the peak, which is overwritten, out of log(0).
    log_rest = torch.log1p(-p.clamp_max(0.5)).scatter(-1, peak, others.clamp_min(MASKED))
    return p, log_p, log_rest, peak


class _Successive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, score: Tensor, k: int, temperature: float) -> Tensor:
        ctx.save_for_backward(score)
        ctx.k, ctx.temperature = k, temperature
        picks = is_open(score).sum(-1, keepdim=True).clamp_max(k)
        mass, alpha = torch.zeros_like(score), score
        for j in range(_most(picks)):
            p, _, log_rest, _ = _step(alpha, temperature)
            mass += p * (j < picks)
            alpha = alpha + log_rest
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
    picks = is_open(score).sum(-1, keepdim=True).clamp_max(k)
    steps, alpha = [], score
    for j in range(_most(picks)):
        p, log_p, log_rest, peak = _step(alpha, temperature)
        steps.append((p, log_p, peak, log_rest.gather(-1, peak), j < picks))
        alpha = alpha + log_rest
    ahead = torch.zeros_like(score)
    for p, log_p, peak, log_others, is_taken in reversed(steps):
        # P (h - <P, h>) with its 1 / (1 - P) cancelled by hand: at the peak it has no bound. Let
        # odds = P / (1 - P) off the peak and pull = sum of odds * lambda there; what the peak
        # takes from the others goes by their shares among themselves, P / (1 - P_peak) <= 1.
        at_peak = (p * ahead).gather(-1, peak)
        odds = (p / (1 - p.clamp_max(0.5))).scatter(-1, peak, 0.0)
        pull = (odds * ahead).sum(-1, keepdim=True)
        shares = (log_p - log_others).clamp_max(0.0).exp().scatter(-1, peak, 0.0)
        through_log = p * (pull - odds * ahead - ahead) + at_peak * shares
        through_mass = p * (upstream - (p * upstream).sum(-1, keepdim=True))
        ahead = ahead + is_taken * (through_mass + through_log) / temperature
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


def _most(picks: Tensor) -> int:
    """Return the largest of some counts, 0 of none."""
    return int(picks.max()) if picks.numel() else 0
