"""Everything that a lake has published, each pointer read once."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from jobs.errors import Refused
from jobs.lake import Lake
from jobs.manifest import Manifest

MODELS, BOOTSTRAP = "models", "bootstrap"


@dataclass(frozen=True)
class Published:
    """One partition, or one day's model."""

    name: str
    """Its folder below the lake, such as teacher_labels/dt=2026-01-02/teacher_id=mmr-0a1b2c3d4e."""
    manifest: Manifest | None
    damage: str = ""
    """Why the pointer cannot be read, where it cannot."""

    @property
    def table(self) -> str:
        """The table that it belongs to, or models."""
        return self.name.partition("/")[0]

    @cached_property
    def keys(self) -> dict[str, str]:
        """The partition keys."""
        parts = (part.partition("=") for part in self.name.split("/")[1:])
        return {key: value for key, is_key, value in parts if is_key}

    @cached_property
    def day(self) -> date:
        """The day that it is about."""
        return date.fromisoformat(self.keys["dt"])

    @property
    def is_bootstrap(self) -> bool:
        """Whether it is the base DCN of a first day."""
        return self.name.startswith(f"{MODELS}/{BOOTSTRAP}/")

    @property
    def live_folder(self) -> str:
        """The folder of the live version, below the lake."""
        if self.manifest is None:
            return self.name
        return os.path.normpath(f"{self.name}/{self.manifest.folder}")


def pointer_folders(lake: Lake, *, follow: bool = True) -> Iterator[Path]:
    """Yield the folders that may hold a pointer: of tables in their order, then of models.

    Whoever only reads follows links; whoever removes must not.
    """
    for table in lake.tables.values():
        yield from folders_below(lake.root / table.name, table.partition, follow=follow)
    for folder in (lake.models / BOOTSTRAP, lake.models):
        yield from folders_below(folder, ("dt",), follow=follow)


def folders_below(folder: Path, keys: tuple[str, ...], *, follow: bool = True) -> Iterator[Path]:
    """Yield the folders <key>=<value>/... of all keys, in order."""
    if not follow and folder.is_symlink():
        return
    if not keys:
        yield folder
        return
    try:
        with os.scandir(folder) as entries:
            named = [entry for entry in entries if _is_value(entry.name, keys[0])]
            found = sorted(entry.name for entry in named if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in found:
        yield from folders_below(folder / name, keys[1:], follow=follow)


def read_published(lake: Lake) -> Iterator[Published]:
    """Yield everything published, in the order of the tables, damaged pointers too."""
    for folder in pointer_folders(lake):
        name = folder.relative_to(lake.root).as_posix()
        try:
            manifest = Manifest.read(folder)
        except Refused as damaged:
            yield Published(name, None, str(damaged))
            continue
        if manifest is not None:
            yield Published(name, manifest)


def _is_value(name: str, key: str) -> bool:
    """Whether a folder is named for a value of the key; of dt, for a day of the calendar."""
    found, is_named, value = name.partition("=")
    if key == "dt" and is_named:
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
    return bool(is_named) and found == key
