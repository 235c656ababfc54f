"""One day's requests of a simulated world: candidates, the logger's page, clicks, and the truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jobs.world.catalogue import Catalogue, Items
from model.ordering import best_first
from model.satiation import unit_rows

CHUNK_WEIGHTS = 1_000_000
INTEREST_LOGIT = 2.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; arrays are [N] in the candidate order, `examination` is [places]."""

    user: int
    context: int
    item: np.ndarray
    score: np.ndarray
    p: np.ndarray
    wear: np.ndarray
    shown_rank: np.ndarray  # 0 where not shown
    propensity: np.ndarray  # 0 where not shown
    clicked: np.ndarray


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + np.exp(-x))


def examination(decay: float, places: int) -> np.ndarray:
    """Return v_r = r ** -decay for ranks 1..places."""
    return np.arange(1, places + 1, dtype=np.float64) ** -decay


class Day:
    """The requests of one day, drawn from the day's own random stream."""

    def __init__(self, catalogue: Catalogue, day_number: int) -> None:
        """Draw nothing yet; `day_number` counts from the world's first day."""
        self.catalogue = catalogue
        self.items: Items = catalogue.items(day_number)
        self._unit = unit_rows(self.items.content)
        self._rng = np.random.default_rng([catalogue.config.seed, 4, day_number])

    def requests(self) -> Iterator[Request]:
        """Yield the day's requests."""
        config, rng = self.catalogue.config, self._rng
        users = self.catalogue.users
        who = rng.choice(config.users, size=config.requests, p=users.activity)
        size = max(1, CHUNK_WEIGHTS // len(self.items.category))
        for start in range(0, config.requests, size):
            chunk = who[start : start + size]
            context = self._contexts(chunk)
            sets = self._candidates(chunk, context)
            for user, asked, item in zip(chunk, context, sets, strict=True):
                yield self._request(int(user), int(asked), item)

    def _contexts(self, users: np.ndarray) -> np.ndarray:
        """Draw what each user asks for: mostly a category they care about."""
        weight = self.catalogue.users.interest[users] + 0.2 * self.catalogue.popularity
        cumulative = np.cumsum(weight, axis=1)
        draw = self._rng.random(len(users)) * cumulative[:, -1]
        return (cumulative < draw[:, None]).sum(axis=1)

    def _candidates(self, users: np.ndarray, context: np.ndarray) -> list[np.ndarray]:
        """Draw each request's candidates: a few categories near what was asked and liked."""
        config, rng, items = self.catalogue.config, self._rng, self.items
        by_category = (
            5.0 * self.catalogue.contexts[context]
            + 3.0 * self.catalogue.users.interest[users]
            + rng.gumbel(scale=1.0, size=(len(users), config.categories))
        )
        weight = by_category[:, items.category] + rng.gumbel(size=(len(users), len(items.category)))
        spread = rng.normal(config.candidates, 0.2 * config.candidates, size=len(users))
        limit = min(len(items.category), round(1.43 * config.candidates))
        sizes = np.clip(np.rint(spread), min(2, limit), limit).astype(int)
        order = np.argsort(-weight, axis=1, kind="stable")
        return [row[:size] for row, size in zip(order, sizes, strict=True)]

    def _request(self, user: int, context: int, item: np.ndarray) -> Request:
        config, rng = self.catalogue.config, self._rng
        users, items = self.catalogue.users, self.items
        interest = users.interest[user, items.category[item]]
        logit = (
            config.base_logit
            + INTEREST_LOGIT * interest
            + items.content[item] @ users.taste[user]
            + items.quality[item]
        )
        p = sigmoid(logit)
        score = logit + rng.normal(scale=config.score_noise, size=len(item))
        order = best_first(score, item)
        item, score, p = item[order], score[order], p[order]
        wear = 1.0 - users.kappa[user] * (1.0 - interest[order])
        places = max(1, round(config.exposed_share * len(item)))
        shown, propensity = self._page(score, places)
        clicks = self._clicks(item[shown], p[shown], wear[shown])
        rank, chance, clicked = np.zeros((3, len(item)))
        rank[shown], chance[shown] = np.arange(1, places + 1), propensity
        clicked[shown] = clicks
        return Request(
            user, context, item, score, p, wear, rank.astype(int), chance, clicked.astype(int)
        )

    def _page(self, score: np.ndarray, places: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the page by Plackett-Luce on the score, each place uniform with a small chance.

        Returns the candidates shown, in order, and the chance of each given those before it.
        """
        config, rng = self.catalogue.config, self._rng
        uniform = min(1.0, config.uniform_slots / places)
        weight = np.exp((score - score.max()) / config.temperature)
        left = np.ones(len(score), dtype=bool)
        shown, propensity = np.empty(places, np.int64), np.empty(places)
        for place in range(places):
            chance = uniform * left / left.sum()
            total = (weight * left).sum()
            chance = chance + (1 - uniform) * (
                weight * left / total if total > 0 else left / left.sum()
            )
            cumulative = np.cumsum(chance)
            shown[place] = np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")
            propensity[place] = chance[shown[place]]
            left[shown[place]] = False
        return shown, propensity

    def _clicks(self, item: np.ndarray, p: np.ndarray, wear: np.ndarray) -> np.ndarray:
        """Draw the clicks of a page in its order, each chance worn by what was shown before."""
        config = self.catalogue.config
        if config.wear_by == "category":
            category = self.items.category[item]
            like = (category[:, None] == category[None, :]).astype(np.float64)
        else:
            like = np.maximum(self._unit[item] @ self._unit[item].T, 0.0)
        repeats = np.tril(like, -1).sum(axis=1)
        chance = examination(config.examination_decay, len(item)) * p * wear**repeats
        return self._rng.random(len(item)) < chance
