"""What validation found on a day and on the days before it, for the page about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from markupsafe import Markup

from jobs.lake import Lake
from jobs.measures.catalogue import MEASURED, Kind
from jobs.measures.units import written
from jobs.profile.config import Profile
from jobs.report.trend import Point, trend
from jobs.validation_rows import MEASURE, STOP, WARN, Row, failed_rows

SHOWN_DAYS = 28


@dataclass(frozen=True, slots=True)
class Finding:
    """One result that failed on the day."""

    row: Row
    since: date
    """The first of the validated days without a break on which it failed."""
    days: int
    """How many of them there are."""
    says: str
    trend: Markup
    span: str
    """Between which values the picture's line lies."""
    kept: int
    """How many of its broken rows bad_rows holds."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One measure of the day, over days."""

    row: Row
    kind: Kind
    part: str
    state: str
    trend: Markup


class ValidatedTable:
    """One table that was validated on the day."""

    def __init__(self, lake: Lake, name: str, day: date, profile: Profile) -> None:
        """Read its results of the shown days that have any."""
        self.lake, self.name, self.day = lake, name, day
        self.rows: dict[date, list[Row]] = {}
        for then in (day - timedelta(days=back) for back in reversed(range(SHOWN_DAYS))):
            results = lake.partition("validations", then, of=name)
            if results.manifest() is not None:
                self.rows[then] = results.read().to_pylist()
        self.first = min(self.rows, default=day)
        """Where its pictures begin."""
        self._kinds = profile.validation.kinds(name, profile.fields)
        self.off = [kind.name for kind in self._kinds.values() if kind.severity == "off"]

    @property
    def today(self) -> list[Row]:
        """The results of the day; none where it was not validated."""
        return self.rows.get(self.day, [])

    def state(self, day: date) -> tuple[int, int] | None:
        """Return how many results stop the day and how many warn; None where there are none."""
        if day not in self.rows:
            return None
        return len(failed_rows(self.rows[day], STOP)), len(failed_rows(self.rows[day], WARN))

    @cached_property
    def _by_key(self) -> dict[tuple, dict[date, Row]]:
        found: dict[tuple, dict[date, Row]] = {}
        for day, rows in self.rows.items():
            for row in rows:
                found.setdefault(_key(row), {})[day] = row
        return found

    def findings(self, severity: str) -> Iterator[Finding]:
        """Yield what failed on the day and does so much; first that rows are missing, if so."""
        kept = self._kept()
        for row in sorted(failed_rows(self.today, severity), key=lambda row: not _is_count(row)):
            days = self._failing(row)
            kind = self._kind(row)
            yield Finding(
                row,
                days[-1],
                len(days),
                kind.says if kind else "",
                self._trend(row),
                self._span(row, kind),
                kept.get((row["column"], row["expectation"]), 0),
            )

    def _failing(self, row: Row) -> list[date]:
        """Return the validated days without a break, the newest first, on which it failed."""
        known, found = self._by_key[_key(row)], []
        for day in sorted(self.rows, reverse=True):
            if day not in known or known[day]["success"] != 0:
                break
            found.append(day)
        return found

    def measures(self) -> list[Followed]:
        """Return the measures of the day in the catalogue's order, part by part."""
        followed = []
        for row in self.today:
            kind = self._kind(row)
            if row["kind"] == MEASURE and kind:
                part = row["column"].removesuffix(kind.name).rstrip(".")
                followed.append(Followed(row, kind, part, _state(row), self._trend(row)))
        return followed

    def declared(self) -> list[Row]:
        """Return the results about rows."""
        return [row for row in self.today if row["kind"] != MEASURE]

    def _kind(self, row: Row) -> Kind | None:
        if row["kind"] != MEASURE:
            return None
        return self._kinds.get(row["column"].rpartition(".")[2])

    def _trend(self, row: Row) -> Markup:
        """Draw a measure, or of an expectation about rows what share of them broke it."""
        known = self._by_key[_key(row)]
        points = [_point(day, known[day]) for day in sorted(known)]
        return trend(points, self.first, self.day, f"{row['column']} over days")

    def _span(self, row: Row, kind: Kind | None) -> str:
        values = [_point(day, one).value for day, one in self._by_key[_key(row)].items()]
        values, unit = [v for v in values if v is not None], kind.unit if kind else "share"
        return f"{written(min(values), unit)} to {written(max(values), unit)}"

    def _kept(self) -> dict[tuple[str, str], int]:
        """Return by column and expectation how many broken rows are kept."""
        bad = self.lake.partition("bad_rows", self.day, of=self.name)
        if bad.manifest() is None or not bad.manifest().rows:
            return {}
        groups = bad.read(["column", "expectation"]).group_by(["column", "expectation"])
        counts = groups.aggregate([([], "count_all")]).to_pylist()
        return {(one["column"], one["expectation"]): one["count_all"] for one in counts}


def validated(lake: Lake, day: date, profile: Profile) -> list[ValidatedTable]:
    """Return the tables with results on any shown day, in the order in which a day makes them."""
    every = (ValidatedTable(lake, name, day, profile) for name in lake.tables if name in MEASURED)
    tables = [table for table in every if table.rows]
    for table in tables:
        table.first = min(one.first for one in tables)
    return tables


def _key(row: Row) -> tuple:
    """Return by what a result is found on other days: a measure's words change with its limits."""
    return row["kind"], row["column"], "" if row["kind"] == MEASURE else row["expectation"]


def _is_count(row: Row) -> bool:
    """Whether it is about how many rows there are, which often says why all else fails."""
    return row["kind"] == MEASURE and row["column"].rpartition(".")[2] == "rows"


def _state(row: Row) -> str:
    if row["success"] is None:
        return "none"
    return "ok" if row["success"] else row["severity"]


def _point(day: date, row: Row) -> Point:
    value = row["value"]
    if row["kind"] != MEASURE:
        value = row["unexpected"] / row["rows"] if row["rows"] else None
    return Point(day, value, row["low"], row["high"], _state(row))
