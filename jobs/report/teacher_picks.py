"""What the teacher did on a day: how far its picks are from the K items of highest f."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from jobs.features import flat, lengths
from jobs.lake import Lake
from jobs.registry import Registry
from jobs.teacher import teacher_id
from model.config import PolicyConfig, TeacherConfig
from model.ordering import top_k


@dataclass(frozen=True, slots=True)
class TeacherPicks:
    """The labels of one day under the profile's teacher."""

    day: date
    teacher_id: str
    model_version: str
    requests: int
    candidates: int
    winners: int
    overlap: float
    """Mean of |R and topK(f)| / K over requests."""
    unchanged: int
    """Requests in which the teacher picked the K items of highest f."""


def teacher_picks(
    lake: Lake, day: date, config: TeacherConfig, policy: PolicyConfig
) -> TeacherPicks | None:
    """Read a day's labels; None where the profile's teacher has not labelled it."""
    version = Registry(lake).promoted(day)
    if version is None:
        return None
    name = teacher_id(config, policy, version)
    partition = lake.partition("teacher_labels", day, teacher_id=name)
    if partition.manifest() is None:
        return None
    shares: list[float] = []
    candidates = winners = 0
    for batch in partition.batches(["item_id", "win", "f", "k"]):
        ids = flat(batch["item_id"]).to_numpy(zero_copy_only=False)
        win = flat(batch["win"]).to_numpy(zero_copy_only=False)
        f = flat(batch["f"]).to_numpy(zero_copy_only=False)
        counts = lengths(batch["item_id"])
        ends = np.cumsum(counts)
        for start, end, k in zip(ends - counts, ends, batch["k"].to_pylist(), strict=True):
            best = top_k(f[start:end], ids[start:end], k)
            shares.append(float(win[start:end][best].sum()) / k)
        candidates, winners = candidates + len(win), winners + int(win.sum())
    return TeacherPicks(
        day=day,
        teacher_id=name,
        model_version=version,
        requests=len(shares),
        candidates=candidates,
        winners=winners,
        overlap=float(np.mean(shares)),
        unchanged=sum(share == 1.0 for share in shares),
    )
