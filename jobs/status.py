"""Show, day by day, what a lake holds: live folder, rows, digest, what it was made from.

The last column says what has changed since: an input that was made again or taken away, another
promoted model, other code. Running the step again would then make something new. Reads only.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from jobs.cli import DONE, REFUSED, parse_lake
from jobs.errors import Refused
from jobs.lake import Lake
from jobs.manifest import FILE_NAME, Manifest, code_version
from jobs.profile.load import load_profile
from jobs.registry import Registry

STEP = "status"
SHORT = 8
HEADER = ("live folder", "rows", "digest", "made from", "changed since")


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{STEP}",
        description=__doc__,
        epilog=f"example:\n  python -m jobs.{STEP} --lake lake --profile jingdong",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--lake", required=True, help="folder of the tables")
    parser.add_argument(
        "--profile", required=True, help="name of a shipped profile, or a TOML file"
    )
    return parser


def pointers(lake: Lake) -> Iterator[Path]:
    """Yield the folder of every published partition and model, in the order of the tables."""
    for name in (*lake.tables, "models"):
        for path in sorted((lake.root / name).rglob(FILE_NAME)):
            yield path.parent


def changes(live: Manifest, lake: Lake) -> Iterator[str]:
    """Yield what a partition was made from and what is no longer so."""
    day, registry = date.fromisoformat(live.partition["dt"]), Registry(lake)
    for name, digest in live.inputs.items():
        if "/" in name:
            now = Manifest.read(lake.root / name)
            if now is None or now.digest != digest:
                yield f"{name} {'is gone' if now is None else 'was made again'}"
            continue
        # Models never change, but which of them takes a part does.
        match name:
            case "candidate":
                base = registry.trained(day, bootstrap=True)
                version = registry.trained_before(day) or (base and base.digest)
            case "promoted":
                version = registry.promoted_before(day) or ""
            case _:
                version = registry.promoted(day)
        if version != digest:
            yield f"{name} is {version or 'none'} now"
    if live.code != code_version():
        yield "the code"


def made_from(live: Manifest) -> str:
    """Return the inputs' versions, those of one table together."""
    found: dict[str, list[str]] = {}
    for name, digest in live.inputs.items():
        found.setdefault(name.partition("/")[0], []).append(digest[:SHORT] or "none")
    return ", ".join(f"{name} {' '.join(digests)}" for name, digests in found.items()) or "-"


def days(lake: Lake) -> dict[str, list[tuple[str, ...]]]:
    """Return by day one line for each thing published."""
    lines: dict[str, list[tuple[str, ...]]] = {}
    for folder in pointers(lake):
        try:
            live = Manifest.read(folder)
            name = os.path.normpath(folder.relative_to(lake.root) / live.folder)
            changed = "; ".join(changes(live, lake)) or "nothing"
            rows = "-" if live.table == "models" else f"{live.rows:,}"
            line = (name, rows, live.digest[:SHORT], made_from(live), changed)
            day = live.partition["dt"]
        except Refused as damaged:
            name = folder.relative_to(lake.root)
            day = next(p.removeprefix("dt=") for p in name.parts if p.startswith("dt="))
            line = (str(name), "?", "?", "?", str(damaged))
        lines.setdefault(day, []).append(line)
    return dict(sorted(lines.items()))


def show(lake: Lake) -> str:
    """Return the page."""
    found = days(lake)
    if not found:
        return f"{lake.root} holds no tables yet; the first step is python -m jobs.ingest\n"
    lines = [line for day in found.values() for line in (HEADER, *day)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER) - 1)]
    text = []
    for day, rows in found.items():
        there = {name.split(os.sep)[0] for name, *_ in rows}
        missing = ", ".join(name for name in (*lake.tables, "models") if name not in there)
        text += ["", f"{day}{f'   not there: {missing}' if missing else ''}"]
        for line in (HEADER, *rows):
            cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
            cells[1] = line[1].rjust(widths[1])
            text.append("  ".join(["", *cells, line[-1]]))
    return "\n".join(text[1:]) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        lake = Lake(parse_lake(args.lake), load_profile(args.profile).tables)
    except Refused as refusal:
        sys.stderr.write(f"{STEP}: refused: {refusal}\n")
        return REFUSED
    sys.stdout.write(show(lake))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
