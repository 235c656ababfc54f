"""A disk that is full, in whichever engine's words, told with what to do."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

CAUSES = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file would be larger than this process may write (see ulimit -f)",
}


def cause(error: BaseException) -> str | None:
    """Return why nothing more can be written; None where the error is about something else.

    Spark's errors carry those of its tasks and of the JVM as text alone.
    """
    known = getattr(error, "errno", None)
    if known in CAUSES:
        return CAUSES[known]
    text = str(error)
    return next((told for code, told in CAUSES.items() if os.strerror(code) in text), None)


def told(error: BaseException, lake: Path) -> str | None:
    """Return the message about a full disk, with the path and the next move; None of others."""
    found = cause(error)
    if found is None:
        return None
    path = getattr(error, "filename", None)
    if isinstance(error, OSError) and error.errno is None:  # In our own words, with the path.
        found = f"{found}: {error}"
    free = " and ".join(f"{free_told(place)} of {place}" for place in (lake, _temporary()))
    return (
        f"{found}{f' for {path}' if path else ''}; free are {free}. Make room (what may go: "
        f"python -m jobs.gc --lake {lake} --profile ... --older-than 14d), then run the step again"
    )


def free_told(place: Path) -> str:
    """Return how much may still be written where a folder is or will be."""
    there = next(path for path in (place, *place.parents) if path.exists())
    return f"{shutil.disk_usage(there).free / 1e6:,.1f} MB"


def _temporary() -> Path:
    """Return where Spark keeps what it shuffles."""
    return Path(os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir()))
