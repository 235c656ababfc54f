"""The losses of CDM (Eq. 14, 18-20), each a mean over what it may be judged on."""

import torch
import torch.nn.functional as F
from torch import Tensor

from model.attention import Contexts
from model.precision import full, full_logits
from model.runs import everyone


def click_loss(logits: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return BCE of f over exposed candidates (Eq. 19); all [M]. Without any it is 0.

    `weight` is that of each in the sum; the mean divides by M all the same.
    """
    if not len(logits):
        return full(logits).sum()
    return F.binary_cross_entropy_with_logits(full_logits(logits), label, weight)


def distillation_loss(logits: Tensor, win: Tensor, weight: Tensor) -> Tensor:
    """Return BCE of y_stu against the teacher's picks (Eq. 18); all [B, T].

    `weight` is the inverse sampling rate of each target and 0 for padding, so that the mean is
    that over all valid candidates and y_stu stays calibrated.
    """
    each = F.binary_cross_entropy_with_logits(full_logits(logits), win, reduction="none")
    return (each * weight).sum() / weight.sum().clamp_min(1.0)


def contrastive_loss(contexts: Contexts, weight: Tensor, temperature: float) -> Tensor:
    """Return InfoNCE of positive against negative context (Eq. 14), mean over targets.

    With one negative it is softplus((q.C- - q.C+) / t); without any it is 0.
    """
    if contexts.negative is None:
        return weight.new_zeros(())
    query, positive, negative = map(full, (contexts.query, contexts.positive, contexts.negative))
    apart = (query * (negative - positive)).sum(-1)
    present = (weight > 0).float()
    return (F.softplus(apart / temperature) * present).sum() / present.sum().clamp_min(1.0)


def sample_targets(
    win: Tensor, valid: Tensor, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Choose `count` targets a request: all winners, then losers at random; 0 chooses all.

    Returns candidate indices [B, T] and weights [B, T], the inverse sampling rates; weight 0 marks
    padding. `win` and `valid` are [B, N].
    """
    if count == 0 or count >= valid.shape[1]:
        return everyone(valid), valid.float()
    draw = torch.rand(valid.shape, generator=generator, device=generator.device)
    winners = (win > 0) & valid
    priority = torch.where(valid, draw, -1.0) + 2.0 * winners
    targets = priority.topk(count, dim=1).indices
    is_winner, is_valid = winners.gather(1, targets), valid.gather(1, targets)
    losers = (valid & ~winners).sum(1, keepdim=True)
    kept_losers = (is_valid & ~is_winner).sum(1, keepdim=True)
    loser_weight = losers / kept_losers.clamp_min(1)
    return targets, torch.where(is_winner, 1.0, loser_weight) * is_valid
