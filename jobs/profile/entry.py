"""One line of a drafted profile: a key, the value guessed for it, and why."""

import json
import re
import textwrap
from dataclasses import dataclass

WIDTH = 98


@dataclass(frozen=True, slots=True)
class Entry:
    """A guess. Without a value it is left to the reader; one that is not used is commented out."""

    key: str
    value: object = None
    why: str = ""
    is_used: bool = True

    def lines(self) -> list[str]:
        """Return its lines of TOML."""
        if self.value is None:
            return comment(f"{'TODO ' if self.is_used else ''}{self.key}: {self.why}")
        bare = re.fullmatch(r"[A-Za-z0-9_-]+", self.key)
        line = f"{self.key if bare else toml(self.key)} = {toml(self.value)}"
        if not self.is_used:
            return [f"# {line}  # {_printable(self.why)}"]
        return [*comment(self.why), line]


def comment(text: str) -> list[str]:
    """Return a text as lines of a comment."""
    whole = {"break_long_words": False, "break_on_hyphens": False}
    text = _printable(text)
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#   ", **whole)


def _printable(text: str) -> str:
    """Return a text without what TOML allows in no comment."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def toml(value: object) -> str:
    """Return a value as TOML writes it in one line."""
    match value:
        case dict():
            return f"{{ {', '.join(f'{key} = {toml(each)}' for key, each in value.items())} }}"
        case list() | tuple():
            return f"[{', '.join(toml(each) for each in value)}]"
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
