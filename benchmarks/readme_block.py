"""What a benchmark says in the README: the text between its two markers."""

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
