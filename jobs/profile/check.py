"""Whether the files that a profile names are there and have the columns that it names."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.profile.problems import nearest
from jobs.sources.config import RawColumn, RawFiles
from jobs.sources.found import Part, sections
from jobs.sources.patterns import matching
from jobs.sources.raw_columns import members
from jobs.sources.raw_files import schema_of
from jobs.sources.raw_values import is_list

SOME_DAY = "2026-01-01"
MOST_NAMED = 30
"""Names of a message about what there is."""


def parts_of_any_day(profile: Profile) -> list[Part]:
    """Return the sections with the files that they name, of whatever day."""
    folder = Path(profile.source.path)
    return [
        Part(name, files, [p for one in files.files for p in matching(folder, files, one, None)])
        for name, files in sections(profile.source).items()
    ]


def file_problems(profile: Profile, parts: list[Part]) -> Iterator[str]:
    """Yield what is wrong with the files, each problem beginning with its key of the profile."""
    source, folder = profile.source, Path(profile.source.path)
    if not folder.is_dir():
        yield f"source.path = {source.path!r} is no folder; give the one with the raw files"
        return
    for part in parts:
        where, files = f"source.{part.name}", part.files
        for number, pattern in enumerate(files.files):
            if not matching(folder, files, pattern, None):
                instead = _instead(folder, pattern.replace("{date}", SOME_DAY))
                named = f"{where}.files[{number}] = {pattern!r}"
                yield f"{named} fits no file below {folder}; {instead}"
        for path in part.paths:
            if problems := list(_column_problems(where, files, path, profile)):
                yield from problems
                break


def _instead(folder: Path, name: str) -> str:
    """Return which files stand where one was looked for."""
    beside = (folder / name).parent
    every = (beside if beside.is_dir() else folder).iterdir()
    return _near(name, sorted(str(path.relative_to(folder)) for path in every))


def _near(name: str, there: list[str]) -> str:
    """Return which name may be meant, and which ones there are."""
    near = nearest(name, there)
    listed = ", ".join(there[:MOST_NAMED]) or "nothing"
    more = f" and {len(there) - MOST_NAMED:,} more" if len(there) > MOST_NAMED else ""
    return f"did you mean {near!r}? There is {listed}{more}" if near else f"there is {listed}{more}"


def _column_problems(where: str, files: RawFiles, path: Path, profile: Profile) -> Iterator[str]:
    """Yield what is wrong with the raw columns of a file."""
    try:
        types = members(schema_of(files, path))
    except Refused as refused:
        yield f"{where}.files: {refused}"
        return
    for name, raw in files.columns.items():
        key = f"{where}.columns.{name}"
        yield from _category_problems(key, name, raw, types, profile)
        yield from _raw_column_problems(key, raw, types, path, _wants_list(where, name, profile))
        for inner in ("among", "of"):
            if listed := getattr(raw, inner):
                yield from _raw_column_problems(f"{key}.{inner}", listed, types, path, True)


def _category_problems(
    key: str, name: str, raw: RawColumn, types: dict[str, pa.DataType], profile: Profile
) -> Iterator[str]:
    """Yield that a category of several values needs something between them in the table."""
    fields = profile.fields
    several = raw.split or is_list(types.get(raw.column, pa.null()))
    is_parallel = profile.source.logs.rows == "requests" and "source.logs" in key
    if name != fields.category or fields.category_separator or not several or is_parallel:
        return
    if raw.part is None and not raw.token:
        yield (
            f"{key} = {raw.column!r} is a list, and fields.category_separator is missing; give "
            "what stands between several categories, such as '|', or take one by part = 0"
        )


def _wants_list(where: str, name: str, profile: Profile) -> bool | None:
    """Whether a column must be a list, must not, or may (None)."""
    if where != "source.logs":
        return True if name == "vector" else None
    if profile.source.logs.rows != "requests":
        return False
    return name not in ("request_id", "user_id", "ts", *profile.fields.context)


def _raw_column_problems(
    key: str, raw: RawColumn, types: dict[str, pa.DataType], path: Path, wants_list: bool | None
) -> Iterator[str]:
    if not raw.column:
        return
    if raw.column not in types:
        yield f"{key} = {raw.column!r} is no column of {path.name}; {_near(raw.column, [*types])}"
        return
    listed = is_list(types[raw.column])
    if raw.split and listed:
        yield f"{key}.split: {raw.column!r} is a list already; take split out"
    elif wants_list and not listed and not raw.split:
        yield (
            f"{key} = {raw.column!r} is no list, and one is needed; if it is text, say where it is "
            'cut, as split = " "'
        )
    elif wants_list is False and listed:
        yield (
            f"{key} = {raw.column!r} is a list, where one value is needed; map another column, or "
            "say source.logs.rows = 'requests'"
        )
