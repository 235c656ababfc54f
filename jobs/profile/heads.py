"""The first rows of raw files, read as an import reads them, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jobs.profile.config import Profile
from jobs.sources.config import JoinedFiles
from jobs.sources.found import Part
from jobs.sources.joined_rows import JoinedReader
from jobs.sources.raw_batch import DELIMITERS, format_of, unreadable
from jobs.sources.raw_files import pieces, read
from jobs.sources.staging import REJECT, Stager

ROWS = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """Up to ROWS rows of a file."""

    where: str
    """The section of the profile."""
    path: Path
    place: str
    """What its rows are counted by: line or row."""
    rows: int
    rejected: list[dict]
    """Line, reason and value of those that cannot be used."""

    @property
    def is_hopeless(self) -> bool:
        """Whether most rows cannot be used, so that the profile rather than the rows is wrong."""
        return len(self.rejected) > self.rows / 2

    def __str__(self) -> str:
        """Say how many rows cannot be used, and why."""
        reasons = Counter(row["_reason"] for row in self.rejected)
        told = (
            f"{reason} ({count:,}, {self._example(reason)})" for reason, count in reasons.items()
        )
        return (
            f"{len(self.rejected):,} of the first {self.rows:,} rows of {self.path.name} cannot be "
            f"used: {'; '.join(told)}"
        )

    def _example(self, reason: str) -> str:
        row = next(row for row in self.rejected if row["_reason"] == reason)
        value = f" has {row['_value']!r}" if row["_value"] else ""
        return f"such as {self.place} {row['_line']}{value}"


def heads(profile: Profile, parts: list[Part]) -> Iterator[Head]:
    """Yield the heads of the first and the last file of each section."""
    fields, source = profile.fields, profile.source
    root = Path(source.path)
    for part in parts:
        files, paths = part.files, part.paths
        if part.name == "logs":
            reader = Stager(fields, source.logs, root, None, frozenset())
        elif isinstance(files, JoinedFiles):
            reader = JoinedReader(fields, files, root)
        else:  # Vectors and histories have no rows to quarantine.
            continue
        for path in dict.fromkeys([paths[0], paths[-1]]):
            rows, rejected = 0, []
            with unreadable(str(path)):
                for raw in islice(read(files, pieces(files, [path])[0], ROWS), 1):
                    rows += raw.count
                    for batch in reader.stage(raw):
                        rejected += [r for r in batch.to_pylist() if r["_kind"] == REJECT]
            place = "line" if format_of(files, path) in DELIMITERS else "row"
            yield Head(f"source.{part.name}", path, place, rows, rejected)
