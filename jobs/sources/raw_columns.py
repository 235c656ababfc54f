"""The columns of raw files against those of the delivery before: one may come, none may go.

What the files had is kept beside the day's request_logs. Types are compared by their kind: a whole
number that becomes a floating one, as pandas writes a column with a gap, is no change.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from jobs.column_diff import column_diff
from jobs.errors import Refused
from jobs.lake import Lake
from jobs.manifest import Manifest
from jobs.published import folders_below
from jobs.sources.found import Found, Part
from jobs.sources.raw_batch import wanted_columns
from jobs.sources.raw_files import schema_of
from jobs.sources.raw_values import is_list

FILE = "_raw_columns.json"
NO_VALUE = "without any value"
"""The kind of a column of nulls alone, or of several kinds, which may be any other."""
KINDS = {
    "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "flag": (pa.types.is_boolean,),
    "text": (pa.types.is_string, pa.types.is_large_string),
    "time": (pa.types.is_timestamp, pa.types.is_date),
    "record": (pa.types.is_struct,),
    NO_VALUE: (pa.types.is_null,),
}

Columns = dict[str, str]
"""The kind of each column by its name."""


def members(schema: pa.Schema) -> dict[str, pa.DataType]:
    """Return the columns' types; members of structs, and of lists of them, are columns too."""
    types = {}
    for field in schema:
        types[field.name] = field.type
        inner = field.type.value_type if is_list(field.type) else field.type
        if pa.types.is_struct(inner):
            for member in inner:
                listed = pa.list_(member.type) if is_list(field.type) else member.type
                types[f"{field.name}.{member.name}"] = listed
    return types


def kind_of(type_: pa.DataType) -> str:
    """Return what a type's values are, in a word or two."""
    if is_list(type_):
        return f"list of {kind_of(type_.value_type)}"
    if pa.types.is_dictionary(type_):
        return kind_of(type_.value_type)
    found = (kind for kind, tests in KINDS.items() if any(test(type_) for test in tests))
    return next(found, str(type_))


@dataclass(frozen=True, slots=True)
class PartColumns:
    """The columns of one part's files."""

    files: list[str]
    """Which files these are, as the profile says; of others nothing can be expected."""
    always: Columns
    """In every file."""
    sometimes: Columns
    """In some of them: a column that has only begun to come."""

    @classmethod
    def of(cls, part: Part, by_path: dict[Path, Columns]) -> "PartColumns":
        """Return those of files that were read."""
        kinds: dict[str, set[str]] = {}
        for columns in by_path.values():
            for name, kind in columns.items():
                kinds.setdefault(name, set()).update({kind} if NO_VALUE not in kind else ())
        # Files that differ among themselves promise nothing of the type.
        merged = {
            name: found.pop() if len(found) == 1 else NO_VALUE for name, found in kinds.items()
        }
        always = {n: k for n, k in merged.items() if all(n in c for c in by_path.values())}
        sometimes = {name: kind for name, kind in merged.items() if name not in always}
        return cls(list(part.files.files), always, sometimes)

    def check(self, path: Path, found: Columns, since: date) -> list[str]:
        """Return the columns that a file has beyond these; refuse one that lacks any of them."""
        expected = self.always | {n: k for n, k in self.sometimes.items() if n in found}
        alike = {
            name: expected[name] if name in expected and NO_VALUE in kind + expected[name] else kind
            for name, kind in found.items()
        }
        if any(alike.get(name) != kind for name, kind in expected.items()):
            raise Refused(
                f"{path} has not the columns of the files imported for {since}: "
                f"{column_diff(expected, alike)}. Mend the file or the profile's columns; or, if "
                "files are so from now on, import the day once with --accept-columns"
            )
        return [name for name in found if name not in expected]


def columns_of(part: Part) -> dict[Path, Columns]:
    """Return the columns of a part's files; empty files, which have none, are left out."""
    return {
        path: {n: kind_of(t) for n, t in members(schema_of(part.files, path)).items()}
        for path in part.paths
        if path.stat().st_size
    }


def check_columns(lake: Lake, day: date, found: Found, *, accept: bool) -> tuple[str, list[str]]:
    """Return what to keep of a day's columns, as text, and what is to be said of new ones.

    Refuses files that lack a column of the last import of that day or before it, or have it in
    another type, unless these are to be accepted.
    """
    before = None if accept else last_columns(lake, day)
    kept, said = {}, []
    for part in found.parts:
        by_path = columns_of(part)
        kept[part.name] = asdict(PartColumns.of(part, by_path))
        if before is None:
            continue
        known = before[1].get(part.name)
        if known is not None and known.files == list(part.files.files):
            said += _news(part, known, by_path, before[0])
    return json.dumps(kept, indent=1, sort_keys=True) + "\n", said


def _news(
    part: Part, known: PartColumns, by_path: dict[Path, Columns], since: date
) -> Iterator[str]:
    """Yield a line about columns that were not there before."""
    new: dict[str, str] = {}
    first: Path | None = None
    for path, columns in by_path.items():
        if added := known.check(path, columns, since):
            first = first or path
            new |= {name: columns[name] for name in added}
    if new:
        named = ", ".join(f"{name!r} ({kind})" for name, kind in new.items())
        unread = "" if new.keys() & wanted_columns(part.files) else "; nothing reads it"
        yield f"{first} has a new column, and is taken as it is: {named}{unread}"


def last_columns(lake: Lake, day: date) -> tuple[date, dict[str, PartColumns]] | None:
    """Return the newest import's day, not after this one, and the columns that its files had."""
    folders = list(folders_below(lake.root / "request_logs", ("dt",)))
    for folder in reversed(folders):
        of = date.fromisoformat(folder.name.removeprefix("dt="))
        if of <= day and (kept := _kept(folder)) is not None:
            return of, kept
    return None


def _kept(folder: Path) -> dict[str, PartColumns] | None:
    try:
        live = Manifest.read(folder)
        if live is None:
            return None
        text = (folder / live.folder / FILE).read_text(encoding="utf-8")
        return {name: PartColumns(**values) for name, values in json.loads(text).items()}
    except (Refused, OSError, ValueError, TypeError):
        # A day that tells nothing is no reason to refuse another one.
        return None
