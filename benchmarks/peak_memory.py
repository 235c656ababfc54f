"""Run a command and print its seconds, its CPU seconds and the most memory that it took at once.

Both are of the command and all that it started, looked at five times a second. Pages that several
processes share are counted once (PSS).
"""

import argparse
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

EVERY_SECONDS = 0.2


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peak_memory",
        description=__doc__,
        epilog="example:\n  python -m benchmarks.peak_memory python -m jobs.import_logs "
        "--lake lake --date 2023-05-18 --profile ebnerd",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, with its arguments")
    return parser


@dataclass(slots=True)
class Use:
    """What a process and its descendants took so far."""

    peak: int = 0
    """Bytes."""
    cpu: dict[tuple[int, float], float] = field(default_factory=dict)
    """Seconds by process, which its number and its start name."""

    def look(self, process: psutil.Process) -> None:
        """Look once."""
        held = 0
        with suppress(psutil.NoSuchProcess):
            for one in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    held += one.memory_full_info().pss
                    times = one.cpu_times()
                    self.cpu[one.pid, one.create_time()] = times.user + times.system
        self.peak = max(self.peak, held)


def watched(command: list[str]) -> tuple[Use, int]:
    """Run a command to its end; return what it used and its exit code."""
    use, process = Use(), psutil.Popen(command)
    while process.poll() is None:
        use.look(process)
        time.sleep(EVERY_SECONDS)
    return use, process.returncode


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = build_parser()
    command = parser.parse_args(argv).command
    if not command:
        parser.error("give a command to run")
    started = time.monotonic()
    use, code = watched(command)
    seconds, cpu = time.monotonic() - started, sum(use.cpu.values())
    sys.stdout.write(f"{seconds:.0f} s, {cpu:.0f} s of CPU, {use.peak / 2**20:,.0f} MiB at most\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
