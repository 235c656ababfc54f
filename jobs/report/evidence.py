"""What the report reads of the lake: every day's manifests, and the tables that people look at."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from jobs.errors import Refused
from jobs.lake import Lake, Partition
from jobs.manifest import Manifest
from jobs.profile.config import Profile
from jobs.registry import SEARCHED_DAYS, Registry
from jobs.report.metric_table import Numbers
from jobs.report.names import names_of
from jobs.report.served import STUDENTS, Served, served
from model.layout import HISTORY

SHOWN_DAYS = 28
"""Days that one page goes back; older ones stand in their own day's page."""
PROMOTED = "promoted"
"""The method under which the promoted model's lists stand, where it is not the newest one."""
SPLITS = ("training", "validation")


@dataclass(frozen=True, slots=True)
class Live:
    """One published partition."""

    day: date
    partition: Partition
    manifest: Manifest

    @property
    def keys(self) -> dict[str, str]:
        """The partition keys besides the day, such as teacher_id."""
        return {key: value for key, value in self.partition.keys if key != "dt"}


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """One day's metrics of the newest model that never saw it."""

    day: date
    version: str
    numbers: Numbers
    promoted: str
    """The promoted model that it was compared with, or nothing where it is the same."""
    promoted_serves: str
    """What that one serves, by its label."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """One trained model and how its losses went."""

    day: date
    manifest: Manifest
    history: list[dict[str, Any]]
    student: str

    @property
    def kind(self) -> str:
        """What it is: dcn or cdm."""
        return str(self.manifest.parameters.get("kind", "model"))

    @property
    def called(self) -> str:
        """What the page calls it: DCN, or by its student."""
        return STUDENTS[self.student].label if self.kind == "cdm" else self.kind.upper()

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.manifest.parameters["version"])

    def learns(self, loss: str) -> bool:
        """Whether the model has this loss: a DCN has no student."""
        return any(epoch[split][loss] for epoch in self.history for split in SPLITS)

    def quality(self, name: str) -> list[float]:
        """Return a calibration or AUC by epoch; nothing where an epoch has none.

        A DCN has none of its student, and models of before have none at all.
        """
        values = [epoch.get("quality", {}).get(name) for epoch in self.history]
        return [] if None in values else values

    def total(self, losses: dict[str, float]) -> float:
        """Return the weighted sum that early stopping judges (Eq. 20)."""
        weights = self.manifest.parameters.get("training", {})
        return (
            losses["click"]
            + weights.get("beta_kd", 1.0) * losses["distillation"]
            + weights.get("beta_nce", 0.0) * losses["contrastive"]
        )

    @property
    def kept(self) -> dict[str, Any]:
        """The epoch whose weights were kept: the first with the least held-out loss."""
        return min(self.history, key=lambda epoch: self.total(epoch["validation"]))


class Evidence:
    """The lake up to a day."""

    def __init__(self, lake: Lake, day: date, profile: Profile) -> None:
        """Find the days that have any table; refuse a lake without one."""
        self.lake, self.day, self.profile = lake, day, profile
        self.registry = Registry(lake)
        found: set[date] = set()
        for table in ("request_logs", "candidate_sets", "metrics", "promotions"):
            found.update(lake.days(table, day, SEARCHED_DAYS))
        if not found:
            raise Refused(
                f"{lake.root} holds no day up to {day}; make one first: "
                f"python -m jobs.ingest --lake {lake.root} --date {day} --profile ..."
            )
        self.all_days = sorted(found)
        self.days = self.all_days[-SHOWN_DAYS:]

    def published(self, day: date) -> list[Live]:
        """Return the live partitions of a day, in the order in which a day makes them."""
        return [live for table in self.lake.tables for live in self._published(table, day)]

    def _published(self, table: str, day: date) -> Iterator[Live]:
        whole = self.lake.partition(table, day)
        below = [p.name.split("=", 1) for p in sorted(whole.path.glob("*=*")) if p.is_dir()]
        keys = [{}] + [{key: value} for key, value in below if key != "v"]
        for partition in (self.lake.partition(table, day, **key) for key in keys):
            manifest = partition.manifest()
            if manifest is not None:
                yield Live(day, partition, manifest)

    def newest(self, table: str) -> date | None:
        """Return the newest day that has a table."""
        days = self.lake.days(table, self.day, SEARCHED_DAYS)
        return days[-1] if days else None

    def judged(self) -> list[JudgedDay]:
        """Return every day's metrics, of the newest model that never saw the day."""
        return [self._judged(day) for day in self.lake.days("metrics", self.day, SHOWN_DAYS)]

    def _judged(self, day: date) -> JudgedDay:
        rows = self.lake.partition("metrics", day).read().to_pylist()
        versions = sorted({row["model_version"] for row in rows})
        newest = self.registry.trained_before(day)
        version = newest if newest in versions else versions[-1]
        shown = [r for r in rows if r["model_version"] == version or r["method"] == PROMOTED]
        promoted = next((r["model_version"] for r in shown if r["method"] == PROMOTED), "")
        names = names_of(self.profile, self._served(day, version))
        told = self._served(day, promoted).label if promoted else ""
        return JudgedDay(day, version, Numbers(shown, names), promoted, told)

    def ranking(self, day: date) -> dict[str, Any]:
        """Return the fields of the RankingConfig that a day was ranked under."""
        manifest = self.lake.partition("rankings", day).manifest()
        used = manifest.parameters if manifest else {}
        # Days that name no ranker were ranked before there was a choice.
        before = {"ranker": "student"} if used else {}
        return asdict(self.profile.ranking) | before | used

    def weights(self, judged: JudgedDay) -> dict[str, float]:
        """Return gamma, where a student serves, and lambda of a day's lists, by method."""
        gamma = judged.numbers.names.served.gamma
        weights = {"mmr": self.ranking(judged.day)["mmr_weight"]}
        return weights if gamma is None else weights | {"cdm": gamma}

    def _served(self, day: date, version: str) -> Served:
        return served(self.ranking(day), self._student(version))

    def _student(self, version: str) -> str:
        """Return the name of a version's student; the profile's where it has or tells none."""
        try:
            return self.registry.student(version) or self.profile.model.student
        except Refused:
            return self.profile.model.student

    def models(self) -> list[TrainedModel]:
        """Return the models trained on the shown days, the base DCN first on its day."""
        found = []
        for day in self.days:
            for bootstrap in (True, False):
                manifest = self.registry.trained(day, bootstrap=bootstrap)
                if manifest is not None:
                    student = self._student(str(manifest.parameters["version"]))
                    history = self._history(day, manifest)
                    found.append(TrainedModel(day, manifest, history, student))
        return found

    def _history(self, day: date, manifest: Manifest) -> list[dict[str, Any]]:
        path = self.registry.folder(manifest.parameters["version"]) / HISTORY
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refused(
                f"{path} cannot be read ({error}); "
                f"train that day again: python -m jobs.train ... --date {day} --force"
            ) from error

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a small table over the shown days, each with its day as `dt`."""
        return [
            {"dt": live.day} | row
            for day in self.days
            for live in self._published(table, day)
            for row in live.partition.read().to_pylist()
        ]
