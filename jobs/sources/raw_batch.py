"""Some rows of a raw file as they stand there, and what every kind of file has in common."""

import bz2
import gzip
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from jobs.errors import Refused
from jobs.sources.config import RawFiles

DELIMITERS = {"csv": ",", "tsv": "\t"}
LIKELY = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
"""What stands between columns, the likeliest first, and the format that is then read."""
OPEN = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some rows of a file: those that could be taken apart, and those that could not."""

    path: str
    rows: pa.RecordBatch
    number: list[int]
    """Where each row stands, from 1: its line in a text file, its row in a parquet file."""
    torn: list[tuple[int, str, str, str]]
    """Number, reason, value and text of rows whose columns could not be told apart."""

    def name(self, root: Path) -> str:
        """Return the file's name as seen from a folder above it."""
        return Path(self.path).relative_to(root).as_posix()

    @property
    def count(self) -> int:
        """How many rows were read."""
        return len(self.number) + len(self.torn)


def format_of(files: RawFiles, path: Path) -> str:
    """Return parquet, feather, csv or tsv; refuse a name that does not say."""
    name = path.name.lower()
    for ending in OPEN:
        name = name.removesuffix(ending)
    found = files.format or name.rpartition(".")[2]
    if found in ("parquet", "feather", *DELIMITERS):
        return found
    if files.delimiter:
        return "csv"
    raise Refused(
        f"{path}: its name does not say its format; give format = parquet, feather, csv or tsv"
    )


def wanted_columns(files: RawFiles) -> set[str]:
    """Return the raw columns that the profile names."""
    specs = list(files.columns.values())
    for spec in specs:
        specs += [inner for inner in (spec.among, spec.of) if inner is not None]
    return {spec.column for spec in specs if spec.column}


def damaged(path: Path, error: Exception) -> Refused:
    """Return the refusal of a file that cannot be read."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Refused(
        f"{path} ({path.stat().st_size:,} bytes) is damaged or not of the format that the profile "
        f"says: {reason}. Fetch it again, or correct format, delimiter or quote"
    )


@contextmanager
def unreadable(path: str) -> Iterator[None]:
    """Refuse a file in which a column is of another kind than the profile makes of it."""
    try:
        yield
    except (pa.ArrowException, LookupError, TypeError, ValueError, OverflowError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refused(
            f"{path}: a column is not what the profile takes it for ({words}); see "
            "python -m jobs.profile --check ..."
        ) from error
