"""One model trained by several processes: each has a part of every batch, and all step alike.

The mean over the requests of a batch is that of its parts weighed by their requests, for losses
and for gradients alike:  L = sum_r n_r L_r / sum_r n_r.  A process without requests in a step
takes part with weight 0, so none waits for another in vain.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train the model; with more than one, torch's group is up."""

    rank: int = 0
    """Which one this is, from 0; it alone reports and publishes if it is 0."""
    world: int = 1
    """How many there are."""

    def mean(self, losses: Tensor, requests: int) -> tuple[Tensor, int]:
        """Return mean losses [L] over the requests of all processes, and how many those are."""
        if self.world == 1:
            return losses, requests
        weighed = losses * requests if requests else torch.zeros_like(losses)
        sums = torch.cat([weighed.double(), weighed.new_tensor([requests]).double()])
        dist.all_reduce(sums)
        everyone = int(sums[-1].item())
        return (sums[:-1] / max(everyone, 1)).to(losses.dtype), everyone

    def total(self, values: Tensor) -> Tensor:
        """Return the sums of the values [...] of all processes."""
        if self.world > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def average_gradients(
        self, parameters: Iterable[nn.Parameter], requests: int, everyone: int
    ) -> None:
        """Replace each gradient by the mean over the requests of all processes.

        DistributedDataParallel is not used: it wraps one `forward`, and CDM has a click model and
        a student that are called by themselves.
        """
        if self.world == 1:
            return
        pending = []
        for parameter in parameters:
            # A mean over no request may be NaN, and 0 * NaN is NaN.
            if parameter.grad is None or not requests:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.mul_(requests / everyone)
            pending.append(dist.all_reduce(parameter.grad, async_op=True))
        for one in pending:
            one.wait()


ALONE = Processes()
