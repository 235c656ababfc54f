"""Load a profile: one TOML file, made into dataclasses or refused with all that is wrong."""

import dataclasses
import json
import math
import re
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.profile.problems import nearest, refusal, unknown_key
from jobs.sources.config import RawColumn

FAILED = object()
"""Stands for a value that could not be made; its problem is told already."""


def load_profile(name: str) -> Profile:
    """Return a shipped profile by name, or a TOML file's; refuse all that is wrong at once."""
    return read_as(Profile, *profile_text(name), "profile")


def read_as(cls: type, where: str, text: str, kind: str) -> Any:  # noqa: ANN401 - a `cls`
    """Return a TOML text as a dataclass; refuse all that is wrong at once."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{kind} {where}: {error}") from error
    builder = _Builder()
    made = builder.section(cls, values, "")
    if builder.problems:
        raise refusal(where, builder.problems, text)
    return made


def profile_text(name: str) -> tuple[str, str]:
    """Return the file that messages name and its text."""
    path = Path(name)
    if path.suffix == ".toml":
        return name, _read(path)
    shipped = {p.name.removesuffix(".toml"): p for p in files("jobs.profiles").iterdir()}
    if name not in shipped:
        names = sorted(n for n, p in shipped.items() if p.name.endswith(".toml"))
        raise Refused(
            f"profile {name!r} is not shipped ({', '.join(names)}); "
            "for your own, give the path of a .toml file"
        )
    return f"{name}.toml", shipped[name].read_text(encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"profile {path} cannot be read: {error}") from error


class _Builder:
    """Makes the dataclasses of a profile and collects what is wrong on the way.

    Two shorthands: a raw column may be its name alone, and `files` one name.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def section(self, cls: type, values: dict[str, Any], prefix: str) -> Any:  # noqa: ANN401
        """Make the dataclass of a section; FAILED where that is not possible."""
        kinds = get_type_hints(cls)
        ready = {}
        for key, value in values.items():
            name = key
            if key not in kinds:
                self.problems.append(unknown_key(prefix, key, kinds))
                name = nearest(key, kinds)
                if name is None or name in values:
                    continue
                # Taken for the key that was meant, so that one slip gives one message.
            if name == "files" and isinstance(value, str):  # One file alone.
                value = [value]
            ready[name] = self.value(kinds[name], value, f"{prefix}{key}")
        for spec in dataclasses.fields(cls):
            unset = spec.default is spec.default_factory is dataclasses.MISSING
            if unset and spec.name not in ready:
                self.problems.append(_missing(prefix, spec.name, kinds[spec.name]))
                ready[spec.name] = FAILED
        if FAILED in ready.values():
            return FAILED
        try:
            made = cls(**ready)
        except ValueError as error:
            self.problems += (_in_list(prefix, line) for line in str(error).splitlines())
            return FAILED
        endless = [k for k, v in ready.items() if isinstance(v, float) and not math.isfinite(v)]
        for key in endless:
            self.problems.append(f"{prefix}{key} = {ready[key]} must be a finite number")
        return FAILED if endless else made

    def value(self, kind: Any, value: Any, name: str) -> Any:  # noqa: ANN401 - any TOML value
        """Return a value as its field holds it; FAILED where it cannot."""
        if isinstance(kind, UnionType):
            options = [option for option in get_args(kind) if option is not NoneType]
            if len(options) > 1:
                lists = [option for option in options if get_origin(option) is tuple]
                if lists and isinstance(value, list):
                    return self.value(lists[0], value, name)
                return self.scalar([one for one in options if one not in lists], value, name)
            kind = options[0]
        if kind is RawColumn and isinstance(value, str):  # Its name alone.
            value = {"column": value}
        if dataclasses.is_dataclass(kind):
            if isinstance(value, dict):
                return self.section(kind, value, f"{name}.")
            return self.wrong(_no_section(kind, name, value))
        if get_origin(kind) is dict:
            if isinstance(value, dict):
                each = get_args(kind)[1]
                made = {key: self.value(each, v, f"{name}.{key}") for key, v in value.items()}
                return FAILED if FAILED in made.values() else made
            return self.wrong(_no_section(kind, name, value))
        if get_origin(kind) is tuple:
            each = get_args(kind)[0]
            if isinstance(value, list):
                items = [self.value(each, v, f"{name}[{i}]") for i, v in enumerate(value)]
                return FAILED if FAILED in items else tuple(items)
            if dataclasses.is_dataclass(each):
                return self.wrong(f"{name} is a list of sections, each written [[{name}]]")
            return self.wrong(f"{name} = {value!r} must be a list, such as [{json.dumps(value)}]")
        return self.scalar([str if get_origin(kind) is Literal else kind], value, name)

    def scalar(self, kinds: list[type], value: Any, name: str) -> Any:  # noqa: ANN401
        """Return a value of one of these types; whole numbers do for float."""
        if type(value) is int and float in kinds and int not in kinds:
            value = float(value)
        # Not isinstance: True is no number here, nor a moment a date.
        if type(value) in kinds:
            return value
        named = " or ".join(kind.__name__ for kind in kinds)
        example = ", such as 2026-01-31 without quotes" if date in kinds else ""
        return self.wrong(f"{name} = {value!r} must be of type {named}{example}")

    def wrong(self, problem: str) -> object:
        """Keep a problem."""
        self.problems.append(problem)
        return FAILED


def _in_list(prefix: str, problem: str) -> str:
    """Return the problem of a section of a list under its place there, not under its usual name."""
    return f"{prefix}{problem.partition('.')[2]}" if prefix.endswith("].") else problem


def _missing(prefix: str, name: str, kind: Any) -> str:  # noqa: ANN401 - any annotation
    section = re.sub(r"\[\d+\]", "", prefix.removesuffix("."))
    if not section:
        place = f"write {name} = ... above the first section"
    elif get_origin(kind) is dict:
        place = f"add the section [{section}.{name}]"
    else:
        header = f"[[{section}]]" if prefix.endswith("].") else f"[{section}]"
        place = f"write {name} = ... below {header}"
    return f"{prefix}{name} is missing; {place}"


def _no_section(kind: Any, name: str, value: Any) -> str:  # noqa: ANN401 - any TOML value
    if kind is RawColumn:
        return (
            f"{name} = {value!r} must be the name of a raw column in quotes, "
            'or a table such as { column = "...", split = " " }'
        )
    written = "a list" if isinstance(value, list) else repr(value)
    return f"{name} is a section, written [{name}], not {written}"
