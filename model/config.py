"""What can be configured of teacher, policy, ranking and promotion; fields name paper symbols."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Literal, get_args


def require(holds: bool, name: str, value: object, allowed: str) -> None:
    """Raise ValueError that names the field, its value and what is allowed."""
    if not holds:
        raise ValueError(f"{name} = {value!r} is not allowed; it must be {allowed}")


def require_all(conditions: Iterable[tuple[bool, str, object, str]]) -> None:
    """Raise one ValueError with a line for each (holds, name, value, allowed) that fails."""
    problems = []
    for condition in conditions:
        try:
            require(*condition)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))


USES = {
    "mmr": ("diversity_weight", "cosine_scale"),
    "mmr_item": ("diversity_weight",),
    "one_pass": ("diversity_weight", "cosine_scale", "context", "rounds"),
    "category_decay": ("decay",),
    "msd": ("diversity_weight",),
    "calibrated": ("diversity_weight",),
    "dpp": ("diversity_weight", "interest", "window"),
    "ssd": ("diversity_weight", "interest", "window", "volume", "add_back"),
}
"""The teachers by name, and which of the parameters below each one reads beside k."""
READS_CATEGORIES = ("category_decay", "calibrated")
"""The teachers to whom items are alike by category."""
Ranker = Literal["student", "dcn", "one_pass", "category_decay"]
RULES = ("blocked", "pinned", "max_per_category", "quotas")
"""The rules of a policy, by the fields of PolicyConfig that set them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TeacherConfig:
    """A greedy diversifier that labels; training uses the labels of [teacher] alone."""

    name: str = "mmr"
    """Which diversifier: mmr, mmr_item, one_pass, category_decay, msd, calibrated, dpp or ssd."""
    diversity_weight: float = 0.25
    """lambda (SSD: gamma), the weight of diversity against f; 0 is top-K by f."""
    k: int = 5
    """K, how many items the teacher picks."""
    cosine_scale: float = 0.0
    """kappa: s = kappa * cos(e_iu, e_ju); 0 keeps the paper's plain dot product."""
    context: int = 0
    """M of one-pass MMR: an item is compared with the M largest f; 0 is K."""
    rounds: int = 1
    """Passes of one-pass MMR; each orders by the scores of the one before."""
    decay: float = 0.9
    """delta, what is left of f for each earlier pick of the same category; 1 is top-K by f."""
    interest: bool = False
    """Whether items are compared by e * u, as the user sees them, instead of by e alone."""
    window: int = 0
    """How many of the latest picks repel; 0 is all. It is w of SSD, and w - 1 of Chen's DPP."""
    volume: bool = False
    """Whether SSD's diversity is multiplied by P, the volume that the window's picks span."""
    add_back: bool = False
    """Whether SSD's window forgets as the paper's algorithm does, approximately."""

    def __post_init__(self) -> None:
        """Check the ranges, and that nothing is set which the teacher would not read."""
        weight = self.diversity_weight
        scale, one_of = self.cosine_scale, "one of " + ", ".join(USES)
        read = {"name", "k", *USES.get(self.name, ())}
        has_window = self.window > 0 or not self.add_back or "add_back" not in read
        require_all(
            [
                (self.name in USES, "teacher.name", self.name, one_of),
                (0 <= weight <= 10, "teacher.diversity_weight", weight, "from 0 to 10"),
                (self.k >= 1, "teacher.k", self.k, "at least 1"),
                (0 <= scale < math.inf, "teacher.cosine_scale", scale, "at least 0 and finite"),
                (self.context >= 0, "teacher.context", self.context, "at least 0"),
                (1 <= self.rounds <= 3, "teacher.rounds", self.rounds, "from 1 to 3"),
                (0 < self.decay <= 1, "teacher.decay", self.decay, "above 0 and at most 1"),
                (self.window >= 0, "teacher.window", self.window, "at least 0"),
                (has_window, "teacher.add_back", self.add_back, "false where window = 0"),
            ]
        )
        require_all(
            (
                getattr(self, spec.name) == spec.default,
                f"teacher.{spec.name}",
                getattr(self, spec.name),
                f"left out, for the teacher {self.name} does not read it",
            )
            for spec in fields(self)
            if spec.name not in read
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyConfig:
    """What every list keeps to, whatever its teacher prefers (see model.teachers.rules)."""

    max_per_category: int = 0
    """Most picks of a category, in the list or in any `window` picks in a row; 0 is no limit."""
    window: int = 0
    """In how many picks in a row max_per_category counts; 0 is the whole list."""
    quotas: dict[str, int] = field(default_factory=dict)
    """Least picks by category, such as { books = 2 }."""
    pinned: dict[str, int] = field(default_factory=dict)
    """Place, from 1, by item id, such as { 5320 = 1 }, in requests that have the item."""
    blocked: tuple[int | str, ...] = ()
    """Ids of the items that are never picked."""
    relax: tuple[str, ...] = ()
    """Which rules may give way where no candidate keeps them all, the first one first: blocked,
    pinned, max_per_category, quotas. A request whose other rules cannot be kept is not labelled."""
    max_unlabelled: float = 0.01
    """Above this share of requests that cannot be labelled no labels are published."""

    def __post_init__(self) -> None:
        """Check what can be told without the data set's fields and the teachers."""
        most, share = self.max_per_category, self.max_unlabelled
        require_all(
            [
                (most >= 0, "policy.max_per_category", most, "at least 0"),
                (self.window >= 0, "policy.window", self.window, "at least 0"),
                (not self.window or most, "policy.window", self.window, _WINDOW),
                (0 <= share <= 1, "policy.max_unlabelled", share, "from 0 to 1"),
                *((n >= 1, f"policy.quotas.{c}", n, "at least 1") for c, n in self.quotas.items()),
                *((n >= 1, f"policy.pinned.{i}", n, "from 1") for i, n in self.pinned.items()),
                *(
                    (name in RULES, f"policy.relax[{place}]", name, _rule_like(name))
                    for place, name in enumerate(self.relax)
                ),
                (len(set(self.relax)) == len(self.relax), "policy.relax", self.relax, "each once"),
            ]
        )

    @property
    def reads_categories(self) -> bool:
        """Whether a rule is about categories."""
        return bool(self.max_per_category or self.quotas)

    @property
    def has_rules(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.reads_categories or self.pinned or self.blocked)


_WINDOW = "left out where max_per_category = 0"


def _rule_like(name: str) -> str:
    """Return which rules there are, the one that may be meant first."""
    near = get_close_matches(name, RULES, n=1)
    return f"one of {', '.join(RULES)}{f' (is {near[0]!r} meant?)' if near else ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingConfig:
    """How a day is ranked for comparison."""

    ranker: Ranker = "student"
    """What serves and is ranked as cdm: the student beside f, f alone (dcn), or a closed form on f:
    one-pass MMR by mmr_weight and mmr_cosine_scale, or category decay."""
    gamma: float = 0.1
    """gamma of f + gamma * y_stu, and of f * y_stu^gamma where the student is wear."""
    gamma_sweep: tuple[float, ...] = (0.0, 0.05, 0.2, 0.4)
    """Further gammas, for the accuracy-diversity front."""
    mmr_weight: float = 0.1
    """lambda of the item-level MMR re-ranking baseline, and of the ranker one_pass."""
    mmr_sweep: tuple[float, ...] = (0.05, 0.2, 0.4)
    """Further lambdas of that baseline."""
    mmr_cosine_scale: float = 2.0
    """kappa of their similarities; 0 is the plain dot product."""
    context: int = 64
    """M of the ranker one_pass: an item is compared with the M largest f; 0 is all."""
    rounds: int = 1
    """Passes of the ranker one_pass; each orders by the scores of the one before."""
    decay: float = 0.9
    """delta of the ranker category_decay, for each better candidate of a category; 1 is f."""
    seed: int = 5
    """Seed of the random ranking."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("gamma", "mmr_weight", "mmr_cosine_scale"):
            require(getattr(self, name) >= 0, f"ranking.{name}", getattr(self, name), "at least 0")
        for name in ("gamma_sweep", "mmr_sweep"):
            weights = getattr(self, name)
            require(min(weights, default=0) >= 0, f"ranking.{name}", weights, "at least 0 each")
        weights = (self.mmr_weight, *self.mmr_sweep)
        require(max(weights) <= 10, "ranking.mmr_weight and mmr_sweep", weights, "at most 10 each")
        rankers = get_args(Ranker)
        allowed = f"one of {', '.join(rankers)}"
        require_all(
            [
                (self.ranker in rankers, "ranking.ranker", self.ranker, allowed),
                (self.context >= 0, "ranking.context", self.context, "at least 0; 0 is all"),
                (1 <= self.rounds <= 3, "ranking.rounds", self.rounds, "from 1 to 3"),
                (0 < self.decay <= 1, "ranking.decay", self.decay, "above 0 and at most 1"),
            ]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionConfig:
    """How much worse than the promoted model a new one may be, on a day that it never saw."""

    k: int = 5
    """List length at which both are judged."""
    recall_margin: float = 0.02
    """Absolute loss of Recall@k that the lower end of the interval may reach."""
    diversity_margin: float = 0.02
    """Likewise for ILAD by category, or by reference vectors where there are no categories."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(self.k >= 1, "promotion.k", self.k, "at least 1")
        for name in ("recall_margin", "diversity_margin"):
            require(getattr(self, name) >= 0, f"promotion.{name}", getattr(self, name), ">= 0")
