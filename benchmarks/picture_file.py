"""A picture of a page as a file of its own."""

import re
from importlib.resources import files


def standalone(picture: str) -> str:
    """Return an inline picture with the page's light colours, on paper."""
    css = files("jobs.report").joinpath("page.css").read_text(encoding="utf-8")
    root = css[css.index(":root {") : css.index("}")]
    colours = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", root))
    for name, value in colours.items():
        picture = picture.replace(f"var({name})", value.replace('"', "'"))
    left, top, width, height = re.search(r'viewBox="([^"]*)"', picture)[1].split()
    paper = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#ffffff"/>'
    head, body = picture.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg">{paper}{body}\n'
