"""What can be configured of the student and its training; fields name their paper symbols."""

from dataclasses import dataclass

from model.config import require


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """DCN backbone and contrastive context encoder (sections 3.2 and 4.1.4)."""

    embedding_width: int = 16
    """d_e, width of each field's embedding."""
    embedding_std: float = 0.01
    """Deviation of untrained embeddings; small, so that rare tokens add no noise to f."""
    width: int = 64
    """d, width of e_i, u, q, k, v and C."""
    cross_layers: int = 3
    """Cross layers of the DCN."""
    hidden: tuple[int, ...] = (256, 128, 64)
    """Widths of the layers of its deep part."""
    dropout: float = 0.25
    """Share of these layers' outputs that a training step drops."""
    context_size: int = 10
    """k, items in the positive and in the negative context."""
    similarity_scale: float = 4.0
    """Mean of |e_i * u|^2 over the training candidates, to which the exported e are scaled."""
    include_self: bool = False
    """Whether a target may stand in its own context."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("embedding_width", "width", "context_size"):
            require(getattr(self, name) >= 1, f"model.{name}", getattr(self, name), "at least 1")
        for name in ("embedding_std", "similarity_scale"):
            require(getattr(self, name) > 0, f"model.{name}", getattr(self, name), "above 0")
        require(self.cross_layers >= 0, "model.cross_layers", self.cross_layers, "at least 0")
        require(bool(self.hidden) and min(self.hidden) >= 1, "model.hidden", self.hidden, "widths")
        require(0 <= self.dropout < 1, "model.dropout", self.dropout, "from 0 to below 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """The optimisation (Eq. 18-20, section 4.1.4)."""

    train_days: int = 3
    """Days up to this one that a model learns from."""
    validation_share: float = 0.1
    """Share of the users that early stopping judges."""
    max_candidates: int = 256
    """N, padded length of a training row; longer requests are cut by pre-ranking score."""
    min_count: int = 2
    """Exposures below which a token counts as unknown."""
    batch_size: int = 64
    """Requests a step."""
    epochs: int = 20
    """Most passes over the examples."""
    patience: int = 3
    """Epochs without a better validation loss before the best one is kept."""
    learning_rate: float = 1e-3
    """Of Adam."""
    beta_kd: float = 1.0
    """beta_1, weight of the distillation loss."""
    beta_nce: float = 0.05
    """beta_2, weight of InfoNCE."""
    nce_temperature: float = 8.0
    """t of Eq. 14."""
    targets: int = 64
    """Targets a request in training: all winners, then sampled losers, reweighted; 0 is all."""
    seed: int = 17
    """Of weights, batches and noise."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        positive = ("train_days", "max_candidates", "min_count", "batch_size", "epochs", "patience")
        for name in positive:
            require(getattr(self, name) >= 1, f"training.{name}", getattr(self, name), "at least 1")
        share = self.validation_share
        require(0 < share < 1, "training.validation_share", share, "between 0 and 1")
        require(self.learning_rate > 0, "training.learning_rate", self.learning_rate, "above 0")
        require(self.nce_temperature > 0, "training.nce_temperature", self.nce_temperature, "> 0")
        for name in ("beta_kd", "beta_nce", "targets"):
            require(getattr(self, name) >= 0, f"training.{name}", getattr(self, name), "at least 0")
