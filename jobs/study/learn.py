"""Train one model of the study on an arena."""

import dataclasses
import math

import numpy as np
import torch

from jobs.study.arena import Arena, Requests
from jobs.study.propensity import click_weights
from jobs.study.trainings import Training
from model.cdm import CDM, Shape
from model.training import fit

JUDGED = 4
"""Requests that are judged together: contexts of more, N x N each, leave the processor's caches."""


def new_model(arena: Arena, training: Training | None, win_rate: float = 0.0) -> CDM:
    """Return an untrained model: the base DCN without a training."""
    profile, vocabulary = arena.profile, arena.vocabulary
    changes = {} if training is None else training.model
    fields = profile.fields
    shape = Shape(
        user_sizes=tuple(vocabulary.size(name) for name in fields.user_tokens),
        item_sizes=tuple(vocabulary.size(name) for name in fields.item_tokens),
        dense=len(fields.dense),
        win_rate=win_rate,
    )
    torch.manual_seed(profile.training.seed)
    return CDM(shape, dataclasses.replace(profile.model, **changes))


def learn(
    arena: Arena, training: Training, base: CDM | None, orders: dict[str, np.ndarray] | None
) -> tuple[CDM, int]:
    """Return the model and how many epochs it learned."""
    torch.set_num_threads(1)
    config = dataclasses.replace(arena.profile.training, **training.training)
    given = {split: {"shown_rank": one.shown_rank} for split, one in _learned(arena).items()}
    win_rate = 0.0
    if orders is not None:
        for split in given:
            given[split]["win"] = (orders[split] > 0).astype(np.float32)
        win_rate = float(given["training"]["win"].mean())
        if training.labels == "shuffled":
            for split, requests in _learned(arena).items():
                given[split]["win"] = _shuffled(given[split]["win"], requests, config.seed)
    if training.clicks == "inverse propensity":
        given["training"]["click_weight"] = click_weights(arena.training)
    model = new_model(arena, training, win_rate)
    if training.is_frozen:
        model.load_state_dict(base.state_dict(), strict=False)
        for name, weight in model.named_parameters():
            weight.requires_grad_(name.startswith("student."))
    requests = _learned(arena)
    history = fit(
        model,
        lambda epoch: requests["training"].batches(
            config.batch_size, seed=config.seed * 1000 + epoch, **given["training"]
        ),
        lambda: requests["validation"].batches(JUDGED, **given["validation"]),
        config,
        lambda epoch: None,
        steps=math.ceil(len(arena.training) / config.batch_size),
    )
    if not training.is_frozen:
        batches = requests["validation"].batches(JUDGED)
        model.eval().calibrate_export(batches, arena.profile.model.similarity_scale)
    return model.eval(), len(history)


def _learned(arena: Arena) -> dict[str, Requests]:
    return {"training": arena.training, "validation": arena.validation.requests}


def _shuffled(win: np.ndarray, requests: Requests, seed: int) -> np.ndarray:
    """Return each request's labels in a random order: as many winners, any of the candidates."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(requests)), requests.encoded.lengths)
    return win[np.lexsort((rng.random(len(win)), owner))]
