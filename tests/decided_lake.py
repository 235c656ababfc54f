"""A lake of models and metrics without anything that they were made from, for the promotions."""

import json
from datetime import date, timedelta
from pathlib import Path

from conftest import World

from jobs.decision import Decision
from jobs.lease import held
from jobs.manifest import Manifest, describe
from model.layout import CONFIG

FIRST = date(2026, 1, 1)


def day_of(number: int) -> date:
    """Return a day of January."""
    return FIRST + timedelta(days=number - 1)


class DecidedLake(World):
    """Days from 1 on; day n trains model m<n>, and day 1 the base DCN m0 before it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "lake")
        self.train(1, "m0", bootstrap=True)

    def train(self, number: int, version: str, *, bootstrap: bool = False) -> None:
        """Make a model the day's."""
        folder, day = self.lake.models / version, day_of(number)
        folder.mkdir(parents=True)
        about = {"kind": "dcn" if bootstrap else "cdm", "day": str(day)}
        (folder / CONFIG).write_text(json.dumps({"about": about, "model": {}}))
        pointer = self.lake.models / ("bootstrap" if bootstrap else "") / f"dt={day}"
        made = Manifest(
            table="models", partition={"dt": str(day)}, rows=0, digest=version,
            folder=f"{'../../' if bootstrap else '../'}{version}", fingerprint="", step="train",
            recipe="", code="", inputs={}, parameters={"version": version},
            files=(describe(folder / CONFIG, folder),),
        )  # fmt: skip
        with held(pointer, pointer.name, "train") as lease:
            made.publish(lease, folder)

    def judged(self, number: int, *, better: bool = True) -> None:
        """Say how the candidate does against the promoted model on a day."""
        low = 0.01 if better else -0.9
        row = {
            "model_version": "-", "method": "cdm", "baseline": "promoted", "k": 5,
            "value": 0.0, "low": low, "high": 0.1, "n": 9,
        }  # fmt: skip
        rows = [row | {"metric": name} for name in ("recall", "ilad_category")]
        rival = self.registry.promoted_before(day_of(number)) or "none"
        rows.append(rows[0] | {"method": "promoted", "baseline": "", "model_version": rival})
        self.publish(self.lake.partition("metrics", day_of(number)), rows)

    def promote(self, number: int, *flags: str) -> int:
        """Run the step on a day."""
        return self.run("promote", day_of(number), *flags)

    def by_hand(self, number: int, decision: str, model: str = "", *flags: str) -> int:
        """Decide as ann."""
        named = ["--model", model] if model else []
        by = ["--who", "ann", "--why", "fewer clicks", "--when", "2026-01-31T09:30+02:00"]
        return self.promote(number, "--decision", decision, *named, *by, *flags)

    def decided(self, number: int) -> list[Decision]:
        """Return the day's decisions."""
        return self.registry.decisions(day_of(number))

    def in_force(self, number: int) -> tuple[str, str, str]:
        """Return decision, model and who of the one in force."""
        last = self.decided(number)[-1]
        return last.decision, last.promoted_version, last.decided_by

    def days(self, last: int) -> "DecidedLake":
        """Run the gate from day 1 on, every model better than the one before."""
        for number in range(1, last + 1):
            if number > 1:
                self.judged(number)
            assert self.promote(number) == 0
            self.train(number, f"m{number}")
        return self
