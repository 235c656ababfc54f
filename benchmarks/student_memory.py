"""Tell by how much a training step of a model with landmarks raises a process's memory, in MiB.

A process of its own, after one small step has loaded what every step needs.
"""

import argparse
import ctypes
import subprocess
import sys
from pathlib import Path

from benchmarks.student_field import LANDMARKS, candidates, model_of, step_of


def rise(n: int, requests: int) -> float:
    """Return the MiB that a step takes at its peak, measured in a new process."""
    command = [sys.executable, "-m", "benchmarks.student_memory"]
    sizes = ["--candidates", str(n), "--requests", str(requests)]
    found = subprocess.run([*command, *sizes], check=True, capture_output=True, text=True)
    return float(found.stdout)


def resident(which: str) -> float:
    """Return a line of this process's status, VmRSS or VmHWM, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(which))) / 1024


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.student_memory",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.student_memory --candidates 5000 --requests 64",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--candidates", type=int, required=True, help="of a request")
    parser.add_argument("--requests", type=int, required=True, help="of the step")
    args = parser.parse_args(argv)
    model = model_of(landmarks=LANDMARKS)
    step_of(model, candidates(200, 2))()
    step = step_of(model, candidates(args.candidates, args.requests))
    # What is free goes back first: it would hide as much of the step.
    ctypes.CDLL(None).malloc_trim(0)
    before = resident("VmRSS")
    step()
    print(f"{resident('VmHWM') - before:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
