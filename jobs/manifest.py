"""The one pointer of a partition: which files are live, what they hold, what they are made of."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jobs
import model
import schemas
from jobs.errors import Refused
from jobs.lease import Lease
from jobs.whole_file import to_disk

FILE_NAME = "_manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFile:
    """One file of the live version, by its path inside the version folder."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is published; `recipe` says whether a rerun would make the same."""

    table: str
    partition: dict[str, str]
    folder: str
    rows: int
    digest: str
    fingerprint: str
    step: str
    recipe: str
    code: str
    parameters: dict[str, Any]
    inputs: dict[str, str]
    counts: dict[str, int | float | str] = field(default_factory=dict)
    files: tuple[LiveFile, ...] = ()

    def publish(self, lease: Lease, version: Path) -> None:
        """Make a version folder the live one of the folder that is held.

        Its files, and then the new manifest, are on disk before that takes the old one's name.
        Raises Held where the lease is lost.
        """
        for path in (*version.rglob("*"), version, version.parent):
            to_disk(path)
        lease.publish(FILE_NAME, self.to_text())

    def to_text(self) -> str:
        """Return it as the pointer's file keeps it."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """Return the live manifest of a partition folder, or None where nothing is published."""
        path = folder / FILE_NAME
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["files"] = tuple(LiveFile(**entry) for entry in values["files"])
            return cls(**values)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise Refused(
                f"{path} is damaged ({error}); rerun the step that makes it with --force"
            ) from error


def describe(path: Path, folder: Path) -> LiveFile:
    """Return the manifest's entry for a file."""
    with path.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    return LiveFile(
        name=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=sha256
    )


@cache
def code_version() -> str:
    """Return 12 hex digits of the sources of jobs, model and schemas."""
    digest = hashlib.sha256()
    for package in (jobs, model, schemas):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root.parent).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def recipe_of(step: str, parameters: dict[str, Any], inputs: dict[str, str]) -> str:
    """Return 16 hex digits of everything that a step's output is a function of."""
    text = json.dumps([step, code_version(), parameters, inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
