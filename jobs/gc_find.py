"""What of a lake nothing reads any more, and since when it has been left alone.

Only folders and files that steps of ours make are looked at, by their names and places, and no
link is ever followed, so nothing outside the lake is found.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import Refused
from jobs.gc_references import References
from jobs.lake import Lake
from jobs.lease import is_held
from jobs.manifest import FILE_NAME, Manifest
from jobs.published import BOOTSTRAP, pointer_folders
from model.layout import CONFIG, ITEMS

OLD, LEFTOVER, QUARANTINE, MODEL = "old versions", "leftovers", "quarantine", "models"
KINDS = (OLD, LEFTOVER, QUARANTINE, MODEL)
VERSION = re.compile(r"v=[0-9a-f]{12}")
NONE, EVERY = re.compile(r"(?!)"), re.compile(r".+")
ASIDE = ".gc-"
"""Begins the name of what is being removed; a gc that was killed leaves such names."""
LEASES = r"\.lease(-[0-9a-f]{12}(-taken)?)?"
STAGED = {
    "pointer": re.compile(rf"{LEASES}|\.{re.escape(FILE_NAME)}\.\d+"),
    "items": re.compile(r"\..+\.[0-9a-f]{8}"),
    "models": re.compile(r"\.attempt-[0-9a-f]{12}|\.HISTORY\.txt\.([0-9a-f]{8}|\d+)"),
    "reports": re.compile(rf"{LEASES}|\..+\.(html|txt)\.([0-9a-f]{{8}}|\d+)"),
}
"""By place, what steps write before they rename it, and leave behind where they are killed.

Names with a process id are of steps of before there were leases.
"""


@dataclass(frozen=True, slots=True)
class Garbage:
    """One folder or file that may go."""

    kind: str
    path: Path
    files: int
    bytes: int
    touched: float
    """When it, or what made it garbage, was last written; seconds since 1970."""
    places: tuple[Path, ...] = ()
    """The folders of which a holder may be at work on it."""


def measured(path: Path) -> tuple[int, int, float]:
    """Return the files of a folder (or one file), their bytes, and when any was last written."""
    state = os.lstat(path)
    newest, is_folder = state.st_mtime, stat.S_ISDIR(state.st_mode)
    files, size = (0, 0) if is_folder else (1, state.st_size)
    for root, folders, names in os.walk(path) if is_folder else ():
        for name in (*folders, *names):
            try:
                state = os.lstat(os.path.join(root, name))
            except FileNotFoundError:
                continue
            newest = max(newest, state.st_mtime)
            if not stat.S_ISDIR(state.st_mode):
                files, size = files + 1, size + state.st_size
    return files, size, newest


def is_left_alone(garbage: Garbage, before: float) -> bool:
    """Whether it is old enough, and no step at work holds the place.

    What a gc that was killed has set aside is no step's any more.
    """
    if garbage.path.name.startswith(ASIDE):
        return True
    return garbage.touched < before and not any(is_held(place) for place in garbage.places)


class Finder:
    """Looks through a lake; what it had to leave out is told in `skipped`."""

    def __init__(self, lake: Lake, references: References) -> None:
        """Look at nothing yet."""
        self.lake, self.references = lake, references
        self.skipped: list[str] = []

    def find(self) -> Iterator[Garbage]:
        """Yield all that nothing reads, however new."""
        trained = []
        for folder in pointer_folders(self.lake, follow=False):
            yield from self._in_partition(folder)
            if self.lake.models in folder.parents:
                trained.append(folder)
        yield from self._named(self.lake.root / QUARANTINE, NONE, ())
        for folder in (self.lake.reports, self.lake.data_docs):
            yield from self._named(folder, STAGED["reports"], (folder,))
        yield from self._models(tuple(trained))

    def _garbage(
        self, kind: str, path: Path, places: tuple[Path, ...], since: float = 0.0
    ) -> Iterator[Garbage]:
        try:
            files, size, touched = measured(path)
        except FileNotFoundError:  # Its step has just ended.
            return
        yield Garbage(kind, path, files, size, max(touched, since), places)

    def _named(
        self, folder: Path, staged: re.Pattern[str], places: tuple[Path, ...]
    ) -> Iterator[Garbage]:
        """Yield the entries of a folder that are left behind, by their names."""
        for entry in entries(folder):
            is_ours = staged.fullmatch(entry.name) or entry.name.startswith(ASIDE)
            if is_ours and not entry.is_symlink():
                yield from self._garbage(LEFTOVER, Path(entry.path), places)

    def _in_partition(self, folder: Path) -> Iterator[Garbage]:
        try:
            live = Manifest.read(folder)
        except Refused as damaged:
            self.skipped.append(f"{folder} is left as it is: {damaged}")
            return
        if live is not None and live.table == QUARANTINE:
            yield from self._named(folder, NONE, (folder,))
            yield from self._garbage(QUARANTINE, folder, (folder,))
            return
        yield from self._named(folder, STAGED["pointer"], (folder,))
        # A version is old from the moment at which another took its place.
        since = (folder / FILE_NAME).stat().st_mtime if live is not None else 0.0
        for entry in entries(folder):
            is_version = VERSION.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            if is_version and (live is None or live.folder != entry.name):
                kind = LEFTOVER if live is None else OLD
                yield from self._garbage(kind, Path(entry.path), (folder,), since)

    def _models(self, trained: tuple[Path, ...]) -> Iterator[Garbage]:
        """Yield the models that nothing live names, and what was left beside and in the others.

        It does not say of which day it is, so nobody may be at work on any of the `trained` ones.
        """
        yield from self._named(self.lake.models, STAGED["models"], trained)
        yield from self._named(self.lake.models / ".unfinished", EVERY, trained)
        try:
            named = self.references.versions()
        except Refused as unknown:
            self.skipped.append(f"no model is removed: {unknown}")
            named = None
        for entry in entries(self.lake.models):
            folder = Path(entry.path)
            if entry.name.startswith((".", "dt=")) or entry.name == BOOTSTRAP:
                continue
            if not entry.is_dir(follow_symlinks=False) or not (folder / CONFIG).is_file():
                continue
            if named is None or entry.name in named:
                yield from self._named(folder / ITEMS, STAGED["items"], ())
            else:
                yield from self._garbage(MODEL, folder, trained, self.references.replaced(folder))


def entries(folder: Path) -> list[os.DirEntry]:
    """Return what is in a folder, by name; nothing where it is none or a link to one."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
