"""The optimisation loop: it is given batches and never asks where they come from."""

from collections.abc import Callable, Iterable

import torch

from model.annealing import temperature
from model.batch import CandidateBatch
from model.cdm import CDM
from model.distributed import ALONE, Processes
from model.epochs import Epoch, Losses, Quality
from model.held_out import HeldOut
from model.learning_config import TrainingConfig
from model.precision import autocast
from model.step_losses import batch_losses, judged_losses
from model.training_run import CPU, TrainingRun
from model.unfinished import Unfinished
from model.unknown_tokens import hide_tokens


class Diverged(RuntimeError):
    """A loss became NaN or infinite; the message names batch and epoch."""

    def __init__(self, loss: float, where: str, columns: list[str]) -> None:
        """Say where; `columns` of the batch hold a value that is not finite."""
        super().__init__(f"the loss is {loss} in {where}")
        self.columns = columns


def fit(
    model: CDM,
    training: Callable[[int], Iterable[CandidateBatch]],
    validation: Callable[[], Iterable[CandidateBatch]],
    config: TrainingConfig,
    report: Callable[[Epoch], None],
    steps: int,
    *,
    processes: Processes = ALONE,
    device: torch.device = CPU,
    unfinished: Unfinished | None = None,
) -> list[Epoch]:
    """Train until the validation loss stops falling; leave the best epoch's weights in the model.

    `training(epoch)` gives that epoch's batches, `validation()` the held-out users'. Early
    stopping judges the total loss rather than Recall@K, which a few hundred requests leave too
    noisy to choose by. `steps` are the batches of an epoch; the temperature falls over those of
    all epochs. `processes` train together, each with its part of the batches: all come to the same
    weights and losses. `unfinished` keeps the state of every epoch: where it holds that of a run
    that was cut off, this one goes on from there, to the same weights. Raises Diverged when a loss
    is not finite; what `unfinished` holds then is the epoch before.
    """
    run = TrainingRun(model, config, device, processes)
    if unfinished is not None:
        unfinished.restore(run)
    while not run.is_over:
        number = run.number + 1
        trained = _train(run, training(number), number, steps)
        judged, quality = _judge(run, validation(), number)
        run.add(Epoch(number, trained, judged, quality))
        if unfinished is not None:
            unfinished.keep(run)
        report(run.history[-1])
    model.load_state_dict(run.best)
    return run.history


def _train(run: TrainingRun, batches: Iterable[CandidateBatch], number: int, steps: int) -> Losses:
    config, mean = run.config, _Mean(run)
    run.model.train()
    for at, batch in enumerate((b.to(run.device) for b in batches), start=1):
        tau = temperature(config, (number - 1) * steps + at - 1, config.epochs * steps)
        if config.unknown_share:
            batch = hide_tokens(batch, config.unknown_share, run.generator)
        with autocast(run.device, config.precision):
            losses = batch_losses(run.model, batch, config, run.generator, tau)
        loss, everyone = mean.add(batch, losses, f"batch {at} of epoch {number}")
        run.optimizer.zero_grad()
        run.scaler.scale(loss).backward()
        run.processes.average_gradients(run.model.parameters(), len(batch), everyone)
        run.scaler.step(run.optimizer)
        run.scaler.update()
    return mean.losses()


@torch.no_grad()
def _judge(
    run: TrainingRun, batches: Iterable[CandidateBatch], number: int
) -> tuple[Losses, Quality]:
    """Judge the model in float32 and without noise, as it serves."""
    mean, held_out = _Mean(run), HeldOut()
    run.model.eval()
    for at, batch in enumerate((b.to(run.device) for b in batches), start=1):
        losses, scores = judged_losses(run.model, batch, run.config, run.generator)
        mean.add(batch, losses, f"held-out batch {at} after epoch {number}")
        held_out.add(batch, *scores)
    return mean.losses(), held_out.quality(run.processes)


class _Mean:
    """Mean losses over the requests of all processes."""

    def __init__(self, run: TrainingRun) -> None:
        self._config, self._processes, self._requests = run.config, run.processes, 0
        self._sums = torch.zeros(3, device=run.device)

    def add(
        self, batch: CandidateBatch, losses: tuple[torch.Tensor, ...], where: str
    ) -> tuple[torch.Tensor, int]:
        """Return this process's total (Eq. 20), and over how many requests all processes have it.

        Raises Diverged in each of them where the total of any is not finite.
        """
        total = Losses(*losses).total(self._config)
        parts = torch.stack([*losses, total]).detach()
        means, everyone = self._processes.mean(parts, len(batch))
        if not torch.isfinite(means[-1]):
            raise Diverged(means[-1].item(), where, batch.not_finite())
        self._sums += everyone * means[:-1]
        self._requests += everyone
        return total, everyone

    def losses(self) -> Losses:
        if self._requests == 0:
            raise ValueError("an epoch had no requests")
        return Losses(*(self._sums / self._requests).tolist())
