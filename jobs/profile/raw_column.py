"""What may be said of a raw column: how it is made, and what is for which column of ours."""

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from zoneinfo import available_timezones

from jobs.profile.problems import nearest
from jobs.sources.config import TIME_UNITS, RawColumn
from schemas.table import Fields

LOGS = "source.logs.columns"
ELSEWHERE = ("source.history", "source.vectors")
"""The files besides logs that can hold lists."""
WAYS = ("column", "constant", "row_number", "derive", "among")
LIST_KEYS = ("column", "split", "token", "part")
"""What may be said of the list that among or of names."""
WITHOUT_COLUMN = (*WAYS, "smaller_is_better", "format", "zone", "unit")
AT_ODDS = (
    ("unit", "format"),
    ("unit", "zone"),
    ("edges", "presence"),
    ("at_least", "equals"),
    ("at_least", "presence"),
    ("equals", "presence"),
    ("decimal", "presence"),
)
DERIVED = {"score": ("position", "popularity"), "shown_rank": ("position",)}
ONLY_FOR = {
    "row_number": ("request_id", "user_id", "ts"),
    "derive": tuple(DERIVED),
    "among": ("exposed", "label"),
    "of": ("label",),
    "at_least": ("label",),
    "equals": ("exposed", "label"),
    "smaller_is_better": ("score",),
    "unit": ("ts",),
    "format": ("ts",),
    "zone": ("ts",),
}
"""The columns of ours that these keys are for; edges and presence are for fields."""


def raw_column_problems(
    where: str, name: str, raw: RawColumn, fields: Fields, rows: str
) -> Iterator[str]:
    """Yield what is wrong with the raw column of a column of ours."""
    path, given = f"{where}.{name}", _given(raw)
    # A generated time is a constant one and, for each row, a second more.
    ways = {key: value for key, value in given.items() if (name, key) != ("ts", "row_number")}
    yield from _way_problems(path, ways)
    yield from _value_problems(path, name, given)
    tokens = (*fields.item, *fields.context)
    only_for = ONLY_FOR | {
        "edges": tokens,
        "presence": (*tokens, "exposed", "label"),
        "decimal": (*tokens, *fields.dense_columns, "score", "label", "shown_rank"),
    }
    has_lists = rows == "requests" if where == LOGS else where.startswith(ELSEWHERE)
    for key in given:
        allowed = only_for.get(key, (name,))
        if name not in allowed or (key == "row_number" and where != LOGS):
            named = " and ".join(name for name in allowed if name not in tokens)
            if set(tokens) & set(allowed):
                named = " and ".join(filter(None, ("item and context fields", named)))
            yield f"{path}.{key} is not allowed; it is only for {named}"
    if name == "shown_rank" and "derive" in given and not has_lists:
        yield f"{path}.derive is not allowed; only where source.logs.rows = 'requests'"
    if "split" in given and not has_lists and name not in tokens:
        yield (
            f"{path}.split is not allowed; it is only for item and context fields and for lists, "
            "and these files have lists only where source.logs.rows = 'requests'"
        )
    for key in ("among", "of"):
        if key in given:
            yield from _list_problems(f"{path}.{key}", _given(given[key]))


def _given(raw: RawColumn) -> dict[str, object]:
    """Return what a raw column says."""
    values = {spec: getattr(raw, spec.name) for spec in dataclasses.fields(raw)}
    return {spec.name: value for spec, value in values.items() if value != spec.default}


def _way_problems(path: str, given: dict[str, object]) -> Iterator[str]:
    ways = [key for key in WAYS if key in given]
    if len(ways) != 1:
        said = " and ".join(ways) or "none of them"
        yield f"{path} must say exactly one of {', '.join(WAYS)}; it says {said}"
    elif ways != ["column"]:
        for key in given:
            if key not in WITHOUT_COLUMN:
                yield f"{path}.{key} is not allowed beside {ways[0]}; it is only for column"
    for one, other in AT_ODDS:
        if one in given and other in given:
            yield f"{path} says {one} and {other}, which are at odds; keep one of them"


def _value_problems(path: str, name: str, given: dict[str, object]) -> Iterator[str]:
    for key, known in (("unit", TIME_UNITS), ("derive", DERIVED.get(name))):
        if known and key in given and given[key] not in known:
            allowed = f"it must be one of {', '.join(known)}"
            yield f"{path}.{key} = {given[key]!r} is not allowed; {allowed}"
    if "decimal" in given and (given["decimal"] != "," or given.get("split") == ","):
        allowed = "it must be '.' or ',', and '.' where split is ','"
        yield f"{path}.decimal = {given['decimal']!r} is not allowed; {allowed}"
    edges = given.get("edges", ())
    if any(low >= high for low, high in pairwise(edges)):
        yield f"{path}.edges = {list(edges)} is not allowed; it must be growing"
    zone = given.get("zone")
    if zone and zone not in (zones := available_timezones()):
        near = nearest(zone, zones) or "UTC"
        yield f"{path}.zone = {zone!r} is not allowed; did you mean {near!r}?"


def _list_problems(path: str, given: dict[str, object]) -> Iterator[str]:
    for key in given:
        if key not in LIST_KEYS:
            yield f"{path}.{key} is not allowed; a list has only {', '.join(LIST_KEYS)}"
    if "column" not in given:
        yield f"{path}.column is missing; name the raw column that holds the list"
