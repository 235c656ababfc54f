"""The raw files of a source on one day, by the part of the profile that names them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.errors import Refused
from jobs.manifest import describe
from jobs.profile.config import Profile
from jobs.sources.config import RawFiles, SourceConfig
from jobs.sources.patterns import find


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the profile and its files."""

    name: str
    files: RawFiles
    paths: list[Path]

    @property
    def folder(self) -> str:
        """Its name as a folder of staged rows."""
        return self.name.translate(str.maketrans("[]", "__"))


@dataclass(frozen=True, slots=True)
class Found:
    """All of them."""

    root: Path
    parts: list[Part]

    def paths(self, name: str) -> list[Path]:
        """Return the files of a part."""
        return next(part.paths for part in self.parts if part.name == name)

    def files(self) -> dict[str, Path]:
        """Return every file by part and name, as a manifest names its inputs."""
        return {
            f"{part.name}:{path.relative_to(self.root).as_posix()}": path
            for part in self.parts
            for path in part.paths
        }

    def checksums(self) -> dict[str, str]:
        """Return the checksum of every file by part and name."""
        return {name: describe(path, self.root).sha256 for name, path in self.files().items()}


def sections(source: SourceConfig) -> dict[str, RawFiles]:
    """Return the sections that name files."""
    found: dict[str, RawFiles] = {"logs": source.logs}
    for kind in ("items", "users"):
        found |= {f"{kind}[{n}]": files for n, files in enumerate(getattr(source, kind))}
    beside = {"history": source.history, "vectors": source.vectors}
    return found | {name: files for name, files in beside.items() if files is not None}


def root_of(profile: Profile, folder: Path | None) -> Path:
    """Return the folder of a profile's raw files, or the one given instead; refuse none."""
    source = profile.source
    if source.kind == "simulated":
        raise Refused(
            f"profile {profile.name!r} has source.kind = 'simulated'; run "
            "python -m jobs.simulate_logs, or describe your files there (kind = 'files')"
        )
    if folder is None and not source.path:
        raise Refused(
            f"profile {profile.name!r} names no source.path; give the folder of the raw files "
            "there or as --source DIR"
        )
    root = folder or Path(source.path)
    if not root.is_dir():
        raise Refused(
            f"{root} is no folder; give the one with the raw files as --source DIR or as "
            "source.path in the profile"
        )
    return root


def find_source(profile: Profile, day: date, folder: Path | None) -> Found:
    """Find a profile's files; refuse a source that is none, and a name that fits nothing."""
    source, root = profile.source, root_of(profile, folder)
    score = source.logs.columns.get("score")
    looks_back = source.candidates != "logged" or (score and score.derive == "popularity")
    before = -(-source.window_minutes // (24 * 60)) if looks_back else 0
    parts = [
        Part(name, files, find(files, root, day, before if name == "logs" else 0))
        for name, files in sections(source).items()
    ]
    found = Found(root, parts)
    for name in ("request_id", "user_id"):
        spec, logs = source.logs.columns.get(name), found.paths("logs")
        numbered = spec is not None and spec.row_number
        if numbered and getattr(profile.fields, name) == "int64" and len(logs) > 1:
            raise Refused(
                f"profile {profile.name!r}: row numbers of {len(logs)} files are not unique as "
                f'{name}; set fields.{name} = "string"'
            )
    return found
