"""Calibration and per-request AUC of f and y_stu on held-out requests.

Letters: B requests, N candidates.
"""

import torch
from torch import Tensor

from model.batch import CandidateBatch
from model.distributed import ALONE, Processes
from model.epochs import Quality


def request_auc(score: Tensor, positive: Tensor, among: Tensor) -> Tensor:
    """Return the AUC [B] of each request: P(a positive scores higher), ties counted half.

    All are [B, N]; only candidates that `among` marks count. NaN where a request lacks positives
    or negatives. By mean ranks r: (sum of r over positives - P (P + 1) / 2) / (P Q).
    """
    positive = positive & among
    ordered = score.masked_fill(~among, float("inf")).sort(dim=1).values
    score = score.contiguous()
    first, last = (torch.searchsorted(ordered, score, right=right) for right in (False, True))
    # Padding ranks behind every score, so no rank that counts knows of it.
    rank = (first + 1 + last).double() / 2
    p, q = positive.sum(1).double(), (among & ~positive).sum(1).double()
    return ((rank * positive).sum(1) - p * (p + 1) / 2) / (p * q)


class HeldOut:
    """Sums over the batches of held-out requests, of which `quality` is a function."""

    def __init__(self) -> None:
        self._click, self._win = _Judged(), _Judged()

    def add(self, batch: CandidateBatch, f: Tensor, win: Tensor | None) -> None:
        """Count the requests of a batch with their f and y_stu [B, N]; a DCN has no y_stu."""
        self._click.add(f, batch.label, batch.exposed)
        if win is not None:
            self._win.add(win, batch.win, batch.valid)

    def quality(self, processes: Processes = ALONE) -> Quality:
        """Return calibration and AUC of all requests so far, those of all processes together."""
        sums = processes.total(torch.stack([self._click.sums, self._win.sums]))
        return Quality(*(ratio for kind in sums.tolist() for ratio in _ratios(*kind)))


class _Judged:
    """One kind of prediction against its outcome."""

    def __init__(self) -> None:
        self.sums = torch.zeros(4, dtype=torch.float64)
        """Of predictions, of outcomes and of AUCs, and how many requests have an AUC."""

    def add(self, score: Tensor, outcome: Tensor, among: Tensor) -> None:
        auc = request_auc(score, outcome > 0, among)
        auc = auc[~auc.isnan()]
        predicted, observed = (x.double()[among].sum().item() for x in (score, outcome))
        self.sums += torch.tensor(
            [predicted, observed, auc.sum().item(), len(auc)], dtype=torch.float64
        )


def _ratios(
    predicted: float, observed: float, auc: float, requests: float
) -> tuple[float | None, float | None]:
    """Return calibration and mean AUC; None where nothing says it."""
    calibration = predicted / observed if observed else None
    return calibration, auc / requests if requests else None
