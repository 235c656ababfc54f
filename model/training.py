"""The optimisation loop: it is given batches and never asks where they come from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from model.annealing import temperature
from model.batch import CandidateBatch
from model.cdm import CDM
from model.learning_config import TrainingConfig
from model.step_losses import batch_losses


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
) -> list[Epoch]:
    """Train until the validation loss stops falling; leave the best epoch's weights in the model.

    `training(epoch)` gives that epoch's batches, `validation()` the held-out users'. Early
    stopping judges the total loss rather than Recall@K, which a few hundred requests leave too
    noisy to choose by. `steps` are the batches of an epoch; the temperature falls over those of
    all epochs. Raises Diverged when a loss is not finite.
    """
    generator = torch.Generator().manual_seed(config.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    best, best_loss, history = {}, float("inf"), []
    for number in range(1, config.epochs + 1):
        model.train()
        trained = _epoch(model, training(number), config, generator, number, optimizer, steps)
        model.eval()
        with torch.no_grad():
            judged = _epoch(model, validation(), config, generator, number, None)
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
    optimizer: torch.optim.Optimizer | None,
    steps: int = 1,
) -> Losses:
    sums, requests = torch.zeros(3), 0
    for step, batch in enumerate(batches, start=1):
        tau = temperature(config, (number - 1) * steps + step - 1, config.epochs * steps)
        click, distillation, contrastive = batch_losses(model, batch, config, generator, tau)
        loss = click + config.beta_kd * distillation + config.beta_nce * contrastive
        if not torch.isfinite(loss):
            raise Diverged(
                f"the loss is {loss.item()} in epoch {number}, step {step}; "
                "lower training.learning_rate or look for extreme dense values"
            )
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        sums += len(batch) * torch.stack([click, distillation, contrastive]).detach()
        requests += len(batch)
    if requests == 0:
        raise ValueError("an epoch had no requests")
    return Losses(*(sums / requests).tolist())
