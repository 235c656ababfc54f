"""Put what `make run` showed into the README: its table as text, its picture as a file.

Reads the report of a lake; writes summary.txt and front.svg into --out, and renews the block of
the README that quotes them.
"""

import argparse
import re
import sys
from pathlib import Path

from benchmarks.picture_file import standalone
from benchmarks.readme_block import renew

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / "benchmarks" / "first_run"
BLOCK = "first_run"
PICTURE = re.compile(r'<svg [^>]*aria-label="Accuracy against diversity.*?</svg>', re.DOTALL)


def table(summary: str) -> str:
    """Return the part of the summary that a README has room for: its sentence and its numbers."""
    blocks = summary.strip().split("\n\n")
    result = [b for b in blocks if " against DCN on " in b or " - DCN " in b]
    return "\n\n".join([blocks[0], *result])


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_run",
        description=__doc__,
        epilog="example, after make run:\n  python -m benchmarks.first_run --lake lake",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lake", type=Path, required=True, help="the lake that make run filled")
    parser.add_argument("--out", type=Path, default=SHOWN, help="folder of text and picture")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to renew")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    args = build_parser().parse_args(argv)
    try:
        page = (args.lake / "reports" / "index.html").read_text(encoding="utf-8")
        summary = (args.lake / "reports" / "summary.txt").read_text(encoding="utf-8")
    except OSError as error:
        print(f"first_run: refused: {error}; make one first: make run LAKE=...", file=sys.stderr)
        return 2
    found = PICTURE.search(page)
    if found is None:
        print("first_run: refused: this report judges no day yet; run three", file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "front.svg").write_text(standalone(found[0]), encoding="utf-8")
    (args.out / "summary.txt").write_text(summary, encoding="utf-8")
    renew(args.readme, BLOCK, f"```text\n{table(summary)}\n```")
    print(f"made {args.out}/front.svg and summary.txt; renewed {args.readme}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
