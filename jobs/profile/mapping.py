"""Which columns of ours a data set's raw files must be mapped to."""

from collections.abc import Iterator

from jobs.profile.field_names import bad_names
from jobs.profile.problems import nearest, unknown_key
from jobs.profile.raw_column import LOGS, raw_column_problems
from jobs.sources.config import RawColumn, SourceConfig
from schemas.table import Fields

ALWAYS = ("user_id", "ts", "item_id", "label")
OPTIONAL = ("exposed", "shown_rank")
OTHER_WAYS = {
    "request_id": ", or { row_number = true } where each row is a request of its own",
    "user_id": ", or { row_number = true } where nobody comes twice",
    "ts": ', or { constant = "2026-01-01T00:00:00+00:00" } where no time is known',
    "label": ', as { column = "...", at_least = 4 }, or as { among = "..." }, the list of clicks',
    "score": ', or { derive = "popularity" }, or { derive = "position" }',
}
"""How else a column can be had that is missing."""


def mapping_problems(fields: Fields, source: SourceConfig) -> Iterator[str]:
    """Yield all that is missing, unknown or contradictory among the columns of the raw files."""
    places = _places(source)
    known = _known(fields, source)
    slips = {
        (where, name): nearest(name, known[where])
        for where, columns in places.items()
        for name in columns
        if name not in known[where]
    }
    for where, name in slips:
        hint = "" if slips[where, name] else "; a field of your own is to be named in [fields] too"
        yield unknown_key(f"{where}.", name, known[where]) + hint
    for name in _needed(source):
        if name not in places[LOGS] and name not in slips.values():
            other = OTHER_WAYS.get(name, "")
            yield f'{LOGS}.{name} is missing; map it to a raw column, {name} = "..."{other}'
    if source.logs.rows == "events" and "request_id" in places[LOGS]:
        why = "requests are made of events, where logs.rows = 'events'"
        yield f"{LOGS}.request_id is not allowed: {why}; take it out"
    if source.logs.rows == "events" and fields.request_id != "string":
        why = "the ids of requests that are made of events are text"
        yield f"fields.request_id = {fields.request_id!r} is not allowed: {why}"
    if source.candidates != "logged" and fields.dense_columns:
        why = "nobody knows them of derived candidates; take them out"
        yield f"fields.dense has {', '.join(fields.dense_columns)}: {why}"
    for problem, name in _field_problems(fields, places):
        if name not in slips.values():
            yield problem
    for where, columns in places.items():
        for name, raw in columns.items():
            if (where, name) not in slips:
                yield from raw_column_problems(where, name, raw, fields, source.logs.rows)


def _places(source: SourceConfig) -> dict[str, dict[str, RawColumn]]:
    """Return what is mapped, by the path of its section."""
    places = {LOGS: source.logs.columns}
    for key in ("items", "users"):
        for number, joined in enumerate(getattr(source, key)):
            places[f"source.{key}[{number}].columns"] = joined.columns
    for key in ("history", "vectors"):
        if files := getattr(source, key):
            places[f"source.{key}.columns"] = files.columns
    return places


def _needed(source: SourceConfig) -> tuple[str, ...]:
    """Return what the logs must map; derived candidates are scored by the window they are from."""
    request = () if source.logs.rows == "events" else ("request_id",)
    score = ("score",) if source.candidates == "logged" else ()
    return (*request, *ALWAYS, *score)


def _known(fields: Fields, source: SourceConfig) -> dict[str, tuple[str, ...]]:
    """Return the columns of ours that each section can map."""
    own = (*fields.item, *fields.context, *fields.dense_columns)
    known = {LOGS: ("request_id", *ALWAYS, "score", *OPTIONAL, *own)}
    for key, names in (("items", fields.item), ("users", fields.context)):
        for number in range(len(getattr(source, key))):
            known[f"source.{key}[{number}].columns"] = (f"{key[:-1]}_id", *names)
    return known | {
        "source.history.columns": ("user_id", "item_id"),
        "source.vectors.columns": ("item_id", "vector"),
    }


def _field_problems(
    fields: Fields, places: dict[str, dict[str, RawColumn]]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with fields that are mapped nowhere or more than once, and which one."""
    bad = bad_names(fields)
    for kind, names, files in (
        ("item", fields.item, "items"),
        ("context", fields.context, "users"),
        ("dense", fields.dense_columns, None),
    ):
        for name in names:
            if name in bad:
                continue
            allowed = [w for w in places if w == LOGS or w.startswith(f"source.{files}[")]
            given = [where for where in allowed if name in places[where]]
            if not given:
                where = f"[{LOGS}]{f' or to an [[source.{files}]]' if files else ''}"
                why = f'which no raw column is mapped to; add {name} = "..." to {where}'
                if near := nearest(name, {n for w in allowed for n in places[w]}):
                    why += f", or is {near!r} meant, which is mapped?"
                yield f"fields.{kind} has {name!r}, {why}", name
            elif len(given) > 1:
                twice = f"which is mapped in {' and '.join(given)}; keep one of them"
                yield f"fields.{kind} has {name!r}, {twice}", name
