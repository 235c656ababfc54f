"""Device and number format of a training step: half precision for the products, never the losses.

Sums of exponentials (softmax, relaxed top-k, BCE) stay in float32, for in half precision 1 - P is
0 where P is not yet 1.
"""

import torch
from torch import Tensor

HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}
LOGIT_BOUND = 40.0
"""A product that overflowed half precision comes out as an infinite logit; this one is finite, and
as sure: sigmoid(40) is 1 in float32."""


class NoDevice(ValueError):
    """The device that is asked for is not there; the message says what is."""


def device_of(name: str) -> torch.device:
    """Return the device that `training.device` means here; raises NoDevice."""
    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        raise NoDevice(
            "training.device = 'cuda' is not available here: torch finds no GPU; "
            "use 'auto' or 'cpu', or install a CUDA build of torch"
        )
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a step's matrix products are in `training.precision`."""
    return torch.autocast(device.type, HALF.get(precision), enabled=precision in HALF)


def full(values: Tensor) -> Tensor:
    """Return values in float32 where they are in half precision, else as they are."""
    return values.float() if values.dtype in HALF.values() else values


def full_logits(logits: Tensor) -> Tensor:
    """Return logits in float32 where they are in half precision, within +-40; else as they are."""
    if logits.dtype not in HALF.values():
        return logits
    return logits.float().clamp(-LOGIT_BOUND, LOGIT_BOUND)
