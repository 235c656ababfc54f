"""The learning curve for TensorBoard, which is looked for only where it is asked for."""

import dataclasses
from pathlib import Path

from jobs.errors import Refused
from model.epochs import Epoch
from model.learning_config import TrainingConfig


class Scalars:
    """One run of TensorBoard: a value an epoch of every loss, AUC and calibration."""

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        """Open the run's folder; refuse where tensorboard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise Refused(
                f"--tensorboard {folder}: tensorboard is not installed ({error}); "
                "pip install tensorboard, or leave the flag out"
            ) from error
        self._config, self._writer = config, SummaryWriter(folder)

    def add(self, epoch: Epoch) -> None:
        """Write one epoch; whoever watches sees it at once."""
        for name, value in values_of(epoch, self._config).items():
            self._writer.add_scalar(name, value, epoch.number)
        self._writer.flush()

    def close(self) -> None:
        """End the run."""
        self._writer.close()


def values_of(epoch: Epoch, config: TrainingConfig) -> dict[str, float]:
    """Return what is drawn of an epoch: a picture a loss or measure, what has no value left out."""
    found = {}
    for split, losses in (("training", epoch.training), ("held_out", epoch.validation)):
        named = dataclasses.asdict(losses) | {"total": losses.total(config)}
        found |= {f"loss_{name}/{split}": value for name, value in named.items()}
    for name, value in dataclasses.asdict(epoch.quality).items():
        prediction, measure = name.split("_")
        if value is not None:
            found[f"{measure}/{prediction}"] = value
    return found
