"""The size and the laws of a simulated world (presets are frozen before a student runs on them)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from model.config import require


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldConfig:
    """A world: catalogue, audience, requests, logger and how repetition wears."""

    seed: int = 2024
    """Of all that is drawn."""
    first_day: date = date(2026, 1, 1)
    """The day on which the catalogue has its first items alone."""
    requests: int = 1500
    """Requests a day."""
    users: int = 600
    """Users, each with interests of their own."""
    items: int = 6000
    """Items on the first day."""
    new_items: int = 150
    """Items added each further day."""
    categories: int = 333
    """Categories that items and interests are of."""
    context_values: int = 333
    """Different queries, or tabs, that a request may come from."""
    candidates: int = 213
    """Mean candidates of a request (Table 1)."""
    exposed_share: float = 0.0995
    """Share of the candidates that is shown (Table 1, item_show_ratio)."""
    base_logit: float = -3.0
    """b of p = sigmoid(b + theta_uc + p_u z_i + q_i)."""
    score_noise: float = 1.0
    """Deviation of the pre-ranking score around logit p."""
    temperature: float = 1.0
    """T of the logger's Plackett-Luce draw on the pre-ranking score."""
    uniform_slots: int = 2
    """Slots of a page that are filled uniformly at random."""
    examination_decay: float = 0.5
    """v_r = r ** -decay, the chance that rank r is looked at."""
    wear: float = 0.25
    """kappa: delta_uc = 1 - kappa_u (1 - interest), kappa_u uniform within a third of kappa; 0 is
    the negative control, a world that nothing wears."""
    wear_by: Literal["category", "likeness"] = "category"
    """What wears: items of a category shown before, or likeness to the items shown before."""
    headroom: tuple[float, ...] = (1.05, 1.15)
    """Where V* / V(top-K by p) must lie at the largest K, unless wear is 0."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("requests", "users", "items", "categories", "context_values", "candidates"):
            require(getattr(self, name) >= 1, f"world.{name}", getattr(self, name), "at least 1")
        require(0 < self.exposed_share <= 1, "world.exposed_share", self.exposed_share, "(0, 1]")
        require(0 <= self.wear <= 0.75, "world.wear", self.wear, "from 0 to 0.75")
        require(self.temperature > 0, "world.temperature", self.temperature, "above 0")
        wears = ("category", "likeness")
        require(self.wear_by in wears, "world.wear_by", self.wear_by, " or ".join(wears))
        require(self.categories <= self.items, "world.categories", self.categories, "<= items")
