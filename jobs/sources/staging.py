"""Raw rows as candidate rows: what a Spark task does with one piece of a file.

A source row gives one staged row a candidate, or one rejected row with the first thing that is
wrong with it. Of the rows outside the days that the import needs only a count is kept and, for the
reference vectors, their clicks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.config import LogFiles
from jobs.sources.log_rows import LogRows
from jobs.sources.raw_files import Piece, RawBatch, read
from jobs.sources.sheet import Rejected
from schemas.arrow import ARROW_TYPES
from schemas.table import Fields

ROW, CLICK, REJECT, READ, ELSEWHERE = "row", "click", "reject", "read", "elsewhere"
"""What a staged row is: a candidate; a click of another day; a source row that cannot be used; or
how many source rows were read, or are of other days (in `count`)."""
ROWS_AT_ONCE = {"candidates": 65_536, "events": 65_536, "requests": 1_024}
ABOUT = [
    ("kind", pa.string()),
    ("count", pa.int64()),
    ("source_file", pa.string()),
    ("source_row", pa.int64()),
    ("reason", pa.string()),
    ("value", pa.string()),
    ("row", pa.string()),
]
"""What every staged row says of itself, whatever files it is from."""
SHOWN_TEXT = 500
"""Characters of a rejected row that are kept."""
OUTSIDE = "ts is outside the day that its file is named for"


@dataclass(frozen=True, slots=True)
class Span:
    """The times that an import needs, in microseconds since 1970 UTC."""

    since: int
    """Start of the trailing window of the day's first request."""
    begin: int
    end: int


def staged_schema(fields: Fields) -> pa.Schema:
    """Return the columns of staged rows; a candidate's that are not in the logs are null."""
    known = {"request_id": fields.request_id, "user_id": fields.user_id, "item_id": fields.item_id}
    typed = {name: ARROW_TYPES[kind] for name, kind in known.items()}
    typed |= dict.fromkeys((*fields.context, *fields.item), pa.string())
    typed |= dict.fromkeys((*fields.dense_columns, "score"), pa.float64())
    typed |= dict.fromkeys(("exposed", "shown_rank", "label", "place"), pa.int32())
    return pa.schema([*typed.items(), ("ts", pa.int64()), ("is_today", pa.bool_()), *ABOUT])


@dataclass(frozen=True, slots=True)
class Stager:
    """Turns pieces of the log files into staged rows."""

    fields: Fields
    logs: LogFiles
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
        found = LogRows(self.fields, self.logs, raw)
        is_today, is_kept = self._place_in_time(found, raw.path)
        usable, row = found.sheet.rejects.usable, found.row
        today, kept = is_today & usable[row], is_kept & usable[row]
        clicked = pc.fill_null(pc.equal(found.columns["label"], 1), False)
        click = clicked.to_numpy(zero_copy_only=False) & usable[row] & ~kept
        columns = found.columns | {
            "kind": pa.array(np.where(kept, ROW, CLICK)),
            "is_today": pa.array(today),
            "source_file": pa.repeat(raw.path, len(row)),
            "source_row": pa.array(np.array(raw.number, np.int64)[row]),
        }
        schema = staged_schema(self.fields)
        yield batch_of(schema, columns, len(row)).filter(pa.array(kept | click))
        is_used = np.zeros(len(usable), bool)
        is_used[row[today]] = True
        counts = [len(raw.number) + len(raw.torn), int((usable & ~is_used).sum())]
        yield batch_of(schema, {"kind": [READ, ELSEWHERE], "count": counts}, 2)
        rejected = [*found.sheet.rejected(), *raw.torn]
        yield batch_of(schema, rejected_columns(raw.path, rejected), len(rejected))

    def _place_in_time(self, found: LogRows, path: str) -> tuple[np.ndarray, np.ndarray]:
        """Return which candidates are of the day, and which of it or of the window before."""
        every = np.ones(len(found.row), bool)
        if self.span is None:
            return every, every
        ts = pc.fill_null(found.columns["ts"], 0).to_numpy()
        today = (ts >= self.span.begin) & (ts < self.span.end)
        if path in self.of_the_day:
            found.sheet.rejects.add_rows(found.row[~today], OUTSIDE)
        return today, today | ((ts >= self.span.since) & (ts < self.span.begin))


def rejected_columns(path: str, rejected: list[Rejected]) -> dict[str, list]:
    """Return the staged columns of rows that cannot be used."""
    number, reason, value, text = zip(*rejected, strict=True) if rejected else ((),) * 4
    return {
        "kind": [REJECT] * len(rejected),
        "source_file": [path] * len(rejected),
        "source_row": list(number),
        "reason": list(reason),
        "value": [shown[:SHOWN_TEXT] for shown in value],
        "row": [shown[:SHOWN_TEXT] for shown in text],
    }


def batch_of(schema: pa.Schema, columns: dict[str, pa.Array | list], rows: int) -> pa.RecordBatch:
    """Return so many rows of a schema; a column that is not given is null."""
    arrays = []
    for field in schema:
        values = columns.get(field.name, pa.nulls(rows, field.type))
        is_array = isinstance(values, pa.Array | pa.ChunkedArray)
        arrays.append(values.cast(field.type) if is_array else pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
