"""Every key that a profile can have, with its type, its default and what it says."""

import ast
import dataclasses
import inspect
import json
import textwrap
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.profile.problems import nearest
from jobs.sources.config import RawColumn

WIDTH = 100
INDENT = "    "


def keys(section: str = "") -> str:
    """Return the keys of a section and of those below it as text; refuse one that is not there."""
    every = dict(_sections(Profile, "", "", {}))
    chosen = [
        text for path, text in every.items() if not section or f"{path}.".startswith(f"{section}.")
    ]
    if not chosen:
        near = nearest(section, every)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(filter(None, every))}"
        raise Refused(f"a profile has no section {section!r}; {hint}")
    return "\n\n".join(chosen) + "\n"


def _sections(
    cls: type, path: str, header: str, told: dict[tuple[type, str], str]
) -> Iterator[tuple[str, str]]:
    """Yield the path of each section and its text; `told` has in which section a key was told."""
    kinds, below = get_type_hints(cls), []
    lines = [*filter(None, [header]), inspect.getdoc(cls).splitlines()[0]]
    again: dict[str, list[str]] = {}
    for spec in dataclasses.fields(cls):
        kind, many = _plain(kinds[spec.name])
        inner = f"{path}.{spec.name}".removeprefix(".")
        owner, meaning = meanings(cls)[spec.name]
        if dataclasses.is_dataclass(kind) and cls is not RawColumn:
            if many == "tables":
                lines.append(f"{INDENT}{spec.name}: tables of tables, each as below")
                lines += _wrapped(meaning, INDENT * 2)
                inner += ".TABLE.MEASURE"
            below.append((kind, inner, f"[[{inner}]]" if many == "list" else f"[{inner}]"))
        elif (owner, spec.name) in told:
            again.setdefault(told[owner, spec.name], []).append(spec.name)
        else:
            told[owner, spec.name] = header
            lines.append(f"{INDENT}{spec.name}: {_type(kind, many)}{_default(spec)}")
            lines += _wrapped(meaning, INDENT * 2)
    for where, names in again.items():
        lines += _wrapped(f"as in {where}: {', '.join(names)}", INDENT)
    yield path, "\n".join(lines)
    for kind, inner, title in below:
        yield from _sections(kind, inner, title, told)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _plain(kind: Any) -> tuple[Any, str]:  # noqa: ANN401 - any annotation
    """Return what a key holds, without None, and whether it is a list or a table of these."""
    if isinstance(kind, UnionType):
        options = [option for option in get_args(kind) if option is not NoneType]
        kind = options[0] if len(options) == 1 else kind
    if get_origin(kind) is tuple:
        return get_args(kind)[0], "list"
    if get_origin(kind) is dict:
        inner = get_args(kind)[1]
        return (get_args(inner)[1], "tables") if get_origin(inner) is dict else (inner, "table")
    return kind, ""


def _type(kind: Any, many: str) -> str:  # noqa: ANN401 - any annotation
    if get_origin(kind) is Literal:
        name = " or ".join(f'"{value}"' for value in get_args(kind))
    elif isinstance(kind, UnionType):
        name = " or ".join(o.__name__ for o in get_args(kind) if o is not NoneType)
    else:
        name = "raw column" if kind is RawColumn else kind.__name__
    return f"{many} of {name}" if many else name


def _default(spec: dataclasses.Field) -> str:
    if spec.default is spec.default_factory is dataclasses.MISSING:
        return ", required"
    if spec.default in ("", None, (), dataclasses.MISSING):
        return ""
    if isinstance(spec.default, date):
        return f" = {spec.default}"
    return f" = {json.dumps(spec.default)}"


def meanings(cls: type) -> dict[str, tuple[type, str]]:
    """Return by field of a dataclass the class that declares it, and what stands below it there."""
    found: dict[str, tuple[type, str]] = {}
    for one in reversed(cls.__mro__[:-1]):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        for field, below in pairwise(definition.body):
            if isinstance(field, ast.AnnAssign):
                is_text = isinstance(below, ast.Expr)
                text = " ".join(ast.literal_eval(below.value).split()) if is_text else ""
                found[field.target.id] = one, text
    return found
