"""Files that are on disk before anything names them: they outlive a power cut, not only a kill."""

import os
import uuid
from pathlib import Path


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_to_disk(path: Path, text: str) -> None:
    """Write a file, and wait until it is on disk."""
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: readers find what was there before, or this."""
    staged = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        write_to_disk(staged, text)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    to_disk(path.parent)
