"""Which raw files a profile means: names and patterns, {date} standing for a day."""

import glob
import re
from datetime import date, timedelta
from pathlib import Path

from jobs.errors import Refused
from jobs.sources.config import RawFiles


def matching(folder: Path, files: RawFiles, pattern: str, day: date | None) -> list[Path]:
    """Return the files below a folder that a pattern fits, {date} being that day or any."""
    if day is None:
        some = re.sub("[A-Za-z]+", "*", date(2026, 1, 1).strftime(files.date_format))
        dated = re.sub("[0-9]", "[0-9]", some)
    else:
        dated = glob.escape(day.strftime(files.date_format))
    names = glob.glob(pattern.replace("{date}", dated), root_dir=folder, recursive=True)
    return [folder / name for name in sorted(names) if (folder / name).is_file()]


def find(files: RawFiles, folder: Path, day: date, days_before: int = 0) -> list[Path]:
    """Return the files, sorted by name; refuse a pattern that fits none.

    A name with {date} is that of one day's delivery: those of the `days_before` days before are
    found too where they exist.
    """
    found: set[Path] = set()
    for pattern in files.files:
        fits = matching(folder, files, pattern, day)
        if not fits:
            asked = folder / pattern.replace("{date}", day.strftime(files.date_format))
            inside = f"; it is a folder: {pattern}/*.parquet?" if asked.is_dir() else ""
            raise Refused(
                f"{asked}: there is no such file{inside}; put it there, or change source.path or "
                "the name in the profile"
            )
        found.update(fits)
        if "{date}" in pattern:
            for back in range(1, days_before + 1):
                found.update(matching(folder, files, pattern, day - timedelta(days=back)))
    return sorted(found)


def named_for(files: RawFiles, folder: Path, day: date) -> frozenset[str]:
    """Return the files that are named for a day, and so may hold no other."""
    dated = [pattern for pattern in files.files if "{date}" in pattern]
    return frozenset(str(p) for pattern in dated for p in matching(folder, files, pattern, day))
