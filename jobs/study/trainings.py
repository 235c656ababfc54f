"""The models of the study: what each learns from, and which rankings its scores are tried in."""

from dataclasses import dataclass, field
from typing import Literal

from model.learning_config import ModelConfig

DCN = "dcn"
"""The base: it teaches, and every re-ranking stands on its f."""


Clicks = Literal["as they are", "unworn", "inverse propensity", "unseen are none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """One way to train."""

    label: str
    """What tables and pictures call it."""
    rankings: tuple[str, ...] = ("fused",)
    """By name, from `rankings`."""
    teacher: str = ""
    """Which teacher labels, at the weight that its re-ranking of DCN was given on validation."""
    teacher_weight: float | None = None
    """The teacher's weight where it is fixed."""
    labels: Literal["as they are", "shuffled"] = "as they are"
    clicks: Clicks = "as they are"
    model: dict[str, object] = field(default_factory=dict)
    """Changes to [model]."""
    training: dict[str, object] = field(default_factory=dict)
    """Changes to [training]."""
    is_frozen: bool = False
    """Whether the student alone learns, on DCN's own f."""


SAME_F = ("fused", "f", "mmr_item", "one_pass", "category_decay")
"""What a model's student is held against on that model's own f."""

# A profile's context size is the paper's student's alone.
BETTER_CONTEXT = {"student": "better_context", "context_size": ModelConfig().context_size}
WEAR = BETTER_CONTEXT | {"student": "wear"}

TRAININGS = {
    DCN: Training(
        label="DCN",
        rankings=(
            *("random", "pre_ranker", "f", "mmr_item", "mmr", "one_pass", "category_decay"),
            *("dpp", "ssd", "msd", "calibrated", "true_wear", "mean_wear"),
        ),
    ),
    "ipw": Training(label="IPW", rankings=("f",), clicks="inverse propensity"),
    "unseen": Training(
        label="DCN, unseen as not clicked", rankings=("f",), clicks="unseen are none"
    ),
    # What a better row of the unknown gains by itself.
    "hidden": Training(
        label="DCN, tokens hidden", rankings=("f",), training={"unknown_share": 0.3}
    ),
    "unworn": Training(label="DCN on clicks that nothing wore", rankings=("f",), clicks="unworn"),
    "cdm": Training(label="CDM", rankings=SAME_F, teacher="mmr"),
    "no_infonce": Training(label="CDM - InfoNCE", teacher="mmr", training={"beta_nce": 0.0}),
    "no_cce": Training(label="CDM - CCE", teacher="mmr", model={"encoder": "attention"}),
    "lambda_0": Training(
        label="CDM, teacher of lambda 0", rankings=SAME_F, teacher="mmr", teacher_weight=0.0
    ),
    "lambda_10": Training(label="CDM, teacher of lambda .1", teacher="mmr", teacher_weight=0.1),
    "lambda_25": Training(label="CDM, teacher of lambda .25", teacher="mmr", teacher_weight=0.25),
    "shuffled": Training(label="CDM, shuffled labels", teacher="mmr", labels="shuffled"),
    "no_kd": Training(label="CDM - KD", teacher="mmr", training={"beta_kd": 0.0}),
    "no_context": Training(label="CDM without context", teacher="mmr", model={"encoder": "alone"}),
    "from_decay": Training(label="CDM from category decay", teacher="category_decay"),
    "from_dpp": Training(label="CDM from DPP", teacher="dpp"),
    "from_ssd": Training(label="CDM from SSD", teacher="ssd"),
    "from_calibrated": Training(label="CDM from calibration", teacher="calibrated"),
    "better_context": Training(
        label="Better context",
        teacher="mmr",
        teacher_weight=0.25,
        model=BETTER_CONTEXT,
        is_frozen=True,
    ),
    "better_decay": Training(
        label="Better context from category decay",
        teacher="category_decay",
        model=BETTER_CONTEXT,
        is_frozen=True,
    ),
    "better_context_0": Training(
        label="Better context, teacher of lambda 0",
        teacher="mmr",
        teacher_weight=0.0,
        model=BETTER_CONTEXT,
        is_frozen=True,
    ),
    "wear": Training(
        label="Learned wear",
        rankings=("worn",),
        teacher="mmr",
        model=WEAR,
        is_frozen=True,
    ),
}
