"""Bring one day of logs in, from where the profile says: simulate_logs or import_logs.

Reads the raw files or nothing, writes request_logs and reference_items (and the truth where it is
simulated). Scheduled lines call this, so that they are the same for every profile.
"""

import argparse
import sys

from jobs import import_logs, simulate_logs
from jobs.cli import step_parser

STEP = "ingest"
READS: tuple[str, ...] = ()
WRITES = ("reference_items", "request_logs")


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return step_parser(STEP, __doc__)


def main(argv: list[str] | None = None) -> int:
    """Run the step that fits the profile; flags of that step alone are passed on to it."""
    args, _ = build_parser().parse_known_args(argv)
    is_simulated = args.profile.source.kind == "simulated"
    return (simulate_logs if is_simulated else import_logs).main(argv)


if __name__ == "__main__":
    sys.exit(main())
