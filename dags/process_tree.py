"""End a process and all that it started, sessions of their own included."""

import os
import signal
import subprocess
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path


def end_tree(process: subprocess.Popen, patience_s: float = 5.0) -> None:
    """Ask the process and its descendants to end; kill what has not within `patience_s`.

    Airflow starts each command in a new session, so no signal to its own group would reach it.
    """
    if process.poll() is not None:
        return
    tree = [process.pid, *_descendants(process.pid)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in tree:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            process.poll()
            tree = [pid for pid in tree if _parent(pid) is not None]
            if not tree:
                break
            time.sleep(0.05)
    process.wait()


def _descendants(root: int) -> list[int]:
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        children[_parent(int(folder.name))].append(int(folder.name))
    found = list(children[root])
    for pid in found:
        found.extend(children[pid])
    return found


def _parent(pid: int) -> int | None:
    """The parent of a live process; None where it is gone, or only its exit code is left."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    state, parent, *_ = stat.rpartition(")")[2].split()
    return None if state == "Z" else int(parent)
