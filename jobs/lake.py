"""Where tables live and how they are read: always through the manifest, every byte verified."""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.audit import check_schema, same_type
from jobs.column_diff import column_diff
from jobs.errors import Refused
from jobs.manifest import Manifest
from schemas.arrow import ARROW_TYPES, arrow_schema, fingerprint
from schemas.table import Table

SAFE_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}")


def parse_day(text: str) -> date:
    """Return the date of 'YYYY-MM-DD'; refuse anything else, so that no path is made of it."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise Refused(f"date {text!r} is no day of the calendar; write it as 2026-01-31")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of one table: a folder with a manifest and version folders."""

    root: Path
    table: Table
    keys: tuple[tuple[str, str], ...]

    @property
    def path(self) -> Path:
        """The partition's folder."""
        return self.root.joinpath(self.table.name, *(f"{key}={value}" for key, value in self.keys))

    @property
    def name(self) -> str:
        """What messages and manifests call it, such as teacher_labels/dt=2026-01-02."""
        return self.path.relative_to(self.root).as_posix()

    def manifest(self) -> Manifest | None:
        """Return what is live, or None."""
        return Manifest.read(self.path)

    def require(self, maker: str) -> Manifest:
        """Return what is live; refuse with the command that makes it."""
        found = self.manifest()
        if found is None:
            day = dict(self.keys)["dt"]
            raise Refused(
                f"{self.name} is not in {self.root}; make it first: "
                f"python -m jobs.{maker} --lake {self.root} --date {day} --profile ..."
            )
        return found

    def folder(self) -> Path:
        """Return the live version's folder."""
        found = self.manifest()
        if found is None:
            raise Refused(f"{self.name} is not in {self.root}")
        return self.path / found.folder

    def files(self, columns: Collection[str] | None = None) -> list[Path]:
        """Return the live data files, each compared with its checksum; refuse a damaged one.

        Refuses a partition that has not the columns asked for (or all that are declared) as they
        are declared. What else it has is nothing to whoever reads those: columns may be added.
        """
        found = self.manifest()
        if found is None:
            raise Refused(f"{self.name} is not in {self.root}")
        files = verified(self.path / found.folder, found)
        if found.fingerprint != fingerprint(self.table):
            for path in files:
                self._check_columns(path, found, columns or self.table.names)
        return files

    def _check_columns(self, path: Path, found: Manifest, wanted: Collection[str]) -> None:
        """Refuse a file in which a wanted column is not what is declared, or may not be."""
        stored = pq.read_schema(path)
        for field in arrow_schema(self.table):
            if field.name not in wanted:
                continue
            # A list of so many values looks like any other one in a file.
            is_known = self.table[field.name].length is None or not self.table[field.name].is_list
            there = stored.field(field.name) if field.name in stored.names else None
            same = there is not None and same_type(there.type, field.type)
            if not same or not is_known or (there.nullable and not field.nullable):
                break
        else:
            return
        declared = {f.name: _described(f) for f in arrow_schema(self.table)}
        apart = column_diff(declared, {f.name: _described(f) for f in stored})
        raise Refused(
            f"{self.path} was written under other columns than the profile declares now: "
            f"{apart or 'the same names and types, but other lengths of lists or null rules'}; "
            f"make it again with python -m jobs.{found.step} ... --force"
        )

    def batches(
        self, columns: list[str] | None = None, rows: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """Read the live rows a batch at a time."""
        wanted = columns or list(self.table.names)
        for path in self.files(columns):
            with pq.ParquetFile(path) as parquet:
                check_schema(parquet.schema_arrow, self.table, str(path), wanted)
                yield from parquet.iter_batches(rows, columns=wanted)

    def row(self, column: str, value: object) -> pa.Table | None:
        """Return the first row that holds a value, as a table of one row; None without any.

        Only that column is read until it is found, and then one row group.
        """
        sought = pa.scalar(value, ARROW_TYPES[self.table[column].kind])
        for path in self.files():
            with pq.ParquetFile(path) as parquet:
                check_schema(parquet.schema_arrow, self.table, str(path), self.table.names)
                for group in range(parquet.num_row_groups):
                    at = pc.index(parquet.read_row_group(group, [column])[column], sought).as_py()
                    if at >= 0:
                        names = list(self.table.names)
                        return parquet.read_row_group(group, names).slice(at, 1)
        return None

    def read(self, columns: list[str] | None = None) -> pa.Table:
        """Read the whole partition."""
        batches = list(self.batches(columns))
        if not batches:
            return arrow_schema(self.table).empty_table().select(columns or list(self.table.names))
        return pa.Table.from_batches(batches)


def _described(field: pa.Field) -> str:
    """Return a column's type as a message names it."""
    is_list = pa.types.is_list(field.type)
    return f"list of {field.type.value_type}" if is_list else str(field.type)


def verified(folder: Path, manifest: Manifest) -> list[Path]:
    """Return the data files of a version after comparing every file with the manifest."""
    data = []
    for entry in manifest.files:
        path = folder / entry.name
        try:
            with path.open("rb") as source:
                found = hashlib.file_digest(source, "sha256").hexdigest()
        except OSError as error:
            raise Refused(
                f"{path} cannot be read ({error.strerror}); "
                f"make it again with python -m jobs.{manifest.step} ... --force"
            ) from error
        if found != entry.sha256:
            raise Refused(
                f"{path} is damaged: its checksum is not the one that {manifest.step} published; "
                f"make it again with python -m jobs.{manifest.step} ... --force"
            )
        if path.suffix == ".parquet" and not entry.name.startswith("_"):
            data.append(path)
    return data


@dataclass(frozen=True, slots=True)
class Lake:
    """One folder of tables, declared by a profile's fields."""

    root: Path
    tables: dict[str, Table]

    def __post_init__(self) -> None:
        """Refuse a root that cannot be a folder, before a step has done any work."""
        for path in (self.root, *self.root.parents):
            try:
                if path.is_dir():
                    return
                if path.exists():
                    raise Refused(f"lake {self.root}: {path} is a file; give a folder as --lake")
            except OSError as error:
                raise Refused(
                    f"lake {self.root} cannot be a folder ({error.strerror}); give another --lake"
                ) from error

    def partition(self, table: str, day: date, **keys: str) -> Partition:
        """Return the partition of that day; refuse key values that could leave the lake."""
        for key, value in keys.items():
            if not SAFE_VALUE.fullmatch(value):
                raise Refused(f"{key} {value!r} may hold only letters, digits, '.', '_' and '-'")
        parts = (("dt", day.isoformat()), *keys.items())
        return Partition(self.root, self.tables[table], parts)

    def days(self, table: str, last: date, count: int) -> list[date]:
        """Return the days with a live partition among the `count` days that end on `last`."""
        window = [last - timedelta(days=back) for back in reversed(range(count))]
        return [day for day in window if self.partition(table, day).manifest()]

    @property
    def models(self) -> Path:
        """The folder of models, one folder a version."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """The folder of pages that people read."""
        return self.root / "reports"

    @property
    def data_docs(self) -> Path:
        """The folder of Great Expectations' pages, which whoever writes about validation holds."""
        return self.reports / "data_docs"
