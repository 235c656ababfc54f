"""A training between two epochs: all that another process needs to go on from it, bit by bit."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from model.cdm import CDM
from model.distributed import ALONE, Processes
from model.epochs import Epoch
from model.learning_config import TrainingConfig

CPU = torch.device("cpu")


class TrainingRun:
    """Weights, Adam's moments, the best weights so far, random streams and the learning curve."""

    def __init__(
        self,
        model: CDM,
        config: TrainingConfig,
        device: torch.device = CPU,
        processes: Processes = ALONE,
    ) -> None:
        """Start at epoch 0 on a device, to which the model moves."""
        self.model, self.config, self.device = model.to(device), config, device
        self.processes = processes
        # Of noise and target sampling; dropout draws from torch's own stream of the device. Noise
        # that several processes shared would be less noise than one process has.
        self.generator = torch.Generator(device).manual_seed(config.seed + processes.rank)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
        self.scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "float16")
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0

    @property
    def number(self) -> int:
        """The last epoch that is over; 0 before the first."""
        return len(self.history)

    @property
    def is_over(self) -> bool:
        """Whether all epochs are, or the best one is `patience` epochs back."""
        patience_is_out = self.number > 0 and self.number - self.best_epoch >= self.config.patience
        return self.number >= self.config.epochs or patience_is_out

    def add(self, epoch: Epoch) -> None:
        """Add an epoch; keep its weights if its held-out loss is the least so far."""
        self.history.append(epoch)
        totals = [known.validation.total(self.config) for known in self.history]
        if self.best_epoch == 0 or totals[-1] < totals[self.best_epoch - 1]:
            self.best_epoch = epoch.number
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return what is a tensor of the state, on the CPU, by name."""
        named = {
            "stream": self.generator.get_state(),
            "stream.cpu": torch.get_rng_state(),
            **{f"model.{name}": value for name, value in self.model.state_dict().items()},
            **{f"best.{name}": value for name, value in self.best.items()},
        }
        if self.device.type == "cuda":
            named["stream.cuda"] = torch.cuda.get_rng_state(self.device)
        for number, moments in self.optimizer.state_dict()["state"].items():
            named |= {f"adam.{number}.{name}": value for name, value in moments.items()}
        return {name: value.detach().cpu().contiguous() for name, value in named.items()}

    def facts(self) -> dict[str, Any]:
        """Return the rest of the state, as JSON knows it."""
        return {
            "history": [epoch.to_json() for epoch in self.history],
            "best_epoch": self.best_epoch,
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Become what `tensors` and `facts` were told of, on the same kind of device."""
        self.model.load_state_dict(_below(tensors, "model."))
        self.best = {name: v.to(self.device) for name, v in _below(tensors, "best.").items()}
        moments: dict[int, dict[str, Tensor]] = {}
        for path, value in _below(tensors, "adam.").items():
            number, name = path.split(".")
            moments.setdefault(int(number), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.scaler.load_state_dict(facts["scaler"])
        self.generator.set_state(tensors["stream"])
        torch.set_rng_state(tensors["stream.cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["stream.cuda"], self.device)
        self.history = [Epoch.from_json(told) for told in facts["history"]]
        self.best_epoch = facts["best_epoch"]


def _below(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name[len(start) :]: v for name, v in tensors.items() if name.startswith(start)}
