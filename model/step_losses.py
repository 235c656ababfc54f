"""The losses of one batch: what a step of training minimises, and what early stopping judges."""

import torch

from model.batch import CandidateBatch
from model.cdm import CDM
from model.learning_config import TrainingConfig
from model.losses import click_loss


def batch_losses(
    model: CDM,
    batch: CandidateBatch,
    config: TrainingConfig,
    generator: torch.Generator,
    tau: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return click loss and the student's two, which are 0 for a DCN.

    `tau` is the temperature of the step; a model that is judged selects as it serves.
    """
    shown = batch.exposed
    weight = None if batch.click_weight is None else batch.click_weight[shown]
    click = click_loss(model.click_logits(batch, shown), batch.label[shown], weight)
    if not model.has_student:
        return click, click.new_zeros(()), click.new_zeros(())
    view = model.view(batch, stop_gradient=config.stop_gradient)
    return click, *model.student.losses(view, batch, config, generator, tau)


@torch.no_grad()
def judged_losses(
    model: CDM, batch: CandidateBatch, config: TrainingConfig, generator: torch.Generator
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, torch.Tensor | None]]:
    """Return the three losses of a model as it serves, and its f and y [B, N] as `score` does."""
    model.eval()
    shown = batch.exposed
    weight = None if batch.click_weight is None else batch.click_weight[shown]
    logits = model.click_logits(batch)
    click = click_loss(logits[shown], batch.label[shown], weight)
    f = torch.sigmoid(logits) * batch.valid
    if not model.has_student:
        return (click, click.new_zeros(()), click.new_zeros(())), (f, None)
    view = model.view(batch, logits=logits)
    *losses, y = model.student.judged(view, batch, config, generator)
    return (click, *losses), (f, y * batch.valid)
