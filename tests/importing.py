"""One source imported into a lake of its own, to look at what it made."""

from datetime import date
from pathlib import Path

from jobs import import_logs
from jobs.lake import Lake
from jobs.manifest import Manifest
from jobs.profile.load import load_profile


class Import:
    """One source, imported by a profile into a lake of its own."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.lake, self.source, self.profile = folder / "lake", folder / "raw", profile
        self.source.mkdir(parents=True, exist_ok=True)

    def run(self, day: str, *flags: str) -> int:
        where = ["--lake", str(self.lake), "--date", day, "--profile", self.profile]
        return import_logs.main([*where, "--source", str(self.source), *flags])

    def rows(self, table: str, day: str) -> list[dict]:
        partition = self.partition(table, day)
        by_key = [(name, "ascending") for name in partition.table.key]
        return partition.read().sort_by(by_key).to_pylist()

    def manifest(self, table: str, day: str) -> Manifest:
        return self.partition(table, day).manifest()

    def partition(self, table: str, day: str):
        lake = Lake(self.lake, load_profile(self.profile).tables)
        return lake.partition(table, date.fromisoformat(day))
