"""Scoring in runs of candidates: a long request takes time, and no more memory than a run does.

Where each candidate is compared with each, a request of 20,000 has 400,000,000 pairs. A run is some
candidates as targets, compared with all that they are to be compared with. Letters: B requests, N
candidates, T of them in a run.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class AtOnce:
    """What is held at once; 0 is everything, which an exported program holds."""

    candidates: int = 0
    """Candidates of all requests that the click model takes."""
    pairs: int = 0
    """Pairs of a target and one that it is compared with."""

    def of_candidates(self, requests: int) -> int:
        """Return T for the click model."""
        return self.candidates and max(1, self.candidates // requests)

    def of_pairs(self, requests: int, compared: int) -> int:
        """Return T where each target is compared with so many."""
        return self.pairs and max(1, self.pairs // (requests * compared))


ALL = AtOnce()


def everyone(valid: Tensor) -> Tensor:
    """Return every candidate as a target: indices [B, N], for `valid` [B, N]."""
    return torch.arange(valid.shape[1], device=valid.device).expand_as(valid)


def runs(values: Tensor, width: int) -> tuple[Tensor, ...]:
    """Return values [B, N, ...] as runs [B, T, ...] of T = `width`; 0 is one run of all."""
    return values.split(width, dim=1) if width else (values,)


def in_runs(score: Callable[[Tensor], Tensor], like: Tensor, width: int) -> Tensor:
    """Return the scores [B, N] of every candidate, where `score` gives those of targets [B, T].

    They are of the type of `like` [B, N].
    """
    # Made before the first run and not after the last: small results of each run, kept apart, would
    # lie between what the runs give back, and the next would find no room as large as it needs.
    found = torch.empty_like(like)
    for targets in runs(everyone(like), width):
        found.scatter_(1, targets, score(targets))
    return found
