"""How well a student knows its teacher: AUC, and AUC among what the teacher changed (swap-AUC)."""

import numpy as np
import torch

from jobs.study.arena import Requests
from jobs.study.outputs import Outputs
from model.held_out import request_auc


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    """Return the chance that a positive [n] scores above a negative, ties counted half.

    NaN where there are none of either.
    """
    rows = (torch.from_numpy(values)[None] for values in (score, positive))
    return request_auc(*rows, torch.ones(1, len(score), dtype=torch.bool)).item()


def fidelity(requests: Requests, said: Outputs, order: np.ndarray) -> dict[str, float]:
    """Return the means over requests of the student's figures, with those of f beside.

    Swapped are the teacher's picks outside the top K by f, against the top K by f that it left out.
    calibration is the sum of y_stu over the number of picks.
    """
    found: dict[str, list[float]] = {
        name: [] for name in ("auc", "auc_of_f", "swap_auc", "swap_auc_of_f")
    }
    start = 0
    for end in requests.ends:
        picked, f, win = order[start:end] > 0, said.f[start:end], said.win[start:end]
        top = np.zeros(len(f), bool)
        top[np.argsort(-f, kind="stable")[: picked.sum()]] = True
        found["auc"].append(auc(win, picked))
        found["auc_of_f"].append(auc(f, picked))
        swapped = picked ^ top
        if swapped.any():
            found["swap_auc"].append(auc(win[swapped], picked[swapped]))
            found["swap_auc_of_f"].append(auc(f[swapped], picked[swapped]))
        start = end
    told = {name: float(f"{np.nanmean(each):.4g}") for name, each in found.items() if each}
    told["calibration"] = float(f"{said.win.sum() / (order > 0).sum():.4g}")
    return told
