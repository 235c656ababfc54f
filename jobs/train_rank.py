"""One of several processes that train the day's model together; `jobs.train` has it started."""

import sys
from pathlib import Path

from jobs.cli import Task
from jobs.learning import learn
from jobs.processes import joined
from jobs.train import build_parser
from jobs.training_plan import STEP


def take_part(words: list[str]) -> None:
    """Train with the others: `words` are the folder for an error and the flags of jobs.train."""
    folder, *flags = words
    with joined(Path(folder)) as processes:
        args = build_parser().parse_args(flags)
        learn(Task(STEP, args), args, processes)


if __name__ == "__main__":
    take_part(sys.argv[1:])
