"""One day of impressions as rows of request_logs, and the account of what came in and went out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from jobs.sources.ebnerd import UNKNOWN, Impressions
from jobs.sources.pool import Pool, pools
from schemas.arrow import arrow_schema
from schemas.table import Table

LEAST_CANDIDATES = 2
"""Fewer cannot be ranked."""


@dataclass(slots=True)
class Account:
    """What each impression of the day came with and kept; every property is a sum of them."""

    shown: np.ndarray
    clicks: np.ndarray
    candidates: np.ndarray
    shown_kept: np.ndarray
    clicks_kept: np.ndarray
    unknown: dict[str, int] = field(default_factory=dict)
    """Items of the day without a value, by item field."""

    @classmethod
    def open(cls, impressions: Impressions, start: int, stop: int) -> "Account":
        """Enter what the impressions start to stop came with."""
        shown = np.diff(impressions.first)[start:stop]
        nothing = (np.zeros(stop - start, np.int64) for _ in range(3))
        return cls(shown, impressions.clicks[start:stop], *nothing)

    def enter(self, pool: Pool, start: int) -> None:
        """Enter the candidates of some requests."""
        for total, which in (
            (self.candidates, slice(None)),
            (self.shown_kept, pool.exposed),
            (self.clicks_kept, pool.clicked),
        ):
            total += np.bincount(pool.impression[which] - start, minlength=len(total))

    @property
    def is_request(self) -> np.ndarray:
        """Which impressions have enough candidates to become requests."""
        return self.candidates >= LEAST_CANDIDATES

    def counts(self) -> dict[str, int | float | str]:
        """Return what the manifest keeps: what came in is what went out and what was dropped."""
        kept = self.is_request
        sizes = self.candidates[kept]
        counts = {
            "impressions": len(kept),
            "requests": kept.sum(),
            "impressions_without_candidates": (self.candidates == 0).sum(),
            "impressions_with_one_candidate": (self.candidates == 1).sum(),
            "candidates": sizes.sum(),
            "candidates_max": sizes.max(initial=0),
        }
        for name, came, stayed in (
            ("shown", self.shown, self.shown_kept),
            ("clicks", self.clicks, self.clicks_kept),
        ):
            counts |= {
                name: came.sum(),
                f"{name}_kept": stayed[kept].sum(),
                f"{name}_outside_pool": (came - stayed)[kept].sum(),
                f"{name}_in_dropped_impressions": came[~kept].sum(),
            }
        unknown = {f"items_of_unknown_{name}": count for name, count in self.unknown.items()}
        return {name: int(count) for name, count in (counts | unknown).items()}


class DayLogs:
    """The rows of a day, made some requests at a time."""

    def __init__(
        self,
        table: Table,
        impressions: Impressions,
        tokens: dict[str, pa.Array],
        span: tuple[int, int],
    ) -> None:
        """Take impressions span[0] to span[1]; `tokens` are parallel to the sorted items."""
        self.table, self.impressions, self.tokens = table, impressions, tokens
        self.start, self.stop = span
        self.items = np.unique(impressions.shown_item)
        self.account = Account.open(impressions, *span)

    def tables(self, minutes: int) -> Iterator[pa.Table]:
        """Derive the candidates and yield their rows; the account is whole once this has ended."""
        seen = np.zeros(len(self.items), bool)
        for pool in pools(self.impressions, self.start, self.stop, minutes):
            self.account.enter(pool, self.start)
            kept = pool.keep(self.account.is_request[pool.impression - self.start])
            place = np.searchsorted(self.items, kept.item)
            seen[place] = True
            yield self._rows(kept, place)
        self.account.unknown = {
            name: int(np.sum(tokens.to_numpy(zero_copy_only=False)[seen] == UNKNOWN))
            for name, tokens in self.tokens.items()
        }

    def _rows(self, pool: Pool, place: np.ndarray) -> pa.Table:
        source, request = self.impressions, pool.impression
        missed = self.account.clicks - self.account.clicks_kept
        n = len(request)
        columns = {
            "request_id": source.request[request],
            "user_id": source.user[request],
            "ts": source.moment[request],
            **{name: tokens.take(pa.array(request)) for name, tokens in source.context.items()},
            "missed_positives": missed[request - self.start],
            "item_id": pool.item,
            **{name: tokens.take(pa.array(place)) for name, tokens in self.tokens.items()},
            "score": pool.clicks,
            "exposed": pool.exposed,
            "shown_rank": pa.nulls(n, pa.int32()),
            "label": pa.array(pool.clicked, mask=~pool.exposed),
            "derived": ~pool.exposed,
        }
        return pa.table(
            [pa.array(columns[field.name]).cast(field.type) for field in arrow_schema(self.table)],
            schema=arrow_schema(self.table),
        )
