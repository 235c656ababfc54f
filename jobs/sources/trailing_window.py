"""Candidates and popularity from what *others* were shown and clicked in the window before.

A request at time t knows the window [t - width, t): nothing at t or later, nothing of its own, and
nothing of the same user, whose request of a second ago is often the same page logged again. So its
own list can give nothing away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import SourceConfig

MICROSECONDS_A_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request's rows in its chunk, and what others did before it, by item code."""

    rows: np.ndarray
    """Its own logged rows."""
    shown: np.ndarray
    clicks: np.ndarray
    met: np.ndarray
    """Codes of the items that its user was shown in the window."""


class Chunk:
    """The rows of some requests and of every event in the window of any of them.

    `rows` has is_request (a candidate of one of the requests, else an event alone) beside the
    columns of staged rows.
    """

    def __init__(self, rows: pa.Table, width: int) -> None:
        """Sort the events by time and number the items in the order of their ids."""
        self.rows, self.width = rows.combine_chunks(), width
        items = rows["item_id"].combine_chunks()
        self.items = items.unique().take(pc.sort_indices(items.unique()))
        self.code = pc.index_in(items, self.items).to_numpy(zero_copy_only=False).astype(np.int64)
        self.ts = rows["ts"].to_numpy()
        users = rows["user_id"].combine_chunks().dictionary_encode().indices
        self.user = users.to_numpy(zero_copy_only=False)
        self.clicked = _flag(rows, "label")
        self.exposed = _flag(rows, "exposed")
        events = np.flatnonzero(self.exposed)
        self.events = events[np.argsort(self.ts[events], kind="stable")]
        # By user, then time: the sort is stable.
        self.by_user = self.events[np.argsort(self.user[self.events], kind="stable")]
        self.users = self.user[self.by_user]
        # Where an item was shown tells its fields.
        self.shown_at = np.zeros(len(self.items), np.int64)
        self.shown_at[self.code[::-1]] = np.arange(len(self.code))[::-1]

    def requests(self) -> Iterator[Request]:
        """Yield the requests in order of time, each with the window before it."""
        shown = np.zeros(len(self.items), np.int64)
        clicks = np.zeros(len(self.items), np.int64)
        times = self.ts[self.events]
        entered = left = 0
        for rows in self._logged():
            now = self.ts[rows[0]]
            entering = self.events[entered : (stop := np.searchsorted(times, now))]
            leaving = self.events[left : (gone := np.searchsorted(times, now - self.width))]
            for events, change in ((entering, 1), (leaving, -1)):
                np.add.at(shown, self.code[events], change)
                np.add.at(clicks, self.code[events], change * self.clicked[events])
            entered, left = stop, gone
            own = self._own(self.user[rows[0]], now)
            others, liked = shown.copy(), clicks.copy()
            np.subtract.at(others, self.code[own], 1)
            np.subtract.at(liked, self.code[own], self.clicked[own])
            yield Request(rows, others, liked, np.unique(self.code[own]))

    def _logged(self) -> list[np.ndarray]:
        """Return the rows of each request, requests in order of time."""
        rows = np.flatnonzero(_flag(self.rows, "is_request"))
        if not len(rows):
            return []
        ids = self.rows["request_id"].combine_chunks().dictionary_encode().indices
        request = ids.to_numpy(zero_copy_only=False)[rows]
        rows = rows[np.lexsort((self.rows["place"].to_numpy()[rows], request, self.ts[rows]))]
        request = ids.to_numpy(zero_copy_only=False)[rows]
        return np.split(rows, np.flatnonzero(np.diff(request)) + 1)

    def _own(self, user: int, now: int) -> np.ndarray:
        """Return the user's own events in the window."""
        mine = self.by_user[slice(*np.searchsorted(self.users, [user, user + 1]))]
        return mine[slice(*np.searchsorted(self.ts[mine], [now - self.width, now]))]


def _flag(rows: pa.Table, name: str) -> np.ndarray:
    return pc.fill_null(rows[name].cast(pa.int64()), 0).to_numpy()


@dataclass(frozen=True, slots=True)
class Trailing:
    """Gives requests the candidates and the score that the window says."""

    source: SourceConfig
    of_item: frozenset[str]
    """Columns that an item has wherever it was shown."""
    schema: pa.Schema

    def candidates(self, rows: pa.Table) -> pa.Table:
        """Return the rows of a chunk's requests: the schema's columns."""
        chunk = Chunk(rows, self.source.window_minutes * MICROSECONDS_A_MINUTE)
        made = [self._candidates(chunk, request) for request in chunk.requests()]
        if not made:
            return self.schema.empty_table()
        names = ("request", "item", "own", "score", "missed", "left", "left_shown")
        parts = dict(zip(names, map(np.concatenate, zip(*made, strict=True)), strict=True))
        return self._table(chunk, **parts)

    def _candidates(self, chunk: Chunk, request: Request) -> tuple[np.ndarray, ...]:
        """Return arrays by candidate: the request's first row, item code, own row or -1, score.

        And how many clicks, rows and shown rows of the request are left out.
        """
        logged = chunk.code[request.rows]
        items = self._pool(chunk, request, logged)
        order = np.argsort(logged)
        at = order[np.minimum(np.searchsorted(logged[order], items), len(logged) - 1)]
        own = np.where(logged[at] == items, request.rows[at], -1)
        n, out = len(items), np.setdiff1d(request.rows, own)
        left = (chunk.clicked[out].sum(), len(out), chunk.exposed[out].sum())
        first = np.full(n, request.rows[0])
        score = request.clicks[items].astype(np.float64)
        return first, items, own, score, *(np.full(n, count) for count in left)

    def _pool(self, chunk: Chunk, request: Request, logged: np.ndarray) -> np.ndarray:
        if self.source.candidates == "logged":
            return logged
        others = request.shown > 0
        if self.source.skip_seen:
            others[request.met] = False
        if self.source.candidates == "sample":
            others[logged] = False
        pool, size = np.flatnonzero(others), self.source.pool_size
        if self.source.candidates == "sample":
            name = str(chunk.rows["request_id"][int(request.rows[0])].as_py())
            chance = np.random.default_rng([self.source.seed, crc32(name.encode())])
            drawn = chance.choice(pool, min(size, len(pool)), replace=False)
            return np.concatenate([logged, np.sort(drawn)])
        if size and len(pool) > size:
            best = np.argsort(-request.clicks[pool], kind="stable")[:size]
            return np.sort(pool[best])
        return pool

    def _table(
        self,
        chunk: Chunk,
        request: np.ndarray,
        item: np.ndarray,
        own: np.ndarray,
        score: np.ndarray,
        missed: np.ndarray,
        left: np.ndarray,
        left_shown: np.ndarray,
    ) -> pa.Table:
        mine = own >= 0
        at_item = pa.array(np.where(mine, own, chunk.shown_at[item]))
        at_own, at_request = pa.array(own, mask=~mine), pa.array(request)
        exposed = pc.fill_null(chunk.rows["exposed"].take(at_own), 0)
        new = {
            "derived": ~mine,
            "missed_positives": missed,
            "left_out": left,
            "missed_shown": left_shown,
            "exposed": exposed,
            "score": score,
        }
        of_candidate = {"shown_rank", "label", "place"}
        columns = {}
        for name in self.schema.names:
            if name in new:
                columns[name] = new[name]
            elif name in of_candidate:
                columns[name] = chunk.rows[name].take(at_own)
            else:
                at = at_item if name in self.of_item else at_request
                columns[name] = chunk.rows[name].take(at)
        return pa.table(columns).cast(self.schema)
