"""Raw log rows as candidate rows, by a profile's columns."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import Refused
from jobs.sources.config import LogFiles
from jobs.sources.list_matches import ListMatches, codes
from jobs.sources.raw_batch import RawBatch
from jobs.sources.raw_times import moments
from jobs.sources.raw_values import (
    Checked,
    finite,
    ids,
    numbers,
    problem,
    tokens,
    zero_or_one,
)
from jobs.sources.sheet import Sheet
from schemas.table import Fields

NO_CANDIDATES = "no candidates"


class LogRows:
    """Candidate rows in `columns`; `row` is the place of each one's source row in the sheet.

    `ts` has the time of each source row, null where it has none that can be read.
    """

    def __init__(self, fields: Fields, logs: LogFiles, raw: RawBatch, root: Path) -> None:
        """Read the batch; what cannot be used is in the sheet's rejects."""
        self.fields, self.logs, self.sheet, self.root = fields, logs, Sheet(raw), root
        self.columns: dict[str, pa.Array] = {}
        self._lists: dict[str, pa.Array] = {}
        if logs.rows == "requests":
            self._open_lists()
        else:
            self.row = self.sheet.every
            self.place = np.array(raw.number, np.int64)
        self._read_requests()
        self._read_items()
        self._read_feedback()

    def _open_lists(self) -> None:
        """Give every candidate its source row; reject rows with lists of different lengths."""
        sheet, columns = self.sheet, self.logs.columns
        names = ("item_id", *self.fields.item, *self.fields.dense_columns)
        names += ("score", "exposed", "shown_rank", "label")
        specs = {name: columns[name] for name in names if name in columns}
        read = {
            name: sheet.lists(spec)
            for name, spec in specs.items()
            if spec.of is None and sheet.is_list(spec)
        }
        if "item_id" not in read:
            raise Refused(
                f"{sheet.raw.path}: {columns['item_id'].column!r} holds no lists, where a row is a "
                'request; say where its text is cut, such as split = " ", or rows = "candidates"'
            )
        lengths = read["item_id"][1]
        fits = np.ones(len(lengths), bool)
        for name, (_, others) in read.items():
            uneven = np.flatnonzero(fits & (others != lengths))
            reason = f"{name} and item_id are lists of different lengths"
            sheet.rejects.add_rows(
                uneven, reason, lambda row, own=others: f"{own[row]} and {lengths[row]}"
            )
            fits[uneven] = False
        empty = np.flatnonzero(fits & (lengths == 0))
        sheet.rejects.add_rows(empty, NO_CANDIDATES, lambda _: "")
        self._lists = {
            name: values.filter(pa.array(np.repeat(fits, found)))
            for name, (values, found) in read.items()
        }
        lengths = lengths * fits
        self.row = np.repeat(sheet.every, lengths)
        self.place = np.arange(len(self.row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)

    def _values(self, name: str) -> pa.Array:
        """Return the raw values of a column, one a candidate."""
        if name in self._lists:
            return self._lists[name]
        spec = self.logs.columns[name]
        if name in self.fields.item:
            values = self.sheet.field(spec, self.fields.category_separator)
        else:
            values = self.sheet.values(spec)
        return values.take(pa.array(self.row))

    def _read_requests(self) -> None:
        """Read what a request has once, and give it to each of its candidates."""
        for name in ("request_id", "user_id", "ts", *self.fields.context):
            spec = self.logs.columns.get(name)
            if spec is None:
                continue
            if name == "ts":
                raw = self.sheet.column(spec)
                values, found = moments(raw, spec)
                if spec.row_number:
                    values = pc.add(values, pa.array(np.array(self.sheet.raw.number) * 1_000_000))
                self.ts = values
            elif name in self.fields.context:
                raw = self.sheet.field(spec, self.fields.category_separator)
                values, found = tokens(raw, spec, name)
                self.sheet.add_unread(found, self.sheet.every, raw)
                found = []
            else:
                kind = getattr(self.fields, name)
                raw = self._row_numbers(kind) if spec.row_number else self.sheet.values(spec)
                values, found = ids(raw, kind, name)
            self.sheet.rejects.add(found, self.sheet.every, raw)
            self.columns[name] = values.take(pa.array(self.row))

    def _row_numbers(self, kind: str) -> pa.Array:
        raw = self.sheet.raw
        if kind == "int64":
            return pa.array(raw.number, pa.int64())
        file = raw.name(self.root)
        return pa.array([f"{file}:{number}" for number in raw.number], pa.string())

    def _read_items(self) -> None:
        """Read what a candidate is."""
        items = self._checked("item_id", lambda raw: ids(raw, self.fields.item_id, "item_id"))
        self.columns |= {"item_id": items, "place": pa.array(self.place)}
        if self.logs.rows == "requests":
            key = self.row * (len(items) + 1) + codes(items, items)[0]
            order = np.argsort(key, kind="stable")
            twice = np.zeros(len(key), bool)
            twice[order[1:]] = np.diff(key[order]) == 0
            self._reject(twice, "a candidate is in the list twice", items)
        for name in self.fields.item:
            if spec := self.logs.columns.get(name):
                raw = self._values(name)
                self.columns[name], found = tokens(raw, spec, name)
                self.sheet.add_unread(found, self.row, raw)
        for name in self.fields.dense_columns:
            if name in self.logs.columns:
                self.columns[name] = self._checked(name, lambda raw, name=name: finite(raw, name))

    def _read_feedback(self) -> None:
        """Read how a candidate was scored and what came of it."""
        items = self.columns["item_id"]
        self.columns["score"] = self._score()
        exposed = self._flag("exposed")
        is_exposed = pc.fill_null(pc.equal(exposed, 1), False)
        label = self._flag("label")
        self._reject(exposed.is_null(), "exposed is missing", items)
        stray = pc.and_(pc.equal(label, 1), pc.invert(is_exposed))
        self._reject(stray, "clicked but not exposed", items)
        self._reject(pc.and_(is_exposed, label.is_null()), "exposed without a label", items)
        self.columns |= {"exposed": exposed, "label": pc.if_else(is_exposed, label, None)}
        if "shown_rank" in self.logs.columns:
            rank = self._shown_rank(is_exposed)
            self.columns["shown_rank"] = pc.if_else(is_exposed, rank, None)

    def _score(self) -> pa.Array:
        """Return the pre-ranking score; null where it is derived later."""
        spec = self.logs.columns.get("score")
        if spec is None or spec.derive == "popularity":
            return pa.nulls(len(self.row), pa.float64())
        if spec.derive == "position":
            return pa.array(0.0 - self.place)
        values = self._checked("score", lambda raw: finite(raw, "score"))
        return pc.negate(values) if spec.smaller_is_better else values

    def _flag(self, name: str) -> pa.Array:
        """Return a column of 0 and 1, null where missing; all 1 where the profile has none."""
        spec = self.logs.columns.get(name)
        if spec is None:
            return pa.array(np.ones(len(self.row), np.int32))
        if spec.among is None and spec.of is None:
            return self._checked(name, lambda raw: zero_or_one(raw, spec, name))
        matches = ListMatches(self.sheet, self.columns["item_id"], self.row, self.fields)
        if spec.among is not None:
            alone = self.logs.rows != "requests"
            return pa.array(matches.among(spec.among, alone=alone).astype(np.int32))
        raw = matches.values_of(spec)
        values, found = zero_or_one(raw, spec, name)
        self.sheet.rejects.add(found, self.row, raw)
        return values

    def _shown_rank(self, is_exposed: pa.Array) -> pa.Array:
        spec = self.logs.columns["shown_rank"]
        if spec.derive == "position":
            shown = is_exposed.to_numpy(zero_copy_only=False).astype(np.int64)
            running = np.cumsum(shown) - shown
            first = np.searchsorted(self.row, self.row)
            return pa.array(running - running[first] + 1, pa.int32())
        raw = self._values("shown_rank")
        rank, found = numbers(raw, "shown_rank")
        whole = pc.and_(pc.equal(rank, pc.trunc(rank)), pc.greater_equal(rank, 1))
        whole = pc.fill_null(pc.and_(whole, pc.less(rank, 2.0**31)), False)
        bad = pc.and_(pc.and_(is_exposed, rank.is_valid()), pc.invert(whole))
        found += problem(bad, "shown_rank is no place from 1 on")
        self.sheet.rejects.add(found, self.row, raw)
        return pc.if_else(whole, rank, None).cast(pa.int32())

    def _checked(self, name: str, check: Callable[[pa.Array], Checked]) -> pa.Array:
        """Return a candidate column's values; reject the rows of those that cannot be used."""
        raw = self._values(name)
        values, found = check(raw)
        self.sheet.rejects.add(found, self.row, raw)
        return values

    def _reject(self, mask: pa.Array | np.ndarray, reason: str, values: pa.Array) -> None:
        self.sheet.rejects.add(problem(mask, reason), self.row, values)
