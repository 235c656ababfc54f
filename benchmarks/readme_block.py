"""What a benchmark shows: files of its own, and the text between its two markers in the README."""

import re
from pathlib import Path


def renew(readme: Path, name: str, shown: str) -> None:
    """Put a text between <!-- name --> and <!-- /name -->; raise ValueError where they are not."""
    text = readme.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", re.DOTALL)
    if not block.search(text):
        raise ValueError(f"{readme} has no block <!-- {name} --> ... <!-- /{name} -->; add it")
    renewed = block.sub(lambda found: f"{found[1]}\n{shown}\n{found[2]}", text)
    readme.write_text(renewed, encoding="utf-8")


def show(out: Path, readme: Path, name: str, *, bars: str, table: str, cost: str) -> None:
    """Write bars.md, table.md and cost.svg (a picture's text); renew the block; print it all."""
    for file, text in (("bars.md", bars), ("table.md", table), ("cost.svg", cost)):
        (out / file).write_text(text, encoding="utf-8")
    renew(readme, name, f"{bars}\n{table}")
    print(bars)
    print(table)
    print(f"made {out}/bars.md, table.md and cost.svg; renewed {readme}")
