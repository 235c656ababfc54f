"""Who holds a lease: which process of which machine, for which step, since when."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

PROC = Path("/proc")
STATE, STARTED = 0, 19
"""Of the fields of /proc/<pid>/stat after the name (proc(5)): its state, when it started."""
ENDED = "ZX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One process at work; only who asks on the same machine can tell that it has died."""

    step: str
    host: str
    machine: str
    """The machine since it was booted, and whose process ids are meant; empty if unknown."""
    pid: int
    started: int
    """In the machine's own count; another process with the same id began at another moment."""
    since: str

    @classmethod
    def this_process(cls, step: str) -> "Holder":
        """Return who asks, from now on."""
        return cls(
            step=step,
            host=socket.gethostname(),
            machine=this_machine(),
            pid=os.getpid(),
            started=started_at(os.getpid()) or 0,
            since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        )

    @classmethod
    def read(cls, text: str) -> "Holder":
        """Return what `to_text` wrote; ValueError or TypeError of anything else."""
        return cls(**json.loads(text))

    def to_text(self) -> str:
        """Return it as a file keeps it."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    def is_dead(self) -> bool:
        """Whether the process is known to have ended; of another machine nothing is known."""
        is_ours = bool(self.machine) and self.machine == this_machine()
        return is_ours and started_at(self.pid) != self.started

    def __str__(self) -> str:
        """Name it as a message does."""
        return f"{self.step} (process {self.pid} on {self.host}) since {self.since}"


@cache
def this_machine() -> str:
    """Return what tells this machine, this boot of it, and this container, from all others."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"
    except OSError:
        return ""


def started_at(pid: int) -> int | None:
    """Return when a process of this machine started; None where there is none."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name may hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return None if fields[STATE] in ENDED else int(fields[STARTED])
