"""Whether the files that a profile names are there and have the columns that it names."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from pyarrow.dataset import dataset

from jobs.profile.config import Profile
from jobs.profile.problems import nearest
from jobs.sources.config import FORMATS, RawColumn, RawFiles
from jobs.sources.found import sections
from jobs.sources.raw_files import DELIMITERS, matching

ZIPPED = (".gz", ".bz2")
SOME_DAY = "2026-01-01"
MOST_NAMED = 30
"""Names of a message about what there is."""


def file_problems(profile: Profile) -> Iterator[str]:
    """Yield what is wrong with the files, each problem beginning with its key of the profile."""
    source, folder = profile.source, Path(profile.source.path)
    if source.kind == "simulated":
        return
    if not folder.is_dir():
        yield f"source.path = {source.path!r} is no folder; give the one with the raw files"
        return
    for name, files in sections(source).items():
        where = f"source.{name}"
        found = [matching(folder, files, pattern, None) for pattern in files.files]
        for number, pattern in enumerate(files.files):
            if not found[number]:
                instead = _instead(folder, pattern.replace("{date}", SOME_DAY))
                named = f"{where}.files[{number}] = {pattern!r}"
                yield f"{named} fits no file below {folder}; {instead}"
        paths = [path for paths in found for path in paths]
        if paths:
            yield from _column_problems(where, files, paths[0], profile)


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
    """Yield what is wrong with the raw columns, by the first of the files."""
    name = path.stem if path.suffix in ZIPPED else path.name
    suffix = Path(name).suffix.removeprefix(".")
    kind = files.format or (suffix if suffix in FORMATS else "")
    if not kind and not files.delimiter:
        yield (
            f"{where}.format is missing, and the name {path.name!r} does not tell it; "
            f"give one of {', '.join(FORMATS)}"
        )
        return
    try:
        is_text = kind not in ("parquet", "feather")
        types = _text_types(files, kind, path) if is_text else _arrow_types(path, kind)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        yield (
            f"{where}.files: {path} cannot be read as {kind or 'csv'}: {reason}; fetch it again, "
            "or correct format, delimiter, quote, header or names"
        )
        return
    for name, raw in files.columns.items():
        key = f"{where}.columns.{name}"
        yield from _raw_column_problems(key, raw, types, path, _wants_list(where, name, profile))
        for inner in ("among", "of"):
            if listed := getattr(raw, inner):
                yield from _raw_column_problems(f"{key}.{inner}", listed, types, path, True)


def _arrow_types(path: Path, kind: str) -> dict[str, pa.DataType]:
    """Return the columns' types; members of structs, and of lists of them, are columns too."""
    types = {}
    for field in dataset(path, format=kind).schema:
        types[field.name] = field.type
        inner = field.type.value_type if _is_list(field.type) else field.type
        if pa.types.is_struct(inner):
            for member in inner:
                listed = pa.list_(member.type) if _is_list(field.type) else member.type
                types[f"{field.name}.{member.name}"] = listed
    return types


def _text_types(files: RawFiles, kind: str, path: Path) -> dict[str, pa.DataType]:
    """Return the columns of a text file, each a string; refuse one of which no row fits them."""
    torn = []

    def skip(row: pyarrow.csv.InvalidRow) -> str:
        torn.append(row)
        return "skip"

    with pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(use_threads=False, column_names=list(files.names) or None),
        pyarrow.csv.ParseOptions(
            delimiter=files.delimiter or DELIMITERS[kind],
            quote_char=files.quote or False,
            newlines_in_values=bool(files.quote),
            invalid_row_handler=skip,
        ),
    ) as reader:
        names = reader.schema.names
        rows = next(iter(reader), ())
    if torn and not len(rows):
        found, wanted = torn[0].actual_columns, torn[0].expected_columns
        raise ValueError(f"a row has {found} columns where {wanted} are named")
    return dict.fromkeys(names, pa.string())


def _is_list(kind: pa.DataType) -> bool:
    return any(
        f(kind) for f in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
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
    is_list = _is_list(types[raw.column])
    if raw.split and is_list:
        yield f"{key}.split: {raw.column!r} is a list already; take split out"
    elif wants_list and not is_list and not raw.split:
        yield (
            f"{key} = {raw.column!r} is no list, and one is needed; if it is text, say where it is "
            'cut, as split = " "'
        )
    elif wants_list is False and is_list:
        yield (
            f"{key} = {raw.column!r} is a list, where one value is needed; map another column, or "
            "say source.logs.rows = 'requests'"
        )
