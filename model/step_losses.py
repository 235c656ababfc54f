"""The losses of one batch: what a step of training minimises, and what early stopping judges."""

import torch

from model.batch import CandidateBatch
from model.cdm import CDM
from model.learning_config import TrainingConfig
from model.losses import click_loss, contrastive_loss, distillation_loss, sample_targets


def batch_losses(
    model: CDM,
    batch: CandidateBatch,
    config: TrainingConfig,
    generator: torch.Generator,
    tau: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return click, distillation and contrastive loss of a batch; the last two are 0 for a DCN.

    `tau` is the temperature of the step; a model that is judged selects as it serves.
    """
    click = click_loss(model.click_logits(batch, batch.exposed), batch.label[batch.exposed])
    if not model.has_student:
        return click, torch.zeros(()), torch.zeros(())
    count = config.targets if model.training else 0
    targets, weight = sample_targets(batch.win, batch.valid, count, generator)
    contexts = model.contexts(
        batch,
        targets,
        generator if model.training else None,
        temperature=tau if model.training else 0.0,
        stop_gradient=config.stop_gradient,
    )
    win = batch.win.gather(1, targets)
    return (
        click,
        distillation_loss(model.win_logits(contexts), win, weight),
        contrastive_loss(contexts, weight, config.nce_temperature),
    )
