"""A lake of pointers without rows, for what follows from what; only promotions hold any."""

import dataclasses
import hashlib
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
from conftest import World

from jobs.decision import Decision, as_rows
from jobs.lineage import Lineage
from jobs.manifest import FILE_NAME, Manifest, code_version
from jobs.publish import Publication
from jobs.teacher import teacher_id
from model.config import TeacherConfig

FIRST = date(2026, 1, 1)
OF = ("request_logs", "candidate_sets", "rankings", "metrics", "teacher_labels", "examples")


def day_of(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class TracedLake(World):
    """Days as the line leaves them: day n trains m<n>, which is promoted on the day after."""

    def __init__(self, folder: Path, days: int = 3, profile: str | Path = "toy") -> None:
        super().__init__(folder / "lake", profile)
        for number in range(1, days + 1):
            self.add(number)

    def lineage(self, raw: dict[str, list[str]] | None = None) -> Lineage:
        """Return how everything stands."""
        return Lineage(self.lake, self.profile.training.train_days, raw)

    def name(self, table: str, number: int, *rest: str) -> str:
        return "/".join([table, f"dt={day_of(number)}", *rest])

    def put(
        self, name: str, inputs: dict[str, str], step: str, digest: str = "",
        parameters: dict | None = None,
    ) -> None:  # fmt: skip
        """Publish something, again and otherwise where a digest is given."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        table = name.partition("/")[0]
        digest = digest or digest_of(name)
        made = Manifest(
            table=table, partition=dict(p.split("=") for p in name.split("/") if "=" in p),
            folder=f"../{digest}" if table == "models" else "v=0123456789ab", rows=9,
            digest=digest, fingerprint="", step=step, recipe="", code=code_version(),
            parameters=parameters or {}, inputs=inputs,
        )  # fmt: skip
        (folder / FILE_NAME).write_text(made.to_text())

    def live(self, *names: str) -> dict[str, str]:
        """Return some tables as inputs."""
        return {name: Manifest.read(self.root / name).digest for name in names}

    def again(self, name: str, digest: str = "other") -> None:
        """Make a table again with other rows, from what it was made from."""
        live = Manifest.read(self.root / name)
        self.put(name, live.inputs, live.step, digest, live.parameters)

    def decide(self, number: int, candidate: str, promoted: str = "") -> None:
        """Publish the day's decision."""
        previous = self.registry.promoted_before(day_of(number)) or ""
        decision = Decision(
            candidate_version=candidate, previous_version=previous,
            promoted_version=promoted or candidate, decision="promoted", reason="",
        )  # fmt: skip
        inputs = {"promoted": previous, "candidate": candidate}
        if number > 1:
            inputs |= self.live(self.name("metrics", number))
        partition = self.lake.partition("promotions", day_of(number))
        output = Publication(partition, step="promote", inputs=inputs, parameters={})
        output.publish_rows([pa.table(as_rows([decision]))], {})

    def rank(self, number: int, candidate: str) -> None:
        """Make rankings and metrics of a day."""
        sets, rankings = self.name("candidate_sets", number), self.name("rankings", number)
        models = {"candidate": candidate}
        models["promoted"] = self.registry.promoted_before(day_of(number)) or ""
        self.put(rankings, self.live(sets) | models, "score")
        judged = self.live(rankings, sets, self.name("reference_items", number))
        self.put(self.name("metrics", number), judged, "evaluate")

    def key(self, version: str, teacher: TeacherConfig | None = None) -> str:
        """Return the partition of what a teacher, or else the profile's, makes on a model."""
        teacher = teacher or self.profile.teacher
        return f"teacher_id={teacher_id(teacher, self.profile.policy, version)}"

    def label(self, number: int, version: str, teacher: TeacherConfig | None = None) -> None:
        """Make the labels of a day by a model."""
        sets = self.live(self.name("candidate_sets", number))
        config = dataclasses.asdict(teacher or self.profile.teacher)
        for table in ("unlabelled", "teacher_labels"):
            name = self.name(table, number, self.key(version, teacher))
            self.put(
                name, sets | {"model": version}, "label_candidates",
                parameters={"teacher": config, "model_version": version},
            )  # fmt: skip

    def learn(self, number: int, labeller: str, version: str) -> None:
        """Make examples of the last days, this one's labelled by a model, and train on them."""
        last = range(number - self.profile.training.train_days + 1, number + 1)
        days = [n for n in last if n > 0]
        sets = [self.name("candidate_sets", n) for n in days]
        labels = [
            self.name(table, n, self.key(labeller if n == number else f"m{n - 1}"))
            for table in ("teacher_labels", "unlabelled")
            for n in days
        ]
        name = self.name("examples", number, self.key(labeller))
        self.put(name, self.live(*sets, *labels), "build_examples")
        self.put(self.name("models", number), self.live(name), "train", version)

    def add(self, number: int) -> None:
        """Make a day as the line does."""
        logs, sets = self.name("request_logs", number), self.name("candidate_sets", number)
        raw = {f"logs:2026/log-{day_of(number)}.csv": "1" * 64, "items[0]:items.csv": "2" * 64}
        for table in ("request_logs", "reference_items", "quarantine"):
            self.put(self.name(table, number), raw, "import_logs")
        self.put(sets, self.live(logs), "build_candidates")
        if number == 1:
            examples = self.name("examples", 1, "teacher_id=none")
            self.put(examples, self.live(sets), "build_examples")
            base = f"models/bootstrap/dt={day_of(1)}"
            self.put(base, self.live(examples), "train", "m0")
        else:
            self.rank(number, f"m{number - 1}")
        self.decide(number, f"m{number - 1}")
        self.label(number, f"m{number - 1}")
        self.learn(number, f"m{number - 1}", f"m{number}")
        for table in OF:
            self.validate(table, number)

    def validate(self, table: str, number: int) -> None:
        """Validate everything that a day has of a table."""
        folders = sorted((self.root / self.name(table, number)).rglob("_manifest.json"))
        parts = [path.parent.relative_to(self.root).as_posix() for path in folders]
        if parts:
            name = self.name("validations", number, f"of={table}")
            self.put(name, self.live(*parts), "validate")
