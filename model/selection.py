"""How a target's context items are selected and weighed: hard or relaxed (Eq. 7-13).

Letters: B requests, T targets, M candidates that may stand in a context, k of them selected.
"""

import torch
from torch import Tensor

from model.relaxed_top_k import is_open, successive_top_k, threshold_top_k
from model.students.largest import largest


def context_shares(score: Tensor, k: int, selection: str, temperature: float) -> Tensor:
    """Return omega [B, T, M], the share of each candidate in a context; 0 in rows without any.

    `score` [B, T, M] is alpha up to a constant a row, MASKED where no candidate may stand. At a
    `temperature` of 0, the limit of all selections, they are hard, which is what serves:

    hard: softmax of alpha over the k largest; the gradient flows through these weights alone.
    relaxed: a of Eq. 7-10 (the paper), and omega = a e^alpha / sum a e^alpha.
    threshold: the same with a of the threshold relaxation.
    straight_through: the forward pass of hard, the gradient of threshold.
    """
    if selection == "hard" or temperature == 0:
        return _hard_shares(score, k)
    if selection == "relaxed":
        mass = successive_top_k(score, k, temperature)
    else:
        mass = threshold_top_k(score, k, temperature)
    if selection == "straight_through":
        chosen = _largest(score, k)
        hard = torch.zeros_like(score).scatter(-1, chosen, 1.0) * is_open(score)
        mass = hard + (mass - mass.detach())
    part = mass * (score - score.amax(-1, keepdim=True).detach()).exp()
    total = part.sum(-1, keepdim=True)
    return part / torch.where(total > 0, total, 1.0)


def _hard_shares(score: Tensor, k: int) -> Tensor:
    chosen = _largest(score, k)  # [B, T, k]
    weight = score.gather(-1, chosen)
    share = torch.softmax(weight, dim=-1) * is_open(weight)
    return torch.zeros_like(score).scatter(-1, chosen, share)


def _largest(score: Tensor, k: int) -> Tensor:
    """Return the places of the k largest scores, falling: in a tenth of torch's time on a CPU."""
    k = min(k, score.shape[-1])
    is_written = score.device.type == "cpu" and score.dtype == torch.float32
    if not is_written or torch.compiler.is_exporting():
        return score.topk(k, dim=-1).indices
    rows = score.detach().reshape(-1, score.shape[-1])
    return torch.from_numpy(largest(rows.numpy(), k)).view(*score.shape[:-1], k)
