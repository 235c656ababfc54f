"""A data set's profile: one TOML file that names its fields, its source and every setting."""

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass, field
from datetime import date, time
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args, get_origin

from jobs.errors import Refused
from jobs.world.config import WorldConfig
from model.config import (
    ModelConfig,
    PromotionConfig,
    RankingConfig,
    TeacherConfig,
    TrainingConfig,
    require,
)
from schemas.table import ID_KINDS, Fields, Table
from schemas.tables import declare

SOURCES = ("simulated", "ebnerd")


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceConfig:
    """Where request_logs come from."""

    kind: str = "simulated"
    path: str = ""
    """Folder of the raw files, from the working directory on if relative; none if simulated."""
    pool_minutes: int = 60
    """Candidates of a request: what was shown to others in that long before it."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(self.kind in SOURCES, "source.kind", self.kind, f"one of {', '.join(SOURCES)}")
        minutes = self.pool_minutes
        require(1 <= minutes <= 10_080, "source.pool_minutes", minutes, "from 1 to 10080, a week")


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Everything that the steps need to know of a data set."""

    name: str
    description: str = ""
    k: tuple[int, ...] = (5,)
    """Lengths of the lists that are judged."""
    day_start: str = "00:00"
    """UTC time at which a day begins; dt is the date of (ts - day_start)."""
    unexposed_as_negative: bool = False
    fields: Fields = field(default_factory=Fields)
    source: SourceConfig = field(default_factory=SourceConfig)
    world: WorldConfig = field(default_factory=WorldConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    ranking: RankingConfig = field(default_factory=RankingConfig)
    promotion: PromotionConfig = field(default_factory=PromotionConfig)

    def __post_init__(self) -> None:
        """Check what spans several sections."""
        increasing = all(a < b for a, b in zip(self.k, self.k[1:], strict=False))
        require(bool(self.k) and min(self.k) >= 1 and increasing, "k", self.k, "growing, from 1")
        require(self.promotion.k in self.k, "promotion.k", self.promotion.k, f"one of k = {self.k}")
        for name in ("request_id", "user_id", "item_id"):
            kind = getattr(self.fields, name)
            require(kind in ID_KINDS, f"fields.{name}", kind, f"one of {', '.join(ID_KINDS)}")
        category = self.fields.category
        known = ", ".join(self.fields.item)
        require(not category or category in self.fields.item, "fields.category", category, known)
        targets, allowed = self.training.targets, f"0 or above teacher.k = {self.teacher.k}"
        every_winner = targets == 0 or targets > self.teacher.k
        require(every_winner, "training.targets", targets, allowed)
        try:
            time.fromisoformat(self.day_start)
        except ValueError:
            require(False, "day_start", self.day_start, "a time of day such as 07:00")

    @property
    def tables(self) -> dict[str, Table]:
        """The tables of this data set."""
        return declare(self.fields, self.training.max_candidates)

    @property
    def day_start_seconds(self) -> int:
        """Seconds after midnight UTC at which a day begins."""
        start = time.fromisoformat(self.day_start)
        return start.hour * 3600 + start.minute * 60 + start.second

    @property
    def depth(self) -> int:
        """How many places of each ranking are kept."""
        return max(self.k)


def load_profile(name: str) -> Profile:
    """Return a shipped profile by name, or a TOML file's; refuse unknown keys and bad values."""
    path = Path(name)
    if path.suffix == ".toml":
        where, text = name, _read(path)
    else:
        shipped = {p.name.removesuffix(".toml"): p for p in files("jobs.profiles").iterdir()}
        if name not in shipped:
            names = sorted(n for n, p in shipped.items() if p.name.endswith(".toml"))
            raise Refused(
                f"profile {name!r} is not shipped ({', '.join(names)}); "
                "for your own, give the path of a .toml file"
            )
        where, text = f"{name}.toml", shipped[name].read_text(encoding="utf-8")
    try:
        return _build(Profile, tomllib.loads(text), "")
    except (ValueError, TypeError) as error:
        raise Refused(f"profile {where}: {error}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"profile {path} cannot be read: {error}") from error


def _build(cls: type, values: dict[str, Any], prefix: str) -> Any:  # noqa: ANN401 - any section
    """Make the dataclass of a section; raise ValueError for keys that it does not have."""
    known = {f.name: f for f in dataclasses.fields(cls)}
    ready = {}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(known)}"
            raise ValueError(f"unknown key {prefix}{key}; {hint}")
        ready[key] = _value(known[key].type, value, f"{prefix}{key}")
    for spec in known.values():
        unset = spec.default is spec.default_factory is dataclasses.MISSING
        if unset and spec.name not in ready:
            raise ValueError(f"{prefix}{spec.name} is missing")
    return cls(**ready)


def _value(kind: Any, value: Any, name: str) -> Any:  # noqa: ANN401 - any TOML value
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{name} is a section, written [{name}], not {value!r}")
        return _build(kind, value, f"{name}.")
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{name} = {value!r} must be a list")
        each = get_args(kind)[0]
        return tuple(_value(each, item, f"{name}[{i}]") for i, item in enumerate(value))
    if kind is float and type(value) is int:
        value = float(value)
    if kind in (int, float, str, bool, date) and type(value) is not kind:
        raise ValueError(f"{name} = {value!r} must be of type {kind.__name__}")
    return value
