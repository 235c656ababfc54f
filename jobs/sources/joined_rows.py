"""Rows of item and user files as facts about an id."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from jobs.sources.config import JoinedFiles
from jobs.sources.raw_batch import RawBatch
from jobs.sources.raw_files import Piece, read
from jobs.sources.raw_values import ids, tokens
from jobs.sources.sheet import Sheet
from jobs.sources.staging import ABOUT, READ, ROW, accounted, batch_of
from schemas.arrow import ARROW_TYPES
from schemas.table import Fields

ROWS_AT_ONCE = 65_536


def key_of(files: JoinedFiles) -> str:
    """Return the id that the files are joined by."""
    return "item_id" if "item_id" in files.columns else "user_id"


def facts_of(files: JoinedFiles) -> list[str]:
    """Return the columns that the files add."""
    return [name for name in files.columns if name != key_of(files)]


@dataclass(frozen=True, slots=True)
class JoinedReader:
    """Turns pieces of item or user files into staged rows."""

    fields: Fields
    files: JoinedFiles
    root: Path
    """The folder that files are named from."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of its staged rows."""
        key = key_of(self.files)
        facts = dict.fromkeys(facts_of(self.files), pa.string())
        return pa.schema([(key, ARROW_TYPES[getattr(self.fields, key)]), *facts.items(), *ABOUT])

    def __call__(self, piece: Piece) -> Iterator[pa.RecordBatch]:
        """Yield the staged rows of a piece."""
        for raw in read(self.files, piece, ROWS_AT_ONCE):
            yield from self.stage(raw)

    def stage(self, raw: RawBatch) -> Iterator[pa.RecordBatch]:
        """Yield the staged rows of a batch: facts, rejects, a count."""
        sheet, key = Sheet(raw), key_of(self.files)
        columns = {}
        for name, spec in self.files.columns.items():
            if name == key:
                values = sheet.values(spec)
                columns[name], found = ids(values, getattr(self.fields, key), key)
                sheet.rejects.add(found, sheet.every, values)
            else:
                values = sheet.field(spec, self.fields.category_separator)
                columns[name], found = tokens(values, spec, name)
                sheet.add_unread(found, sheet.every, values)
        rows = len(raw.number)
        columns |= {
            "_kind": [ROW] * rows,
            "_file": [raw.name(self.root)] * rows,
            "_line": pa.array(np.array(raw.number, np.int64)),
        }
        usable, rejected = sheet.rejects.usable, [*sheet.rejected(), *raw.torn]
        yield batch_of(self.schema, columns, rows).filter(pa.array(usable))
        file, unread = raw.name(self.root), sheet.unread(usable)
        yield from accounted(self.schema, file, {READ: raw.count}, rejected, unread)
