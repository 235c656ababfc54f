"""What a profile says about validation: which measures stop the day, and what they may be."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

from jobs.measures.catalogue import MEASURED, Kind, kinds_of
from jobs.profile.problems import nearest
from model.config import require_all
from schemas.table import Fields
from schemas.tables import declare

SEVERITIES = ("stop", "warn", "off")


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitConfig:
    """What one measure of a table may be; what is left out stays as it is."""

    severity: str = ""
    """What a value outside does: stop the day, warn, or nothing (off)."""
    low: float | None = None
    """The least that it may be, whatever it was before."""
    high: float | None = None
    """The most that it may be; of a drift (PSI), what may remain when chance is taken off."""
    change: float | None = None
    """By what share of the trailing days' median it may differ, however steady they were."""

    def on(self, kind: Kind) -> Kind:
        """Return the measure with what is said here."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(kind, **{name: v for name, v in said.items() if v not in ("", None)})


def _conditions(limit: LimitConfig, path: str) -> Iterator[tuple[bool, str, object, str]]:
    """Yield what must hold of a limit: known only to the profile is where it stands."""
    known, change = limit.severity in ("", *SEVERITIES), limit.change
    ends = [end for end in (limit.low, limit.high) if end is not None]
    yield known, f"{path}.severity", limit.severity, f"one of {', '.join(SEVERITIES)}"
    for name in ("low", "high"):
        value = getattr(limit, name)
        yield value is None or math.isfinite(value), f"{path}.{name}", value, "finite"
    yield ends == sorted(ends), f"{path}.low", limit.low, f"at most high = {limit.high}"
    yield change is None or 0 <= change < math.inf, f"{path}.change", change, "at least 0"


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationConfig:
    """How a day is judged by the days before it, and what stops it."""

    days: int = 28
    """How many trailing days are looked at."""
    min_days: int = 7
    """Of these, how many must have a measure before it is judged by them."""
    false_alarms: float = 0.001
    """How often a measure may be found strange where nothing changed."""
    min_n: int = 100
    """Independent values below which no drift is judged."""
    bad_rows: int = 100
    """How many rows that break one expectation are kept in bad_rows."""
    warn_only: tuple[str, ...] = ()
    """Columns whose broken values warn and do not stop, such as "request_logs.shown_rank"."""
    limits: dict[str, dict[str, LimitConfig]] = field(default_factory=dict)
    """By table and measure, what it may be, such as
    request_logs.rows = { severity = "warn", change = 0.3 }."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        least, rate = self.min_days, self.false_alarms
        require_all(
            [
                (2 <= self.days <= 366, "validation.days", self.days, "from 2 to 366"),
                (2 <= least <= self.days, "validation.min_days", least, "from 2 to days"),
                (0 < rate < 0.5, "validation.false_alarms", rate, "above 0 and below 0.5"),
                (self.min_n >= 1, "validation.min_n", self.min_n, "at least 1"),
                (0 <= self.bad_rows <= 10_000, "validation.bad_rows", self.bad_rows, "0 to 10000"),
            ]
        )

    def kinds(self, table: str, fields: Fields) -> dict[str, Kind]:
        """Return a table's measures as they are judged."""
        own = self.limits.get(table, {})
        return {
            name: own[name].on(kind) if name in own else kind
            for name, kind in kinds_of(table, fields).items()
        }

    def warning_columns(self, table: str) -> tuple[str, ...]:
        """Return the table's columns whose broken values only warn."""
        named = (column.partition(".") for column in self.warn_only)
        return tuple(name for of, _, name in named if of == table)


def validation_problems(fields: Fields, config: ValidationConfig) -> Iterator[str]:
    """Yield the tables, measures and columns that a profile names and that there are not."""
    for table, limits in config.limits.items():
        path = f"validation.limits.{table}"
        if table not in MEASURED:
            yield f"{path} is no table with measures; {_meant(table, MEASURED)}"
            continue
        kinds = kinds_of(table, fields)
        for name, limit in limits.items():
            if name not in kinds:
                yield f"{path}.{name} is no measure; {_meant(name, kinds)}"
            elif limit.change is not None and not kinds[name].by_past:
                yield f"{path}.{name}.change is read by no drift; give high instead"
            try:
                require_all(_conditions(limit, f"{path}.{name}"))
            except ValueError as error:
                yield str(error)
    tables = declare(fields, 1)
    for place, column in enumerate(config.warn_only):
        table, _, name = column.partition(".")
        known = tables[table].names if table in MEASURED else ()
        if name not in known:
            names = known or MEASURED
            wrong = f"validation.warn_only[{place}] = {column!r} is no column of a table"
            yield f"{wrong}; {_meant(name if known else table, names)}"


def _meant(name: str, known: object) -> str:
    near = nearest(name, known)
    return (f"did you mean {near}? " if near else "") + f"known are {', '.join(known)}"
