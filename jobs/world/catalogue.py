"""The items and users of a simulated world, the same in every run of the same configuration."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jobs.world.config import WorldConfig
from schemas.table import Fields

CONTENT_WIDTH = 8
FAVOURITES = 6
FIELD_VALUES = 40


@dataclass(frozen=True, slots=True)
class Items:
    """Items by index: `category` and `field_values` are codes, `content` is z, `quality` is q."""

    category: np.ndarray  # [I]
    content: np.ndarray  # [I, 8]
    quality: np.ndarray  # [I]
    field_values: dict[str, np.ndarray]  # each [I]


@dataclass(frozen=True, slots=True)
class Users:
    """Users by index: sparse `interest` in categories, `taste` in content, `kappa` for wear."""

    interest: np.ndarray  # [U, C] from 0 to 1
    taste: np.ndarray  # [U, 8]
    kappa: np.ndarray  # [U]
    activity: np.ndarray  # [U], sums to 1


class Catalogue:
    """Everything of the world that does not depend on a request."""

    def __init__(self, config: WorldConfig, fields: Fields) -> None:
        """Fix the categories; items and users are drawn from streams of their own."""
        self.config, self.fields = config, fields
        rng = np.random.default_rng([config.seed, 0])
        popularity = (1.0 + np.arange(config.categories)) ** -0.8
        self.popularity = popularity / popularity.sum()
        self.centres = rng.normal(size=(config.categories, CONTENT_WIDTH)) / CONTENT_WIDTH**0.5
        self._extra = [name for name in fields.item if name != fields.category]
        self._effects = {name: rng.normal(scale=0.4, size=FIELD_VALUES) for name in self._extra}

    def items(self, days_open: int) -> Items:
        """Return the items of the first day and `days_open` more; old ones keep their index."""
        parts = [self._new_items(day) for day in range(days_open + 1)]
        return Items(
            np.concatenate([part.category for part in parts]),
            np.concatenate([part.content for part in parts]),
            np.concatenate([part.quality for part in parts]),
            {f: np.concatenate([part.field_values[f] for part in parts]) for f in self._extra},
        )

    def _new_items(self, day: int) -> Items:
        config = self.config
        rng = np.random.default_rng([config.seed, 1, day])
        count = config.items if day == 0 else config.new_items
        category = rng.choice(config.categories, size=count, p=self.popularity)
        if day == 0:  # every category has an item from the start
            category[: config.categories] = np.arange(config.categories)
        noise = rng.normal(scale=0.5, size=(count, CONTENT_WIDTH)) / CONTENT_WIDTH**0.5
        # Three neighbouring values of a field per category: a brand sells a few kinds of things.
        values = {
            name: (category * 7 + number + rng.integers(3, size=count)) % FIELD_VALUES
            for number, name in enumerate(self._extra)
        }
        quality = np.clip(0.4 * rng.standard_t(3, size=count), -2.0, 2.5)
        for name, value in values.items():
            quality = quality + self._effects[name][value]
        return Items(category, self.centres[category] + noise, quality, values)

    @cached_property
    def users(self) -> Users:
        """The audience."""
        config = self.config
        rng = np.random.default_rng([config.seed, 2])
        interest = np.zeros((config.users, config.categories))
        for user in range(config.users):
            count = min(FAVOURITES, config.categories)
            liked = rng.choice(config.categories, size=count, replace=False, p=self.popularity)
            interest[user, liked] = rng.uniform(0.2, 0.8, size=count)
        activity = rng.pareto(2.0, size=config.users) + 0.5
        spread = config.wear / 3
        return Users(
            interest,
            rng.normal(scale=0.5, size=(config.users, CONTENT_WIDTH)),
            rng.uniform(config.wear - spread, config.wear + spread, size=config.users),
            activity / activity.sum(),
        )

    @cached_property
    def contexts(self) -> np.ndarray:
        """Category mix [C, C] of what is asked for, as log weights: itself and those near it."""
        rng = np.random.default_rng([self.config.seed, 3])
        square = (self.centres**2).sum(axis=1)
        near = -2.0 * (square[:, None] + square[None, :] - 2.0 * self.centres @ self.centres.T)
        return near + rng.normal(scale=0.3, size=near.shape)
