"""How a page of the report is made of its template."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def _load(name: str) -> str:
    return files("jobs.report").joinpath(name).read_text(encoding="utf-8")


def render(
    name: str,
    filters: dict[str, Callable],
    **context: Any,  # noqa: ANN401 - whatever the template names
) -> str:
    """Return the page, its style included."""
    environment = Environment(
        loader=FunctionLoader(_load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    environment.globals["style"] = Markup(_load("page.css"))
    return environment.get_template(name).render(**context)
