"""Raw rows as candidate rows: what a Spark task does with one piece of a file.

A source row gives one staged row a candidate, or one rejected row with the first thing that is
wrong with it. Of the rows outside the days that the import needs only a count is kept and, for the
reference vectors, their clicks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import MICROSECONDS_A_MINUTE, LogFiles
from jobs.sources.log_rows import LogRows
from jobs.sources.raw_batch import RawBatch
from jobs.sources.raw_files import Piece, read
from jobs.sources.sheet import LONGEST_SHOWN, Rejected, Unread, shown
from schemas.arrow import ARROW_TYPES
from schemas.table import Fields

ROW, CLICK, REJECT, UNREAD = "row", "click", "reject", "unread"
READ, ELSEWHERE, DAYLESS = "read", "elsewhere", "dayless"
"""What a staged row is: a candidate; a click of another day; a source row that cannot be used;
values of a field that could not be read; or how many source rows were read, are of other days, or
cannot be used and tell no day (in `_count`, as that of the values is)."""
ROWS_AT_ONCE = {"candidates": 65_536, "events": 65_536, "requests": 1_024}
# Names that begin with _ are ours: no field of a profile can be called so.
ABOUT = [
    ("_kind", pa.string()),
    ("_count", pa.int64()),
    ("_file", pa.string()),
    ("_line", pa.int64()),
    ("_reason", pa.string()),
    ("_value", pa.string()),
    ("_text", pa.string()),
]
"""What every staged row says of itself, whatever files it is from."""
SHOWN_TEXT = 4000
"""Characters of a rejected row that are kept."""
SPREAD_MINUTES = 10
"""Rows of one request may lie so far apart."""
OUTSIDE = "ts is outside the day that its file is named for"


@dataclass(frozen=True, slots=True)
class Span:
    """The times that an import needs, in microseconds since 1970 UTC."""

    since: int
    """Start of the trailing window of the day's first request."""
    begin: int
    end: int

    @property
    def until(self) -> int:
        """End of the last request that began on the day."""
        return self.end + SPREAD_MINUTES * MICROSECONDS_A_MINUTE


def staged_schema(fields: Fields) -> pa.Schema:
    """Return the columns of staged rows; a candidate's that are not in the logs are null."""
    known = {"request_id": fields.request_id, "user_id": fields.user_id, "item_id": fields.item_id}
    typed = {name: ARROW_TYPES[kind] for name, kind in known.items()}
    typed |= dict.fromkeys((*fields.context, *fields.item), pa.string())
    typed |= dict.fromkeys((*fields.dense_columns, "score"), pa.float64())
    typed |= dict.fromkeys(("exposed", "shown_rank", "label"), pa.int32())
    return pa.schema([*typed.items(), ("ts", pa.int64()), ("_place", pa.int64()), *ABOUT])


@dataclass(frozen=True, slots=True)
class Stager:
    """Turns pieces of the log files into staged rows."""

    fields: Fields
    logs: LogFiles
    root: Path
    """The folder that files are named from."""
    span: Span | None
    """None where every row is needed."""
    of_the_day: frozenset[str]
    """Files that are named for the day, and so may hold no other."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of its staged rows."""
        return staged_schema(self.fields)

    def __call__(self, piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield the staged rows of a piece."""
        for batch in read(self.logs, piece, ROWS_AT_ONCE[self.logs.rows]):
            yield from self.stage(batch)

    def stage(self, raw: RawBatch) -> Iterator[pa.RecordBatch]:
        """Yield the staged rows of a batch: candidates, clicks elsewhere, rejects, counts."""
        found = LogRows(self.fields, self.logs, raw, self.root)
        is_kept, is_elsewhere, torn = self._place_in_time(found, raw)
        rejects, row = found.sheet.rejects, found.row
        kept = (rejects.usable & is_kept)[row]
        clicked = pc.fill_null(pc.equal(found.columns["label"], 1), False)
        click = clicked.to_numpy(zero_copy_only=False) & rejects.usable[row] & ~kept
        columns = {name: values for name, values in found.columns.items() if name != "place"}
        columns |= {
            "_place": found.columns["place"],
            "_kind": pa.array(np.where(kept, ROW, CLICK)),
            "_file": pa.repeat(raw.name(self.root), len(row)),
            "_line": pa.array(np.array(raw.number, np.int64)[row]),
        }
        yield batch_of(self.schema, columns, len(row)).filter(pa.array(kept | click))
        rejected = [*found.sheet.rejected(~is_elsewhere), *torn]
        counts = {
            READ: raw.count,
            ELSEWHERE: raw.count - len(rejected) - len(np.unique(row[kept])),
            DAYLESS: self._dayless(found, rejected, torn),
        }
        unread = found.sheet.unread(rejects.usable & is_kept)
        yield from accounted(self.schema, raw.name(self.root), counts, rejected, unread)

    def _dayless(self, found: LogRows, rejected: list[Rejected], torn: list[Rejected]) -> int:
        """Return how many of the rejected rows may be of any day.

        Those without a time are, but in files that are named for a day; and every one of events,
        whose requests are not made yet.
        """
        if self.span is None:
            return len(rejected)
        if self.of_the_day:
            return 0
        timeless = ~found.sheet.rejects.usable & found.ts.is_null().to_numpy(zero_copy_only=False)
        return int(timeless.sum()) + len(torn)

    def _place_in_time(
        self, found: LogRows, raw: RawBatch
    ) -> tuple[np.ndarray, np.ndarray, list[Rejected]]:
        """Return which source rows the day needs, which are of other days, and the torn of it."""
        n = len(raw.number)
        if self.span is None:
            return np.ones(n, bool), np.zeros(n, bool), raw.torn
        is_known = found.ts.is_valid().to_numpy(zero_copy_only=False)
        ts = pc.fill_null(found.ts, 0).to_numpy()
        kept = is_known & (ts >= self.span.since) & (ts < self.span.until)
        if raw.path in self.of_the_day:
            # Rows of a request of several may come a little later; a request of one row not.
            end = self.span.end if self.logs.rows == "requests" else self.span.until
            outside = is_known & ((ts < self.span.begin) | (ts >= end))
            moment = found.ts.cast(pa.timestamp("us", "UTC"))
            found.sheet.rejects.add_rows(
                np.flatnonzero(outside), OUTSIDE, lambda row: shown(moment[row])
            )
            return kept, np.zeros(n, bool), raw.torn
        elsewhere = is_known & ((ts < self.span.begin) | (ts >= self.span.end))
        if self.of_the_day:  # A file of the days before: whatever is wrong in it is theirs.
            return kept, np.ones(n, bool), []
        return kept, elsewhere, raw.torn


def accounted(
    schema: pa.Schema,
    file: str,
    counts: dict[str, int],
    rejected: list[Rejected],
    unread: list[Unread],
) -> Iterator[pa.RecordBatch]:
    """Yield the staged rows that account for a batch: counts by kind, and what is of no use."""
    yield batch_of(schema, {"_kind": list(counts), "_count": list(counts.values())}, len(counts))
    columns = {
        "_kind": [UNREAD] * len(unread),
        "_count": [one.count for one in unread],
        "_file": [file] * len(unread),
        "_line": [one.number for one in unread],
        "_reason": [one.reason for one in unread],
        "_value": [one.value[:LONGEST_SHOWN] for one in unread],
    }
    yield batch_of(schema, columns, len(unread))
    number, reason, value, text = zip(*rejected, strict=True) if rejected else ((),) * 4
    columns = {
        "_kind": [REJECT] * len(rejected),
        "_file": [file] * len(rejected),
        "_line": list(number),
        "_reason": list(reason),
        "_value": [each[:LONGEST_SHOWN] for each in value],
        "_text": [each[:SHOWN_TEXT] for each in text],
    }
    yield batch_of(schema, columns, len(rejected))


def batch_of(schema: pa.Schema, columns: dict[str, pa.Array | list], rows: int) -> pa.RecordBatch:
    """Return so many rows of a schema; a column that is not given is null."""
    arrays = []
    for field in schema:
        values = columns.get(field.name, pa.nulls(rows, field.type))
        is_array = isinstance(values, pa.Array | pa.ChunkedArray)
        arrays.append(values.cast(field.type) if is_array else pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
