"""The history of promotions in words: every decision of every day, for people to read."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from jobs.decision import read_decisions
from jobs.errors import Refused
from jobs.lake import Lake
from jobs.manifest import FILE_NAME
from jobs.whole_file import write_whole

FILE = "HISTORY.txt"
HEADER = ("day", "decision", "promoted", "before", "candidate", "by", "at", "why")


def decided_days(lake: Lake) -> list[date]:
    """Return the days that were decided, in order; those of which the pointer is damaged too."""
    pointers = (lake.root / "promotions").glob(f"dt=*/{FILE_NAME}")
    return sorted(date.fromisoformat(path.parent.name.removeprefix("dt=")) for path in pointers)


def rows(lake: Lake, last: date | None) -> Iterator[tuple[str, ...]]:
    """Yield a line for each decision up to a day; what cannot be read is told, not left out."""
    for day in decided_days(lake):
        if last is not None and day > last:
            return
        try:
            for one in read_decisions(lake.partition("promotions", day)):
                models = (one.promoted_version, one.previous_version, one.candidate_version)
                versions = tuple(version or "-" for version in models)
                by = (one.decided_by, one.when or "-", one.reason)
                yield (str(day), one.decision, *versions, *by)
        except Refused as damaged:
            yield (str(day), "?", *["-"] * 5, str(damaged))


def history(lake: Lake, last: date | None = None) -> str:
    """Return the history up to a day, or all of it, one decision a line, the oldest first."""
    found = list(rows(lake, last))
    if not found:
        return f"{lake.root} holds no promotions yet; the step that decides is promote\n"
    lines = [HEADER, *found]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADER) - 1)]
    text = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[-1]])
        for line in lines
    ]
    return "\n".join(text) + "\n"


def write_history(lake: Lake) -> Path:
    """Write the whole history beside the models, in one rename, where it has changed."""
    lake.models.mkdir(parents=True, exist_ok=True)
    path = lake.models / FILE
    # Again, if another day was decided meanwhile: whoever looks last has seen both.
    while (text := history(lake)) != (path.read_text(encoding="utf-8") if path.exists() else ""):
        write_whole(path, text)
    return path
