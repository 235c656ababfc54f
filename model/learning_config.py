"""What can be configured of the student and its training; fields name their paper symbols."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from model.config import require

Selection = Literal["hard", "straight_through", "relaxed", "threshold"]
Encoder = Literal["contrastive", "attention", "alone"]
Cross = Literal["v1", "v2"]
StudentName = Literal["cdm", "better_context", "wear"]
Precision = Literal["float32", "bfloat16", "float16"]
Device = Literal["auto", "cpu", "cuda"]


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
    selection: Selection = "hard"
    """How training selects context items; relaxed is the paper's (Eq. 7-10), and all serve hard."""
    encoder: Encoder = "contrastive"
    """The paper's two contexts; its ablation, one attention over all and no InfoNCE; or, a control,
    the target alone."""
    cross: Cross = "v1"
    """Cross layers with a weight vector (v1, which the paper cites) or with a matrix (v2)."""
    score_feature: bool = False
    """Whether the student sees the logit of f of each candidate; the paper's does not."""
    landmarks: int = 0
    """M, candidates of a request that contexts are drawn from; 0 is all, as in the paper. For the
    student cdm they are at even ranks by f, for the others the M of highest f."""
    student: StudentName = "cdm"
    """What stands beside f: the paper's, an attention over candidates of higher f alone, or how
    repetition wears, learned from the pages shown. The last two leave f as a DCN trains it."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("embedding_width", "width", "context_size"):
            require(getattr(self, name) >= 1, f"model.{name}", getattr(self, name), "at least 1")
        for name in ("embedding_std", "similarity_scale"):
            require(getattr(self, name) > 0, f"model.{name}", getattr(self, name), "above 0")
        require(self.cross_layers >= 0, "model.cross_layers", self.cross_layers, "at least 0")
        require(bool(self.hidden) and min(self.hidden) >= 1, "model.hidden", self.hidden, "widths")
        require(0 <= self.dropout < 1, "model.dropout", self.dropout, "from 0 to below 1")
        require(self.landmarks >= 0, "model.landmarks", self.landmarks, "at least 0; 0 is all")
        for name, kind in _CHOICES:
            allowed, value = get_args(kind), getattr(self, name)
            require(value in allowed, f"model.{name}", value, f"one of {', '.join(allowed)}")
        selects = self.encoder == "contrastive" or self.selection == "hard"
        allowed = f"left out, for the encoder {self.encoder} does not select"
        require(selects, "model.selection", self.selection, allowed)
        if self.student != "cdm":
            allowed = f"left out, for the student {self.student} does not read it"
            for spec in fields(self):
                if spec.name in READ_BY_CDM:
                    value = getattr(self, spec.name)
                    require(value == spec.default, f"model.{spec.name}", value, allowed)


_CHOICES = (
    *(("selection", Selection), ("encoder", Encoder), ("cross", Cross)),
    ("student", StudentName),
)
READ_BY_CDM = ("context_size", "include_self", "selection", "encoder", "score_feature")
"""What the paper's student alone reads."""


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
    grow_vocabulary: bool = False
    """Whether the promoted model's tokens keep their index and new ones follow them; else the
    window's tokens alone are known, in their own order."""
    unknown_share: float = 0.0
    """Share of the tokens that a training step makes unknown; without it the row of the unknown
    learns from tokens below min_count alone, and from none where that is 1."""
    warm_start: bool = False
    """Whether weights start from the promoted model's, and rows of new tokens from the unknown's;
    else from chance. The first day's base DCN starts from chance."""
    batch_size: int = 64
    """Requests a step."""
    epochs: int = 20
    """Most passes over the examples."""
    patience: int = 10
    """Epochs without a better validation loss before the best one is kept."""
    learning_rate: float = 1e-3
    """Of Adam."""
    beta_kd: float = 1.0
    """beta_1, weight of the distillation loss."""
    beta_nce: float = 0.05
    """beta_2, weight of InfoNCE."""
    nce_temperature: float = 8.0
    """t of Eq. 14."""
    stop_gradient: bool = False
    """Whether the student's losses leave the shared embeddings alone; in the paper they do not."""
    temperature: float = 1.0
    """tau of Eq. 8-9 at the first step, for model.selection other than hard."""
    temperature_end: float = 0.1
    """tau at which it stays, after falling exponentially."""
    temperature_hold: float = 0.7
    """Share of the steps of all epochs after which it stays there."""
    targets: int = 64
    """Targets a request in training: all winners, then sampled losers, reweighted; 0 is all."""
    seed: int = 17
    """Of weights, batches and noise."""
    precision: Precision = "float32"
    """Of a training step's matrix products; losses and selection stay in float32."""
    device: Device = "auto"
    """Where a model is trained; auto is the GPU where torch finds one."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        positive = ("train_days", "max_candidates", "min_count", "batch_size", "epochs", "patience")
        for name in positive:
            require(getattr(self, name) >= 1, f"training.{name}", getattr(self, name), "at least 1")
        share = self.validation_share
        require(0 < share < 1, "training.validation_share", share, "between 0 and 1")
        hidden = self.unknown_share
        require(0 <= hidden < 1, "training.unknown_share", hidden, "from 0 to below 1")
        require(self.learning_rate > 0, "training.learning_rate", self.learning_rate, "above 0")
        require(self.nce_temperature > 0, "training.nce_temperature", self.nce_temperature, "> 0")
        for name in ("beta_kd", "beta_nce", "targets"):
            require(getattr(self, name) >= 0, f"training.{name}", getattr(self, name), "at least 0")
        start, end, hold = self.temperature, self.temperature_end, self.temperature_hold
        require(start > 0, "training.temperature", start, "above 0")
        at_most = f"above 0 and at most training.temperature = {start:g}"
        require(0 < end <= start, "training.temperature_end", end, at_most)
        require(0 < hold <= 1, "training.temperature_hold", hold, "above 0 and at most 1")
        for name, kind in (("precision", Precision), ("device", Device)):
            allowed, value = get_args(kind), getattr(self, name)
            require(value in allowed, f"training.{name}", value, f"one of {', '.join(allowed)}")
