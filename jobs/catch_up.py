"""The commands that bring stale tables up to date, as few as there can be."""

import shlex
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from jobs.commands import COMMANDS, SOURCES
from jobs.published import Published
from jobs.teacher import WITHOUT_TEACHER

FEW = 3
"""So many steps are named one by one; of more the line runs what has changed."""


def command_of(one: Published) -> str:
    """Return the command that makes a table, as the line calls it; empty where it is unknown."""
    if one.manifest is None:
        return ""
    step = "ingest" if one.manifest.step in SOURCES else one.manifest.step
    if step == "validate":
        # The last, which is that of every day; a first day validates its bootstrap's before.
        return next((c for c in reversed(COMMANDS) if one.keys.get("of") in c.split()), "")
    if one.is_bootstrap or one.keys.get("teacher_id") == WITHOUT_TEACHER:
        step += " --bootstrap"
    return step if step in COMMANDS else ""


def catch_up(stale: Iterable[Published], lake: Path, profile: str) -> list[str]:
    """Return command lines, in the order in which they have to be run."""
    found = sorted({(one.day, _place(command_of(one))) for one in stale})
    where = shlex.join(["--lake", str(lake), "--profile", profile])
    if len(found) <= FEW and all(place >= 0 for _, place in found):
        return [f"python -m jobs.{_step(place)} {where} --date {day}" for day, place in found]
    first = min((place for _, place in found), default=0)
    # Bringing raw files in again is left out where none has changed: they may be gone by now.
    begin = f" --from {COMMANDS[1]}" if first >= 1 else ""
    return [
        f"python -m jobs.line {where} --date {begun} --days {(last - begun).days + 1}{begin}"
        for begun, last in spans({day for day, _ in found})
    ]


def _place(command: str) -> int:
    return COMMANDS.index(command) if command else -1


def _step(place: int) -> str:
    return COMMANDS[place]


def spans(days: set[date]) -> list[tuple[date, date]]:
    """Return the first and the last day of each run of days without a gap."""
    begins = sorted(day for day in days if day - timedelta(days=1) not in days)
    ends = sorted(day for day in days if day + timedelta(days=1) not in days)
    return list(zip(begins, ends, strict=True))
