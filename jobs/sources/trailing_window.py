"""Candidates of requests whose own were not logged: what *others* were shown in the window before.

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

from jobs.sources.config import MICROSECONDS_A_MINUTE, SourceConfig


@dataclass(frozen=True, slots=True)
class Request:
    """One request's rows in its chunk, and what others did before it, by item code."""

    rows: np.ndarray
    """Its own logged rows."""
    shown: np.ndarray
    clicks: np.ndarray
    shown_at: np.ndarray
    """The row in which each item was shown last, to anybody."""
    met: np.ndarray
    """Codes of the items that its user was shown in the window."""


class Chunk:
    """The rows of some requests (`_is_request`), and every event in the window of any of them."""

    def __init__(self, rows: pa.Table, width: int) -> None:
        """Sort the events by time and number the items in the order of their ids."""
        self.rows, self.width = rows.combine_chunks(), width
        items = self.rows["item_id"].combine_chunks()
        self.items = items.unique().take(pc.sort_indices(items.unique()))
        self.code = pc.index_in(items, self.items).to_numpy(zero_copy_only=False).astype(np.int64)
        users = self.rows["user_id"].combine_chunks().dictionary_encode().indices
        self.user = users.to_numpy(zero_copy_only=False)
        self.clicked, self.exposed = _flag(self.rows, "label"), _flag(self.rows, "exposed")
        self.ts, self.at = (self.rows[name].to_numpy() for name in ("ts", "_at"))
        self.is_request = _flag(self.rows, "_is_request").astype(bool)
        by_time = [(name, "ascending") for name in ("_at", "request_id", "_place", "item_id")]
        order = pc.sort_indices(self.rows, by_time).to_numpy().astype(np.int64)
        self.events = order[~self.is_request[order]]
        # By user, then time: the sort is stable.
        self.by_user = self.events[np.argsort(self.user[self.events], kind="stable")]
        self.users = self.user[self.by_user]

    def requests(self) -> Iterator[Request]:
        """Yield the requests in order of time, each with the window before it."""
        shown = np.zeros(len(self.items), np.int64)
        clicks = np.zeros(len(self.items), np.int64)
        shown_at = np.zeros(len(self.items), np.int64)
        times = self.at[self.events]
        entered = left = 0
        for rows in self._logged():
            now = self.ts[rows[0]]
            entering = self.events[entered : (stop := np.searchsorted(times, now))]
            leaving = self.events[left : (gone := np.searchsorted(times, now - self.width))]
            for events, change in ((entering, 1), (leaving, -1)):
                np.add.at(shown, self.code[events], change)
                np.add.at(clicks, self.code[events], change * self.clicked[events])
            # Of several rows the last one stays.
            shown_at[self.code[entering]] = entering
            entered, left = stop, gone
            own = self._own(self.user[rows[0]], now)
            others, liked = shown.copy(), clicks.copy()
            np.subtract.at(others, self.code[own], 1)
            np.subtract.at(liked, self.code[own], self.clicked[own])
            yield Request(rows, others, liked, shown_at, np.unique(self.code[own]))

    def _logged(self) -> list[np.ndarray]:
        """Return the rows of each request, requests in order of time."""
        order = [(name, "ascending") for name in ("ts", "request_id", "_place", "item_id")]
        rows = pc.sort_indices(self.rows, order).to_numpy().astype(np.int64)
        rows = rows[self.is_request[rows]]
        if not len(rows):
            return []
        ids = self.rows["request_id"].combine_chunks().dictionary_encode().indices
        request = ids.to_numpy(zero_copy_only=False)[rows]
        return np.split(rows, np.flatnonzero(np.diff(request)) + 1)

    def _own(self, user: int, now: int) -> np.ndarray:
        """Return the user's own events in the window."""
        mine = self.by_user[slice(*np.searchsorted(self.users, [user, user + 1]))]
        return mine[slice(*np.searchsorted(self.at[mine], [now - self.width, now]))]


def _flag(rows: pa.Table, name: str) -> np.ndarray:
    return pc.fill_null(rows[name].cast(pa.int64()), 0).to_numpy()


@dataclass(frozen=True, slots=True)
class Trailing:
    """Gives requests the candidates and the score that the window says."""

    source: SourceConfig
    of_item: frozenset[str]
    """Columns that an item has wherever it was shown; it keeps those of the last time."""
    schema: pa.Schema

    def candidates(self, rows: pa.Table) -> pa.Table:
        """Return the rows of a chunk's requests: the schema's columns."""
        chunk = Chunk(rows, self.source.window_minutes * MICROSECONDS_A_MINUTE)
        made = [self._of(chunk, request) for request in chunk.requests()]
        return pa.concat_tables(made) if made else self.schema.empty_table()

    def _of(self, chunk: Chunk, request: Request) -> pa.Table:
        """Return the candidates of one request."""
        logged = chunk.code[request.rows]
        items = self._pool(chunk, request, logged)
        order = np.argsort(logged)
        at = order[np.minimum(np.searchsorted(logged[order], items), len(logged) - 1)]
        is_own = logged[at] == items
        own = pa.array(request.rows[at], mask=~is_own)
        item_at = pa.array(np.where(is_own, request.rows[at], request.shown_at[items]))
        out = np.setdiff1d(request.rows, request.rows[at][is_own])
        n = len(items)
        new = {
            "score": request.clicks[items].astype(np.float64),
            "derived": ~is_own,
            "exposed": pc.fill_null(chunk.rows["exposed"].take(own), 0),
            "missed_positives": np.full(n, chunk.clicked[out].sum()),
            "_left_out": np.full(n, len(out)),
            "_missed_shown": np.full(n, chunk.exposed[out].sum()),
        }
        once = pa.array(np.full(n, request.rows[0]))
        columns = {}
        for name in self.schema.names:
            if name in new:
                columns[name] = new[name]
            elif name in ("shown_rank", "label"):
                columns[name] = chunk.rows[name].take(own)
            else:
                columns[name] = chunk.rows[name].take(item_at if name in self.of_item else once)
        return pa.table(columns).cast(self.schema)

    def _pool(self, chunk: Chunk, request: Request, logged: np.ndarray) -> np.ndarray:
        """Return the codes of the candidates."""
        others = request.shown > 0
        if self.source.skip_seen:
            others[request.met] = False
        if self.source.candidates == "sample":
            others[logged] = False
            pool = np.flatnonzero(others)
            name = str(chunk.rows["request_id"][int(request.rows[0])].as_py())
            chance = np.random.default_rng([self.source.seed, crc32(name.encode())])
            drawn = chance.choice(pool, min(self.source.pool_size, len(pool)), replace=False)
            return np.concatenate([logged, np.sort(drawn)])
        pool = np.flatnonzero(others)
        size = min(self.source.pool_size or len(pool), self.source.most_candidates)
        if len(pool) > size:
            best = np.argsort(-request.clicks[pool], kind="stable")[:size]
            return np.sort(pool[best])
        return pool
