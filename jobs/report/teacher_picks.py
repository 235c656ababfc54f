"""What the teacher did on a day: how far its picks are from the K items of highest f."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from jobs.features import flat, lengths
from jobs.lake import Lake, Partition
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
    requests = list(picks_by_request(partition))
    shares = [one.kept / one.k for one in requests]
    return TeacherPicks(
        day=day,
        teacher_id=name,
        model_version=version,
        requests=len(requests),
        candidates=sum(one.candidates for one in requests),
        winners=sum(one.winners for one in requests),
        overlap=float(np.mean(shares)),
        unchanged=sum(share == 1.0 for share in shares),
    )


class RequestPicks(NamedTuple):
    """How far one request's picks are from its K items of highest f."""

    request_id: Any
    candidates: int
    k: int
    winners: int
    kept: int
    """|R and topK(f)|."""


def picks_by_request(partition: Partition) -> Iterator[RequestPicks]:
    """Read the picks of a partition of teacher_labels, a request at a time."""
    for batch in partition.batches(["request_id", "item_id", "win", "f", "k"]):
        ids = flat(batch["item_id"]).to_numpy(zero_copy_only=False)
        win = flat(batch["win"]).to_numpy(zero_copy_only=False)
        f = flat(batch["f"]).to_numpy(zero_copy_only=False)
        counts = lengths(batch["item_id"])
        ends = np.cumsum(counts)
        requests, ks = batch["request_id"].to_pylist(), batch["k"].to_pylist()
        for request, k, n, end in zip(requests, ks, counts, ends, strict=True):
            of = slice(end - n, end)
            best = top_k(f[of], ids[of], k)
            yield RequestPicks(request, int(n), k, int(win[of].sum()), int(win[of][best].sum()))
