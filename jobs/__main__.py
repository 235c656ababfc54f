"""List the steps in the order of a day: what each does, reads and writes, and an example."""

import argparse
import sys
from types import ModuleType

import jobs.profile.__main__ as profile_command
import jobs.study.__main__ as study_command
from jobs.cli import DONE, Parser
from jobs.commands import COMMANDS, SOURCES
from jobs.line import step_module

ON_A_LAKE = ("line", "status", "explain", "gc", "validation_report", "labelled_days")


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return Parser(
        prog="python -m jobs",
        description=__doc__,
        epilog="example:\n  python -m jobs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def steps() -> tuple[str, ...]:
    """Return every step once, where its table is made for good: not at the bootstrap."""
    line = [command.split()[0] for command in COMMANDS if not command.endswith("--bootstrap")]
    first, *rest = dict.fromkeys(line)
    return (first, *SOURCES, *rest)


def described(name: str, module: ModuleType | None = None) -> str:
    """Return a step's paragraph; the commands that are no steps read and write no table."""
    module = module or step_module(name)
    example = module.build_parser().epilog.splitlines()[-1].strip()
    lines = [f"{name}: {module.__doc__.splitlines()[0]}"]
    for verb in ("READS", "WRITES"):
        if tables := getattr(module, verb, ()):
            lines.append(f"  {verb.lower():<6}  {', '.join(tables)}")
    return "\n".join([*lines, f"  {example}", ""])


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    build_parser().parse_args(argv)
    text = ["The steps of a day, in order; each is one command:", ""]
    text += [described(name) for name in steps()]
    text += ["On a lake:", "", *[described(name) for name in ON_A_LAKE]]
    text += ["For a profile of your own logs:", "", described("profile", profile_command)]
    text += ["For science:", "", described("study", study_command)]
    sys.stdout.write("\n".join(text))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
