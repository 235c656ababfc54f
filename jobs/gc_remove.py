"""Removing what nothing reads: set aside in one rename, looked at again, then deleted.

So a step that publishes meanwhile finds its files or keeps them, and a gc that is killed leaves
either the thing whole or a name that the next gc goes on with.
"""

import shutil
from pathlib import Path

from jobs.errors import Refused
from jobs.gc_find import ASIDE, MODEL, VERSION, Garbage, measured
from jobs.gc_references import References
from jobs.manifest import Manifest


def remove(garbage: Garbage, references: References, before: float) -> bool:
    """Remove it; return False where it has been taken into use since it was found.

    Raises OSError where the file system does not let it go.
    """
    path = garbage.path
    was_aside = path.name.startswith(ASIDE)
    original = path.with_name(path.name.removeprefix(ASIDE))
    aside = path if was_aside else path.with_name(f"{ASIDE}{path.name}")
    try:
        if not was_aside:
            if aside.exists():  # Of a gc that was killed; a step has made the same name again.
                _delete(aside)
            path.rename(aside)
        is_touched = not was_aside and measured(aside)[2] >= before
    except FileNotFoundError:  # Its step has ended, or another gc was here first.
        return False
    is_wanted = is_touched or is_named(original, garbage.kind, references)
    if is_wanted and not original.exists():
        aside.rename(original)
        return False
    _delete(aside)
    return True


def is_named(path: Path, kind: str, references: References) -> bool:
    """Whether something live names a version or a model, by what is published at this moment."""
    try:
        if VERSION.fullmatch(path.name):
            live = Manifest.read(path.parent)
            return live is not None and live.folder == path.name
        if kind == MODEL or path.parent == references.lake.models:
            return path.name in references.versions()
    except Refused:
        return True
    return False


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
