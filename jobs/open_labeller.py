"""The labeller of a label task: what only a worker loads."""

import torch

from jobs.item_vectors import ItemVectors
from jobs.label_task import LabelTask
from jobs.labeller import Labeller
from jobs.load_model import open_model
from jobs.scorer import ModelScorer


def open_labeller(task: LabelTask) -> Labeller:
    """Load the model of a task and map its item vectors."""
    # As many workers run side by side as there are cores.
    torch.set_num_threads(1)
    return Labeller(
        task.fields,
        task.teachers,
        task.policy,
        task.model.name,
        ModelScorer(task.fields, *open_model(task.model, task.fields)),
        ItemVectors.read(task.vectors),
    )
