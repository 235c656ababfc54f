"""The optimisation loop: it is given batches and never asks where they come from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from model.annealing import temperature
from model.batch import CandidateBatch
from model.cdm import CDM
from model.distributed import ALONE, Processes
from model.learning_config import TrainingConfig
from model.step_losses import batch_losses
from model.unknown_tokens import hide_tokens


class Diverged(RuntimeError):
    """A loss became NaN or infinite; the message names epoch and step."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of one epoch."""

    click: float
    distillation: float
    contrastive: float

    def total(self, config: TrainingConfig) -> float:
        """Return the weighted sum (Eq. 20)."""
        return self.click + config.beta_kd * self.distillation + config.beta_nce * self.contrastive


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the learning curve."""

    number: int
    training: Losses
    validation: Losses


def fit(
    model: CDM,
    training: Callable[[int], Iterable[CandidateBatch]],
    validation: Callable[[], Iterable[CandidateBatch]],
    config: TrainingConfig,
    report: Callable[[Epoch], None],
    steps: int,
    processes: Processes = ALONE,
) -> list[Epoch]:
    """Train until the validation loss stops falling; leave the best epoch's weights in the model.

    `training(epoch)` gives that epoch's batches, `validation()` the held-out users'. Early
    stopping judges the total loss rather than Recall@K, which a few hundred requests leave too
    noisy to choose by. `steps` are the batches of an epoch; the temperature falls over those of
    all epochs. `processes` train together, each with its part of the batches: all come to the same
    weights and losses. Raises Diverged when a loss is not finite.
    """
    # Noise that several processes shared would be less noise than one process has.
    generator = torch.Generator().manual_seed(config.seed + processes.rank)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    best, best_loss, history = {}, float("inf"), []
    for number in range(1, config.epochs + 1):
        model.train()
        trained = _epoch(
            model, training(number), config, generator, number, processes, optimizer, steps
        )
        model.eval()
        with torch.no_grad():
            judged = _epoch(model, validation(), config, generator, number, processes)
        history.append(Epoch(number, trained, judged))
        report(history[-1])
        if judged.total(config) < best_loss:
            best_loss = judged.total(config)
            best = {name: value.clone() for name, value in model.state_dict().items()}
            best_epoch = number
        elif number - best_epoch >= config.patience:
            break
    model.load_state_dict(best)
    return history


def _epoch(
    model: CDM,
    batches: Iterable[CandidateBatch],
    config: TrainingConfig,
    generator: torch.Generator,
    number: int,
    processes: Processes,
    optimizer: torch.optim.Optimizer | None = None,
    steps: int = 1,
) -> Losses:
    sums, requests = torch.zeros(3), 0
    for step, batch in enumerate(batches, start=1):
        tau = temperature(config, (number - 1) * steps + step - 1, config.epochs * steps)
        if optimizer is not None and config.unknown_share:
            batch = hide_tokens(batch, config.unknown_share, generator)
        click, distillation, contrastive = batch_losses(model, batch, config, generator, tau)
        loss = click + config.beta_kd * distillation + config.beta_nce * contrastive
        parts = torch.stack([click, distillation, contrastive, loss]).detach()
        means, everyone = processes.mean(parts, len(batch))
        if not torch.isfinite(means[-1]):
            raise Diverged(
                f"the loss is {means[-1].item()} in epoch {number}, step {step}; "
                "lower training.learning_rate or look for extreme dense values"
            )
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            processes.average_gradients(model.parameters(), len(batch), everyone)
            optimizer.step()
        sums += everyone * means[:-1]
        requests += everyone
    if requests == 0:
        raise ValueError("an epoch had no requests")
    return Losses(*(sums / requests).tolist())
