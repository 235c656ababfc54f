"""The temperature of a training step."""

from model.learning_config import TrainingConfig


def temperature(config: TrainingConfig, step: int, steps: int) -> float:
    """Return tau of step 0..steps-1: start (end / start)^progress, and the end from the hold on.

    `steps` are those of the whole training, as many as `epochs` allows.
    """
    start, end = config.temperature, config.temperature_end
    return start * (end / start) ** min(1.0, step / (config.temperature_hold * steps))
