"""A step in a process of its own, whose doings on the lake are counted, or end it at one of them.

The step's code is what it always is. In its process alone what it calls of the operating system,
of Arrow and of the audit is counted: each call is two points, one before it and one after.
"""

import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs.line import step_module

NAMED_BY_CHANCE = re.compile(r"[0-9a-f]{12,32}|(?<=\.)[0-9a-f]{8}\b")
MODES = ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync")
WHOLE_SECONDS = 900
"""After which a step counts as hung."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step's process came to its end."""

    code: int
    """Its exit code, or less than 0 where a signal ended it."""
    seconds: float


class Points:
    """Counts what a step does below a folder; its process group ends at one of these points."""

    def __init__(self, root: Path, into: Path, stop_at: int | None = None) -> None:
        """Write the points met into a file; where they stop, the last one alone."""
        self.root, self.into, self.stop_at = str(root), into, stop_at
        self.met = 0

    def meet(self, what: str) -> None:
        """Count a point; end here if it is the one."""
        self.met += 1
        if self.stop_at is None:
            with self.into.open("a", encoding="utf-8") as out:
                out.write(f"{what}\n")
        elif self.met == self.stop_at:
            self.into.write_text(what, encoding="utf-8")
            os.killpg(0, signal.SIGKILL)

    def told(self, *places: object, at: int | None = None) -> str | None:
        """Name places below the folder, without what is drawn by chance; None for others."""
        found = []
        for place in places:
            where = f"/proc/self/fd/{place}" if isinstance(place, int) else os.fspath(place)
            text = os.readlink(where) if isinstance(place, int) else str(where)
            if at is not None:
                text = os.path.join(os.readlink(f"/proc/self/fd/{at}"), text)
            if not text.startswith(self.root):
                return None
            found.append(NAMED_BY_CHANCE.sub("*", text.removeprefix(self.root + "/")))
        return " to ".join(found)

    def watch(self, owner: object, name: str, places: Callable[..., str | None]) -> None:
        """Count every call of a function that is about the folder."""
        call = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it takes
            about = places(*args, **kwargs)
            if about is None:
                return call(*args, **kwargs)
            self.meet(f"before {name} {about}")
            made = call(*args, **kwargs)
            self.meet(f"after {name} {about}")
            return made

        setattr(owner, name, counted)

    def watch_all(self) -> None:
        """Count folders, renames, removals, flushes, files written and audits."""
        from jobs import publish
        from model import checkpoint, unfinished

        for name in MODES:
            count = 2 if name in ("rename", "replace") else 1
            self.watch(os, name, self._of_os(count))
        self.watch(Path, "write_text", lambda path, *_, **__: self.told(path))
        self.watch(pq, "write_table", lambda _, path, **__: self.told(path))
        self.watch(pq.ParquetWriter, "close", lambda writer: self.told(writer.where))
        for module in (checkpoint, unfinished):
            self.watch(module, "save_file", lambda _, path, **__: self.told(path))
        self.watch(publish, "audit_file", lambda path, *_: self.told(path))
        self.watch(publish, "audit_whole", lambda _, __, name: str(name))

    def _of_os(self, count: int) -> Callable[..., str | None]:
        def places(*args: Any, dir_fd: int | None = None, **_: object) -> str | None:  # noqa: ANN401
            return self.told(*args[:count], at=dir_fd)

        return places


def run_step(
    step: str,
    argv: list[str],
    log: Path,
    points: Points | None = None,
    kill_after: float | None = None,
) -> Ended:
    """Run a step in a forked process and session; kill all of it after so many seconds."""
    began = time.monotonic()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _work(step, argv, log, points)
    deadline = began + (WHOLE_SECONDS if kill_after is None else kill_after)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() >= deadline:
            try:
                os.killpg(child, signal.SIGKILL)
            except ProcessLookupError:  # It has not got so far as to lead a group.
                os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            break
        time.sleep(0.002)
    seconds = time.monotonic() - began
    _end_session(child)
    return Ended(os.waitstatus_to_exitcode(status), seconds)


def _work(step: str, argv: list[str], log: Path, points: Points | None) -> None:
    """Be the step's process; never return."""
    os.setsid()
    code = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        if points is not None:
            points.watch_all()
        code = step_module(step).main(argv)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_session(leader: int) -> None:
    """End what a killed step leaves running: Spark's workers have a process group of their own."""
    while left := [pid for pid in _processes() if _session(pid) == leader]:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.01)


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _session(pid: int) -> int | None:
    """Return the session of a process that has not ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[3])
