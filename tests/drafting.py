"""Drafts of the tests: raw files to draft from, and what a draft says."""

import csv
import tomllib
from pathlib import Path

from jobs.profile.__main__ import main, write_draft


def write_text(path: Path, rows: list[list[object]], delimiter: str = ",") -> Path:
    """Write rows as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


def drafted(*names: str) -> tuple[str, dict]:
    """Draft my.toml from files below raw/; return its text, and what its values are."""
    Path("my.toml").unlink(missing_ok=True)
    said = write_draft([Path("raw", name) for name in names], Path("my.toml"))
    assert said.endswith("then: python -m jobs.profile --check my.toml\n")
    text = Path("my.toml").read_text(encoding="utf-8")
    return text, tomllib.loads(text)


def columns_of(*names: str) -> dict:
    """Draft from these files; return what is said of the log's columns."""
    return drafted(*names)[1]["source"]["logs"]["columns"]


def is_good() -> bool:
    """Whether --check finds nothing wrong with the draft."""
    return main(["--check", "my.toml"]) == 0


def why(text: str, key: str) -> str:
    """Return the comment above the first such key of the log, or its TODO, as one line."""
    lines = text.partition("[source.logs]")[2].replace("\n#   ", " ").splitlines()
    starts = (f"{key} = ", f"# TODO {key}: ")
    at = next(n for n, line in enumerate(lines) if line.startswith(starts))
    return lines[at] if lines[at].startswith("# TODO") else lines[at - 1]
