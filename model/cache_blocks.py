"""Scoring some candidates at a time, so that what one layer writes is in cache for the next.

A layer of 256 numbers for 32,000 candidates is 32 MB, which the allocator asks of the system anew
each time, page by page; for 1,000 it is 1 MB that was used before. The same numbers come out, for a
row of a matrix product knows nothing of the others; at most its last bit hangs on how many there
are. (Runs, in `model.runs`, bound memory instead.)
"""

import torch
from torch import Tensor

CANDIDATES = 1024


def serves_on_cpu(values: Tensor) -> bool:
    """Whether nothing is learned or exported from `values`, and on a CPU.

    A GPU wants all at once, and an exported program knows no loop of unknown length.
    """
    is_serving = not (torch.is_grad_enabled() or torch.compiler.is_exporting())
    return is_serving and values.device.type == "cpu"
