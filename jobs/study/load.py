"""Load a study: a TOML file, made into its configuration or refused with all that is wrong."""

from importlib.resources import files
from pathlib import Path

from jobs.errors import Refused
from jobs.profile.load import read_as
from jobs.study.config import StudyConfig


def load_study(name: str) -> StudyConfig:
    """Return a shipped study by name, or a TOML file's."""
    shipped = {path.name: path for path in files("jobs.studies").iterdir()}
    path = Path(name) if name.endswith(".toml") else shipped.get(f"{name}.toml")
    if path is None:
        known = ", ".join(sorted(n.removesuffix(".toml") for n in shipped if n.endswith(".toml")))
        raise Refused(f"study {name!r} is not shipped ({known}); give the path of a .toml file")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"study {name} cannot be read: {error}") from error
    return read_as(StudyConfig, name, text, "study")
