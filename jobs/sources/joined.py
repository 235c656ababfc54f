"""Item and user files: the facts that are joined to the logs by an id."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.sources.checks import POSITION, first_reason, rejects_of
from jobs.sources.config import JoinedFiles
from jobs.sources.raw_files import Piece, RawBatch, read
from jobs.sources.raw_values import UNKNOWN, ids, tokens
from jobs.sources.sheet import Sheet
from jobs.sources.staging import ABOUT, READ, REJECT, ROW, batch_of, rejected_columns
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
            values = sheet.values(spec)
            if name == key:
                columns[name], found = ids(values, getattr(self.fields, key), key)
            else:
                columns[name], found = tokens(values, spec, name)
            sheet.rejects.add(found, sheet.every, values)
        rows = len(raw.number)
        columns |= {
            "_kind": [ROW] * rows,
            "_file": [raw.path] * rows,
            "_line": pa.array(np.array(raw.number, np.int64)),
        }
        usable = pa.array(sheet.rejects.usable)
        yield batch_of(self.schema, columns, rows).filter(usable)
        yield batch_of(self.schema, {"_kind": [READ], "_count": [rows + len(raw.torn)]}, 1)
        rejected = [*sheet.rejected(), *raw.torn]
        yield batch_of(self.schema, rejected_columns(raw.path, rejected), len(rejected))


@dataclass(frozen=True, slots=True)
class Facts:
    """Staged rows of item or user files, an id's first row being what is known of it."""

    part: str
    """The section of the profile, such as items[0]."""
    files: JoinedFiles
    staged: DataFrame

    @property
    def key(self) -> str:
        """The id that they are joined by."""
        return key_of(self.files)

    @property
    def numbered(self) -> DataFrame:
        """The usable rows, with a reason against all but the first of an id."""
        rows = self.staged.where(F.col("_kind") == ROW)
        again = F.row_number().over(Window.partitionBy(self.key).orderBy(*POSITION)) > 1
        words = f"{self.key} is described in an earlier row already"
        return first_reason(rows, [(again, words, self.key)])

    @property
    def rejects(self) -> DataFrame:
        """The rows that cannot be used."""
        again = self.numbered.where(F.col("_reason").isNotNull())
        staged = self.staged.where(F.col("_kind") == REJECT)
        return rejects_of(staged, self.part).union(rejects_of(again, self.part))


def join(rows: DataFrame, facts: Facts) -> DataFrame:
    """Return candidate rows with the facts of their item or user; what is not there is unknown."""
    names, key = facts_of(facts.files), facts.key
    known = facts.numbered.where(F.col("_reason").isNull())
    known = known.select(key, *names, F.lit(True).alias("_is_known"))
    found = rows.drop(*names).join(known, key, "left")
    found = found.withColumns({name: F.coalesce(name, F.lit(UNKNOWN)) for name in names})
    if facts.files.missing == "quarantine":
        lost = F.col("_is_known").isNull() & F.col("_reason").isNull()
        words = F.lit(f"{key} is not in the {key.removesuffix('_id')} files")
        reason = F.when(lost, words).otherwise(F.col("_reason"))
        value = F.when(lost, F.col(key).cast("string")).otherwise(F.col("_value"))
        found = found.withColumns({"_reason": reason, "_value": value})
    return found.drop("_is_known")
