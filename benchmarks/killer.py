"""Kills label tasks of a running Airflow from outside, as a lost machine or a full memory would."""

import os
import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("command", "task", "both", "supervisor")
"""What is killed: the command of `jobs`, whose JVM then ends by itself; Airflow's process of the
task, which leaves the command running; both; or the executor's worker that watches the task."""


@dataclass
class Killer(threading.Thread):
    """A thread that kills the first try of each chosen day once, at a moment that was drawn."""

    lake: Path
    delays: dict[str, tuple[str, float]]
    """By day: what is killed, and how many seconds after its command is seen first."""
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()

    def __hash__(self) -> int:
        return id(self)

    @classmethod
    def drawn(
        cls, lake: Path, days: list[str], share: float, longest_s: float, seed: int
    ) -> "Killer":
        """Choose the days, what is killed of each, and when."""
        draw = random.Random(seed)
        chosen = draw.sample(days, round(len(days) * share + 0.5))
        kinds = [KINDS[n % len(KINDS)] for n in range(len(chosen))]
        return cls(
            lake,
            {
                day: (kind, draw.uniform(0, longest_s))
                for day, kind in zip(chosen, kinds, strict=True)
            },
        )

    def run(self) -> None:
        """Watch until stopped."""
        seen: dict[str, float] = {}
        waiting = dict(self.delays)
        while waiting and not self._ended.wait(0.1):
            running = commands(self.lake)
            for day in [day for day in waiting if day in running]:
                kind, delay = waiting[day]
                first = seen.setdefault(day, time.monotonic())
                if time.monotonic() - first >= delay:
                    del waiting[day]
                    self._kill(day, kind, running[day], time.monotonic() - first)
            for day in [day for day in seen if day in waiting and day not in running]:
                # It ended before its moment came: it is killed in no other try.
                self.told.append(f"{day}  {waiting.pop(day)[0]:<10}  not killed, it had ended")

    def _kill(self, day: str, kind: str, command: int, after_s: float) -> None:
        task = parent(command)
        chosen = {
            "command": [command],
            "task": [task],
            "both": [task, command],
            "supervisor": [parent(task)],
        }[kind]
        for pid in chosen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.told.append(f"{day}  {kind:<10}  killed {after_s:.1f} s after its command was seen")

    def stop(self) -> None:
        """Kill no more."""
        self._ended.set()
        self.join()


def commands(lake: Path) -> dict[str, int]:
    """Return the processes that label in a lake, by day."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"jobs.label_candidates" not in (folder / "cmdline").read_bytes():
                continue
            pairs = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            environment = dict(pair.partition("=")[::2] for pair in pairs)
            is_python = b"python" in (folder / "comm").read_bytes()
            if is_python and environment.get("CDM_RUN_LAKE") == str(lake):
                found.setdefault(environment["CDM_RUN_DAY"], int(folder.name))
    return found


def parent(pid: int) -> int:
    """Return the parent of a process."""
    stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    # The name in parentheses may itself hold spaces and parentheses.
    return int(stat.rpartition(")")[2].split()[1])
