"""What is wrong with a profile, told all at once: the line of each problem, and its fix.

A problem is a text that begins with the dotted path of the key that it is about, such as
`source.items[0].files`; of a path that is not written, the section it belongs to gives the line.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator

from jobs.errors import Refused

UNKNOWN = "unknown key "


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like this one, if any is."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def unknown_key(prefix: str, key: str, known: Iterable[str]) -> str:
    """Return the problem of a key that nothing reads."""
    known = list(known)
    near = nearest(key, known)
    hint = f"did you mean {prefix}{near}?" if near else f"known are {', '.join(known)}"
    return f"{UNKNOWN}{prefix}{key}; {hint}"


def _paths(value: object, path: str = "") -> Iterator[str]:
    """Yield the dotted path of everything within a TOML value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _paths(inner, f"{path}[{number}]")


def key_lines(text: str) -> dict[str, int]:
    """Return by dotted path the line, from 1, at which a valid TOML text first writes it.

    tomllib tells no lines, so the text is read again and again, each time with one line more: what
    is new then was written there. What stands within a value of several lines has its first line.
    """
    lines, written, start = text.split("\n"), {}, 1
    for end in range(1, len(lines) + 1):
        try:
            values = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # The value goes on in the next line.
        for path in _paths(values):
            written.setdefault(path, start)
        start = end + 1
    return written


def _line_of(problem: str, written: dict[str, int]) -> int:
    """Return the line of the longest written path that the problem begins with; 0 for none."""
    about = problem.removeprefix(UNKNOWN)
    named = [path for path in written if re.match(rf"{re.escape(path)}(?![\w-])", about)]
    return written[max(named, key=len)] if named else 0


def refusal(where: str, problems: Iterable[str], text: str) -> Refused:
    """Return the one message about a profile, each problem with its line in the text."""
    written = key_lines(text)
    found = sorted(((_line_of(p, written), p) for p in problems), key=lambda pair: pair[0])
    if len(found) == 1:
        line, problem = found[0]
        return Refused(f"profile {where}{f', line {line}' if line else ''}: {problem}")
    told = [f"  line {line}: {problem}" if line else f"  {problem}" for line, problem in found]
    return Refused("\n".join([f"profile {where} has {len(found)} problems:", *told]))
