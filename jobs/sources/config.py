"""How raw files become request_logs: the [source] section of a profile."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from model.config import require, require_all

Scalar = str | int | float | bool
FORMATS = ("parquet", "feather", "csv", "tsv")
TIME_UNITS = ("s", "ms", "us")
LOG_ROWS = ("candidates", "requests", "events")
DAY_MINUTES = 24 * 60
MICROSECONDS_A_MINUTE = 60_000_000
Condition = tuple[bool, str, object, str]
"""Whether it holds, the key that it is about, its value, and what is allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawColumn:
    """Where the values of one column of ours come from; a bare string is the raw column's name."""

    column: str = ""
    """Name in the raw file; `list.member` reaches into a list of structs."""
    constant: Scalar | None = None
    """One value for every row, where the files have no such column."""
    row_number: bool = False
    """For request_id and user_id: `<file>:<row>`, or the row's number where ids are integers; for a
    constant ts: a second more for each row."""
    split: str = ""
    """The column is one string that holds a list, cut at this; brackets around the list, and blanks
    and quotes around its elements, are no part of them."""
    token: str = ""
    """Each element is a string (or the value itself) of several parts, cut at this."""
    part: int | None = None
    """Which part, from 0; -1 is the last one. Without it a token's is the first, and a field whose
    value is a list gets all of it as one text, joined by fields.category_separator."""
    among: "RawColumn | None" = None
    """For exposed and label: 1 where the item is in this list, else 0."""
    of: "RawColumn | None" = None
    """The items that a label list runs parallel to, where these are not the candidates."""
    at_least: float | None = None
    """For label: 1 where the value is at least this, else 0."""
    equals: tuple[str, ...] = ()
    """For label and exposed: 1 where the value is one of these, such as "click", else 0."""
    smaller_is_better: bool = False
    """For score: the value is a place or a distance, and is negated."""
    derive: str = ""
    """For score: "position", the first in the list or file being the best, or "popularity" in the
    trailing window; for shown_rank: "position" among the shown."""
    edges: tuple[float, ...] = ()
    """For a field: numbers fall into the buckets 0 to len(edges)."""
    presence: bool = False
    """Whether there is a value: 1 or 0 for label and exposed, "yes" or "no" for a field."""
    decimal: str = "."
    """Of numbers in text: the decimal mark, "." or ","."""
    unit: str = ""
    """For ts: a number of s, ms or us since 1970 UTC."""
    format: str = ""
    """For ts: text in this format of Python's strptime; without one it is ISO 8601."""
    zone: str = ""
    """For ts: the zone of a time that names none itself, such as "UTC" or "Europe/Oslo"."""


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFiles:
    """Files of one layout, and which of their columns we take."""

    files: tuple[str, ...]
    """Names or patterns below source.path; {date} stands for the day."""
    date_format: str = "%Y-%m-%d"
    """How {date} is written, as in Python's strftime."""
    format: str = ""
    """parquet, feather, csv or tsv, text packed (.gz, .bz2, .xz) or not; empty: by the name."""
    delimiter: str = ""
    """Between columns, where it is neither a comma (csv) nor a tab (tsv)."""
    quote: str = '"'
    """Around values that hold the delimiter; empty: there are no quotes."""
    encoding: str = "utf-8"
    """Of a text file, such as "latin-1"."""
    header: bool = True
    """Whether the first line of a text file names the columns."""
    names: tuple[str, ...] = ()
    """The column names of a text file without a header."""
    nulls: tuple[str, ...] = ()
    """Of a text file: what stands for a missing value, besides nothing; such as "\\N"."""
    columns: dict[str, RawColumn]

    def conditions(self, where: str) -> Iterator[Condition]:
        """Yield what must hold; `where` is the section."""
        yield bool(self.files), f"{where}.files", list(self.files), "one name or more"
        for name in self.files:
            inside = bool(name) and not name.startswith(("/", "~")) and ".." not in name.split("/")
            yield inside, f"{where}.files", name, "a name or pattern below source.path"
        yield (
            _is_encoding(self.encoding),
            f"{where}.encoding",
            self.encoding,
            "one that Python knows",
        )
        formats = ", ".join(FORMATS)
        known = self.format in ("", *FORMATS)
        yield known, f"{where}.format", self.format, f"one of {formats}"
        for name in ("delimiter", "quote"):
            value = getattr(self, name)
            yield len(value) <= 1, f"{where}.{name}", value, "one character"
        named, allowed = self.header != bool(self.names), "there just where header = false"
        yield named, f"{where}.names", list(self.names), allowed
        unique = len(set(self.names)) == len(self.names)
        yield unique, f"{where}.names", list(self.names), "different names"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFiles(RawFiles):
    """The files that say who was offered what."""

    rows: str = "candidates"
    """What one row is: one of the `candidates` of a request, one of the `requests` with lists of
    its candidates, or one of the `events` of a user, from which requests are made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinedFiles(RawFiles):
    """Facts about items or users, joined by their id."""

    missing: str = "unknown"
    """What becomes of an id that is not in them: its fields are `unknown`, or the row that has it
    goes to `quarantine`."""

    def join_conditions(self, where: str, key: str) -> Iterator[Condition]:
        """Yield what must hold of files that are joined by this id."""
        columns, ways = self.columns, ("unknown", "quarantine")
        yield key in columns, f"{where}.columns", list(columns), f"with {key}"
        yield self.missing in ways, f"{where}.missing", self.missing, f"one of {', '.join(ways)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceConfig:
    """Where request_logs come from: the simulator, or files."""

    kind: str = "simulated"
    """`simulated`, by [world], or `files`."""
    path: str = ""
    """Folder that file names start from; relative to the folder the command is called in."""
    logs: LogFiles | None = None
    items: tuple[JoinedFiles, ...] = ()
    users: tuple[JoinedFiles, ...] = ()
    history: RawFiles | None = None
    """Who read what before the logs: only for the reference vectors that ILAD is measured with."""
    vectors: RawFiles | None = None
    """Reference vectors of the items; without them likeness is who clicked what together."""
    session_minutes: int = 0
    """Events: a request is what a user did without a pause of that long."""
    user_days: int = 0
    """Events: each user's events are cut into that many parts, part n being one request of day n.
    For data sets whose users come once: later days then know their users."""
    first_day: date = date(2000, 1, 1)
    """The first of these days."""
    candidates: str = "logged"
    """`logged`; or derived: `window`, what others were shown in the trailing window and nothing
    else, or `sample`, the logged ones and pool_size from that window at random."""
    window_minutes: int = 60
    """The trailing window of derived candidates and of popularity."""
    pool_size: int = 0
    """Derived candidates: the most popular that many, or that many at random; 0: all."""
    skip_seen: bool = False
    """Leave out of the derived candidates what the user met in the window before."""
    seed: int = 0
    """Of what is drawn at random."""
    most_candidates: int = 10_000
    """Longer requests are cut to the best by score, and counted."""
    max_quarantined: float = 0.01
    """Above this share of source rows that cannot be used nothing is published."""

    def __post_init__(self) -> None:
        """Check ranges and what needs what; the ValueError has a line for each problem."""
        kinds = ("simulated", "files")
        require(self.kind in kinds, "source.kind", self.kind, f"one of {', '.join(kinds)}")
        if self.kind == "files":
            if self.logs is None:
                raise ValueError("source.logs is missing; add the section [source.logs]")
            require_all(self._conditions())

    def _conditions(self) -> Iterator[Condition]:
        yield from self.logs.conditions("source.logs")
        rows = self.logs.rows
        yield rows in LOG_ROWS, "source.logs.rows", rows, f"one of {', '.join(LOG_ROWS)}"
        for kind in ("items", "users"):
            for number, joined in enumerate(getattr(self, kind)):
                yield from joined.conditions(f"source.{kind}[{number}]")
                yield from joined.join_conditions(f"source.{kind}[{number}]", f"{kind[:-1]}_id")
        for name, needed in (("history", "user_id"), ("vectors", "vector")):
            if files := getattr(self, name):
                yield from files.conditions(f"source.{name}")
                both = set(files.columns) == {"item_id", needed}
                wanted = f"just item_id and {needed}"
                yield both, f"source.{name}.columns", list(files.columns), wanted
        yield from self._request_conditions()
        most, share = self.most_candidates, self.max_quarantined
        yield 2 <= most <= 1_000_000, "source.most_candidates", most, "from 2 to 1000000"
        yield 0 <= share <= 1, "source.max_quarantined", share, "a share from 0 to 1"

    def _request_conditions(self) -> Iterator[Condition]:
        """Yield what must hold of the way in which requests and candidates are made."""
        ways, way = ("logged", "window", "sample"), self.candidates
        yield way in ways, "source.candidates", way, f"one of {', '.join(ways)}"
        size, allowed = self.pool_size, "above 0 where candidates = 'sample', else 0 or above"
        yield size > 0 or (size == 0 and way != "sample"), "source.pool_size", size, allowed
        minutes, year = self.window_minutes, 366 * DAY_MINUTES
        yield 1 <= minutes <= year, "source.window_minutes", minutes, f"from 1 to {year}, a year"
        yield self.seed >= 0, "source.seed", self.seed, "0 or above"
        is_events = self.logs.rows == "events"
        daily = any("{date}" in name for name in self.logs.files)
        allowed = "without {date} where logs.rows = 'events': a visit goes on after midnight"
        yield not (daily and is_events), "source.logs.files", list(self.logs.files), allowed
        for name, other in (("session_minutes", "user_days"), ("user_days", "session_minutes")):
            value = getattr(self, name)
            if is_events:
                allowed = f"above 0 where source.{other} is 0, and 0 where it is not"
                fits = value >= 0 and (value > 0) != (getattr(self, other) > 0)
            else:
                allowed, fits = "0 where logs.rows is not 'events'", value == 0
            yield fits, f"source.{name}", value, allowed
        allowed = (
            "window or sample where logs.rows = 'events', which tell nothing of what was passed"
        )
        yield way != "logged" or not is_events, "source.candidates", way, allowed
        columns = self.logs.columns
        if (label := columns.get("label")) and label.of is not None:
            allowed = "given where label.of is: what is not in that list was not exposed"
            yield "exposed" in columns, "source.logs.columns.exposed", None, allowed
        score = columns.get("score")
        if way != "logged" and score is not None:
            allowed = "left out where candidates are derived: it is their popularity in the window"
            scored = score.column or score.constant or score.derive
            fits = score.derive == "popularity"
            yield fits, "source.logs.columns.score", scored, allowed
