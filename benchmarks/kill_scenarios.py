"""Every step of the line on a tiny lake: before its output is there, and where another is live."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.kill_points import run_step
from jobs.commands import COMMANDS

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
SPARK = ("build_candidates", "build_examples", "label_candidates", "import_logs")
STEPS = (*COMMANDS, "validation_report")
ONLY_FIRST = ("build_examples --bootstrap", "validate --table examples", "train --bootstrap")
BY_HAND = (
    "promote --decision hold --who ann --why no-reason --when 2026-01-03T09:00Z",
    "gc --delete --older-than 1d --now 2100-01-01T00:00Z",
)
FRESH, AGAIN = "fresh", "again"
"""Nothing is live yet; or what was made of other input is."""
LOGS = """
name = "raw"
k = [3]

[fields]
item_id = "string"
item = ["category"]
dense = ["score"]
category = "category"

[source]
kind = "files"
path = "{raw}"
max_quarantined = 0.2

[source.logs]
files = "log-{{date}}.csv"
rows = "candidates"

[source.logs.columns]
request_id = "request_id"
user_id = "user_id"
ts = {{ column = "ts", zone = "UTC" }}
item_id = "item_id"
label = "label"
exposed = "exposed"
score = "score"
category = "category"

[promotion]
k = 3
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A step, and the lake that it begins with."""

    name: str
    step: str
    flags: tuple[str, ...]
    folder: Path
    """A folder of `lake` and whatever else the step reads; to be copied, never changed."""

    @property
    def has_spark(self) -> bool:
        """Whether the step starts a JVM."""
        return self.step in SPARK

    def argv(self, lake: Path) -> list[str]:
        """Return the step's flags on a copy of the lake."""
        return ["--lake", str(lake), *self.flags]


class Maker:
    """Makes the scenarios; each is on disk when it is yielded."""

    def __init__(self, out: Path) -> None:
        """Work below a folder."""
        self.out, self.work = out, out / "work"
        self.log = out / "making.log"

    def every(self) -> Iterator[Scenario]:
        """Yield each step twice, the line's and the validation page's; what is by hand; imports."""
        lake = self.work / "lake"
        for day, variant, ingest in (
            (FIRST, FRESH, "ingest"),
            (SECOND, FRESH, "ingest"),
            (SECOND, AGAIN, "ingest --requests 70"),
        ):
            for command in (ingest, *STEPS[1:], *(BY_HAND if variant == AGAIN else ())):
                is_first = command in ONLY_FIRST
                scenario = self._scenario(command, variant, day, lake)
                if is_first == (day == FIRST):
                    yield self._kept(scenario)
                self._run(scenario, lake)
        yield from self._imports()

    def _scenario(self, command: str, variant: str, day: date, lake: Path) -> Scenario:
        step, *own = command.split()
        flags = ["--profile", "toy", *own]
        if step != "gc":
            flags += ["--date", day.isoformat()]
        name = f"{step}{'-bootstrap' if '--bootstrap' in own else ''}"
        name += f"-{own[1]}" if step == "validate" else "-by-hand" if "--who" in own else ""
        return Scenario(f"{name}-{variant}", step, tuple(flags), lake.parent)

    def _kept(self, scenario: Scenario) -> Scenario:
        folder = self.out / "begin" / scenario.name
        shutil.copytree(scenario.folder, folder)
        return Scenario(scenario.name, scenario.step, scenario.flags, folder)

    def _run(self, scenario: Scenario, lake: Path) -> None:
        code = run_step(scenario.step, scenario.argv(lake), self.log).code
        if code not in (0, 99):
            sys.exit(f"{scenario.name} ended with {code}; see {self.log}")

    def _imports(self) -> Iterator[Scenario]:
        folder = self.out / "imports"
        (folder / "raw").mkdir(parents=True)
        (folder / "lake").mkdir()
        profile = folder / "raw.toml"
        profile.write_text(LOGS.format(raw=folder / "raw"), encoding="utf-8")
        flags = ("--profile", str(profile), "--date", FIRST.isoformat())
        for variant, requests in ((FRESH, 40), (AGAIN, 30)):
            # The files stay where they are; `again` is first met after `fresh` is over with.
            raw = self.out / f"raw-{variant}"
            raw.mkdir()
            (raw / f"log-{FIRST}.csv").write_text(raw_log(requests), encoding="utf-8")
            scenario = Scenario(
                f"import_logs-{variant}", "import_logs", (*flags, "--source", str(raw)), folder
            )
            yield self._kept(scenario)
            self._run(scenario, folder / "lake")


def raw_log(requests: int) -> str:
    """Return a day's log as CSV; every tenth request has a row that nobody can use."""
    lines = ["request_id,user_id,ts,item_id,score,exposed,label,category"]
    for request in range(requests):
        for place in range(8):
            score = "inf" if request % 10 == 0 and place == 7 else f"{8 - place}.5"
            shown, clicked = int(place < 4), int(place == request % 4)
            item = (request * 7 + place) % 50
            lines.append(
                f"r{request},{request % 12},{FIRST} 09:{request % 60:02d}:00,i{item},{score},"
                f"{shown},{clicked if shown else ''},c{item % 5}"
            )
    return "\n".join(lines) + "\n"
