"""The page's templates."""

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def render(template: str, /, **context: object) -> Markup:
    """Return a template of this package filled in."""

    def read(wanted: str) -> str:
        package = "jobs.report" if wanted == "page.css" else "jobs.study"
        return files(package).joinpath(wanted).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template(template).render(style=Markup(read("page.css")), **context)
    return Markup(text)
