"""Candidates where a source logged none: what others were shown shortly before.

A request's pool is every item that *another user* was shown in the window [t - minutes, t) before
its own time t. Nothing of the request's own impression can enter: not its list, whose members would
give away what the site chose for it; nor its clicks; nor an impression of the same user a second
earlier, which is often the same page logged again; nor anything at t or later.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jobs.sources.ebnerd import Impressions

REQUESTS_AT_ONCE = 256
MICROSECONDS_A_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of some requests, one a row, by (impression, item)."""

    impression: np.ndarray
    """Place of the request among the impressions."""
    item: np.ndarray
    clicks: np.ndarray
    """Clicks by others in the window: the pre-ranking score."""
    exposed: np.ndarray
    """Whether the request itself showed the item."""
    clicked: np.ndarray

    def keep(self, mask: np.ndarray) -> "Pool":
        """Return the rows of the mask."""
        return Pool(*(getattr(self, name)[mask] for name in self.__slots__))


def pools(impressions: Impressions, start: int, stop: int, minutes: int) -> Iterator[Pool]:
    """Yield the candidates of impressions start to stop, some requests at a time."""
    items, code = np.unique(impressions.shown_item, return_inverse=True)
    shown_by = impressions.shown_by
    for low in range(start, stop, REQUESTS_AT_ONCE):
        chunk = np.arange(low, min(low + REQUESTS_AT_ONCE, stop))
        request, shown = _window(impressions, chunk, minutes)
        by_others = impressions.user[shown_by[shown]] != impressions.user[request]
        request, shown = request[by_others], shown[by_others]
        key, place = np.unique(request * len(items) + code[shown], return_inverse=True)

        own = np.arange(impressions.first[chunk[0]], impressions.first[chunk[-1] + 1])
        own_key = shown_by[own] * len(items) + code[own]
        yield Pool(
            impression=key // len(items),
            item=items[key % len(items)],
            clicks=np.bincount(place, weights=impressions.clicked[shown], minlength=len(key)),
            exposed=np.isin(key, own_key),
            clicked=np.isin(key, own_key[impressions.clicked[own]]),
        )


def _window(
    impressions: Impressions, chunk: np.ndarray, minutes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (request, index into shown_item) of everything shown in the requests' windows."""
    moment = impressions.moment
    since = np.searchsorted(moment, moment[chunk] - minutes * MICROSECONDS_A_MINUTE, side="left")
    until = np.searchsorted(moment, moment[chunk], side="left")
    begin, lengths = impressions.first[since], impressions.first[until] - impressions.first[since]
    offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(chunk, lengths), np.repeat(begin, lengths) + offset
