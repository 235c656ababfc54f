"""Which raw files are not those that a day was imported from any more."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.published import Published
from jobs.sources.found import find_source, root_of


def redelivered(
    profile: Profile, folder: Path | None, tables: Iterable[Published]
) -> dict[str, list[str]]:
    """Return by table which raw files were delivered again or are new.

    Every file is read once, whole. A file that is gone is no news: it may have been cleared away.
    Refuses a profile without raw files, and a folder that is none.
    """
    root_of(profile, folder)
    digests: dict[Path, str] = {}
    return {
        one.name: list(_news(profile, folder, one, digests))
        for one in tables
        if one.manifest is not None and one.manifest.step == "import_logs"
    }


def _news(
    profile: Profile, folder: Path | None, one: Published, digests: dict[Path, str]
) -> Iterator[str]:
    try:
        found = find_source(profile, one.day, folder)
    except Refused:  # Some are not there.
        return
    for name, path in found.files().items():
        if path not in digests:
            with path.open("rb") as source:
                digests[path] = hashlib.file_digest(source, "sha256").hexdigest()
        known = one.manifest.inputs.get(name)
        if known != digests[path]:
            yield f"raw file {path} {'is new' if known is None else 'was delivered again'}"
