"""How a profile names the files that a sample is one of: {date} for its day, * for its numbers."""

import glob
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jobs.sources.config import RawFiles
from jobs.sources.patterns import matching

YEAR, DAY = r"(?:19|20)\d\d", r"[0-3]\d"
DATES = {
    "%Y-%m-%d": rf"{YEAR}-[01]\d-{DAY}",
    "%Y_%m_%d": rf"{YEAR}_[01]\d_{DAY}",
    "%Y/%m/%d": rf"{YEAR}/[01]\d/{DAY}",
    "year=%Y/month=%m/day=%d": rf"year={YEAR}/month=[01]\d/day={DAY}",
    "%Y%m%d": rf"{YEAR}[01]\d{DAY}",
}
"""How a day is written in names."""
END = r"(?=(?:\d\d){0,3}(?!\d))"
"""Behind a day may stand the time of day."""
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
DEEPEST = 3
"""How many folders above a file may be named for its day."""
MARKS = ("*", "[0-9]*")
"""What stands for numbers, the plain one first."""


@dataclass(frozen=True, slots=True)
class FilePattern:
    """What `files` says of a sample, and why."""

    files: str
    date_format: str = ""
    why: str = ""


def start_of(path: Path) -> Path:
    """Return the folder that a sample's files start from: the one above all that names the day."""
    top = path.parents[: DEEPEST + 1][-1]
    name = path.relative_to(top).as_posix()
    day, _ = _day_in(name)
    return top / name[: name.index(day)].rpartition("/")[0] if day else path.parent


def file_pattern(folder: Path, path: Path, others: list[Path], by_day: bool) -> FilePattern:
    """Return the pattern of a sample's files; `others` are samples of something else.

    Where files are not read by day, as events are not, * stands for the day too.
    """
    start = start_of(path)
    name = _Name(path.relative_to(start).as_posix())
    siblings = name.siblings(start)
    if {os.path.abspath(start / each) for each in siblings} & set(map(os.path.abspath, others)):
        siblings = {name.text: name.values}
    above = "" if start == folder else f"{glob.escape(_below(folder, start))}/"
    varies = name.varies(siblings)
    for mark in MARKS:
        files = above + name.pattern(varies, mark, "{date}" if by_day else "")
        layout = RawFiles(files=(files,), date_format=name.form or "%Y", columns={})
        there = len(matching(folder, layout, files, None))
        # A plain * may fit files that are called alike and are something else.
        if there <= len(siblings):
            break
    form = name.form if by_day else ""
    stars = [
        "the day (a visit goes on after midnight)" if name.day and not by_day else "",
        "what differs from file to file" if any(varies) else "",
    ]
    told = ["{date} stands for the day"] if form else []
    if any(stars):
        told.append(f"{mark} stands for {' and for '.join(filter(None, stars))}")
        told.append("one file here fits" if there == 1 else f"{there:,} files here fit")
    return FilePattern(files, form, "; ".join(told))


class _Name:
    """A file's name, cut into its day, its numbers, and what stands between them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.day, self.form = _day_in(text)
        cuts = [*([re.escape(self.day)] if self.day else []), UUID, r"\d+"]
        self.values = tuple(part for part in re.split(f"({'|'.join(cuts)})", text) if part)

    def siblings(self, start: Path) -> dict[str, tuple[str, ...]]:
        """Return the files whose names differ in day and numbers alone, and their parts."""
        parts = (f"({self._regex(part) or re.escape(part)})" for part in self.values)
        name = re.compile("".join(parts))
        every = self.pattern([bool(self._regex(part)) for part in self.values], MARKS[0])
        found = map(name.fullmatch, glob.glob(every, root_dir=start))
        return {match[0]: match.groups() for match in found if match}

    def varies(self, siblings: dict[str, tuple[str, ...]]) -> list[bool]:
        """Return for each part whether it is a number that differs, or one that never returns."""
        return [
            part != self.day
            and (
                re.fullmatch(UUID, part) is not None
                or any(values[place] != part for values in siblings.values())
            )
            for place, part in enumerate(self.values)
        ]

    def pattern(self, varies: list[bool], mark: str, day: str = "") -> str:
        """Return the name with the mark for what varies, and `day` or the mark for the day."""
        marked = "/".join(re.sub("%.*", mark, level) for level in self.form.split("/"))
        return "".join(
            day or marked if part == self.day else mark if is_varied else glob.escape(part)
            for part, is_varied in zip(self.values, varies, strict=True)
        )

    def _regex(self, part: str) -> str:
        """Return what else may stand in the place of a part; nothing where that is fixed."""
        if part == self.day:
            return DATES[self.form]
        return next((kind for kind in (UUID, r"\d+") if re.fullmatch(kind, part)), "")


def _day_in(name: str) -> tuple[str, str]:
    """Return the last day in a name, as it is written there, and how; two empty texts for none."""
    for form, written in DATES.items():
        for found in reversed(re.findall(rf"(?<!\d){written}{END}", name)):
            try:
                datetime.strptime(found, form)  # noqa: DTZ007 - only whether there is such a day
            except ValueError:
                continue
            return found, form
    return "", ""


def _below(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
