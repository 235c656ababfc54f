"""What of a lake is stale: made from what is no longer so, near or far, and because of what.

A table's own reasons are inputs that were made again, taken away or have come since, and another
promoted or newest model; what is made from a stale table is stale with it, through any number of
steps and days. Other code is told apart: it makes nothing stale by itself.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from jobs.errors import Refused
from jobs.lake import Lake
from jobs.manifest import code_version
from jobs.published import MODELS, Published, read_published
from jobs.registry import SEARCHED_DAYS, Registry
from jobs.teacher import WITHOUT_TEACHER
from jobs.validate import WRITES as OF_VALIDATION

MOST_CAUSES = 3
"""Causes that are named of one table; one more is kept to know of others."""
RAW = ":"
"""Stands in the names of inputs that are raw files, after the part of the profile."""


@dataclass(frozen=True, slots=True)
class State:
    """How one table stands to what it was made from."""

    own: tuple[str, ...] = ()
    """What has changed under it directly."""
    inherited: tuple[str, ...] = ()
    """What has changed under tables that it was made from."""
    superseded: str = ""
    """What has taken its place, where nothing reads it any more."""
    other_code: bool = False

    @property
    def is_stale(self) -> bool:
        """Whether its step, run again, would read something else now."""
        return bool(self.own or self.inherited) and not self.superseded

    @property
    def causes(self) -> tuple[str, ...]:
        """Why it is stale."""
        return self.own or self.inherited

    def __str__(self) -> str:
        """Say it in a few words."""
        code = ["the code"] if self.other_code else []
        if self.superseded:
            return f"superseded: {self.superseded}"
        if self.own:
            return "; ".join([*self.own, *code])
        if self.inherited:
            return f"stale: {told(self.inherited)}"
        return "".join(code) or "nothing"


def told(causes: tuple[str, ...]) -> str:
    """Return some causes in words."""
    more = " and more" if len(causes) > MOST_CAUSES else ""
    return "; ".join(causes[:MOST_CAUSES]) + more


class Lineage:
    """The published tables of a lake, how each stands, and the models of its days."""

    def __init__(
        self, lake: Lake, train_days: int, raw: Mapping[str, list[str]] | None = None
    ) -> None:
        """Read all pointers; `raw` says by partition which raw files are others now."""
        self.lake, self.train_days, self.raw = lake, train_days, raw or {}
        self.published = {one.name: one for one in read_published(lake)}
        self._by_day: dict[tuple[str, date], list[Published]] = {}
        for one in self.published.values():
            self._by_day.setdefault((one.table, one.day), []).append(one)
        self._trained = _Latest(
            (one.day, one.manifest.digest)
            for one in self.published.values()
            if one.table == MODELS and one.manifest and not one.is_bootstrap
        )
        self._makers: dict[str, list[str]] = {}
        for one in self.published.values():
            if one.table == MODELS and one.manifest:
                self._makers.setdefault(one.manifest.digest, []).append(one.name)
        self._unreadable: dict[str, str] = {}
        self._promoted = _Latest(self._promotions())
        self._superseded = dict(self._all_superseded())
        self.states = self._judged()

    @property
    def stale(self) -> list[Published]:
        """The stale tables."""
        return [one for one in self.published.values() if self.states[one.name].is_stale]

    def promoted_on(self, day: date) -> str | None:
        """Return the version that a day promoted; None where no decision can be read."""
        return self._promoted.on(day)

    def _promotions(self) -> Iterator[tuple[date, str]]:
        registry = Registry(self.lake)
        for one in self.published.values():
            if one.table == "promotions" and one.manifest:
                try:
                    version = registry.promoted(one.day)
                except Refused as damaged:
                    self._unreadable[one.name] = str(damaged)
                else:
                    yield one.day, version or ""

    def _of(self, table: str, day: date) -> list[Published]:
        return self._by_day.get((table, day), [])

    def _judged(self) -> dict[str, State]:
        """Return every table's state; what a table is made from is judged before it."""
        code, states = code_version(), {}
        for one in sorted(self.published.values(), key=self._place):
            causes = dict.fromkeys(
                cause
                for parent in self._parents(one)
                if parent in states and states[parent].is_stale
                for cause in self._passed_on(parent, states[parent])
            )
            states[one.name] = State(
                tuple(self._own_reasons(one)),
                tuple(causes)[: MOST_CAUSES + 1],
                self._superseded.get(one.name, ""),
                one.manifest is not None and one.manifest.code != code,
            )
        return states

    @staticmethod
    def _passed_on(name: str, state: State) -> tuple[str, ...]:
        """Return a table's causes as they are told of what is made from it."""
        own = tuple(reason if "/" in reason else f"{name}: {reason}" for reason in state.own)
        return own or state.inherited

    def _place(self, one: Published) -> tuple[date, float, str]:
        """Return where a table stands in the order in which days, and a day's steps, are made."""
        order = [*self.lake.tables]
        first_model = one.is_bootstrap or one.keys.get("teacher_id") == WITHOUT_TEACHER
        table = "examples" if one.table == MODELS else one.table
        step = order.index("promotions") - 0.75 if first_model else order.index(table)
        return one.day, step + (0.5 if one.table == MODELS else 0), one.name

    def _parents(self, one: Published) -> Iterator[str]:
        """Yield the names of what a table is made from."""
        if one.manifest is None:
            return
        for name, version in one.manifest.inputs.items():
            if "/" in name and RAW not in name:
                yield name
            elif name == "candidate":
                yield from self._makers.get(version, ())
            elif name == "promoted":
                if (before := self._promoted.day_before(one.day)) is not None:
                    yield f"promotions/dt={before}"
            elif RAW not in name:
                yield f"promotions/dt={one.day}"

    def _own_reasons(self, one: Published) -> Iterator[str]:
        """Yield what a table was made from directly and is no longer so."""
        if one.manifest is None:
            yield one.damage
            return
        if one.name in self._unreadable:
            yield self._unreadable[one.name]
        for name, digest in one.manifest.inputs.items():
            if RAW in name:
                continue
            if name == "model" and f"promotions/dt={one.day}" not in self.published:
                # Of such a day a person names the model that labels it.
                continue
            if "/" in name:
                yield from self._changed(one, name, digest)
            elif (version := self._model(name, one.day)) != digest:
                yield f"{name} is {version or 'none'} now"
        yield from self.raw.get(one.name, ())
        yield from self._arrived(one)

    def _changed(self, one: Published, name: str, digest: str) -> Iterator[str]:
        now = self.published.get(name)
        if now is None:
            yield f"{name} is gone"
        elif now.manifest is None:
            yield f"{name} is damaged"
        elif now.manifest.digest != digest:
            yield f"{name} was made again"
        elif name in self._superseded and one.table not in OF_VALIDATION:
            yield f"{name} is superseded"

    def _model(self, role: str, day: date) -> str | None:
        """Return the model that would take a part on a day now."""
        match role:
            case "candidate":
                base = self.published.get(f"{MODELS}/bootstrap/dt={day}")
                digest = base and base.manifest and base.manifest.digest
                return self._trained.before(day) or digest
            case "promoted":
                return self._promoted.before(day) or ""
            case _:
                return self._promoted.on(day)

    def _arrived(self, one: Published) -> Iterator[str]:
        """Yield what was not there when a table was made, and would be read now."""
        there: list[Published] = []
        if one.table == "examples":
            if one.keys["teacher_id"] not in (WITHOUT_TEACHER, *self._labels_in_force(one.day)):
                if self._labels_in_force(one.day):
                    yield f"the day's labels are of model {self._promoted.on(one.day)} now"
            for back in range(self.train_days):
                there += self._of("candidate_sets", one.day - timedelta(days=back))
        elif one.table in OF_VALIDATION:
            there += self._of(one.keys["of"], one.day)
        elif one.table == "metrics":
            for table in ("reference_items", "truth_requests"):
                there += self._of(table, one.day)
        for other in there:
            if other.name not in one.manifest.inputs:
                yield f"{other.name} is there now"

    def _labels_in_force(self, day: date) -> set[str]:
        """Return the ids of the teachers whose labels are of the model that is promoted."""
        version = self._promoted.on(day)
        return {
            one.keys["teacher_id"]
            for one in self._of("teacher_labels", day)
            if version and one.manifest and one.manifest.inputs.get("model") == version
        }

    def _all_superseded(self) -> Iterator[tuple[str, str]]:
        """Yield the tables of a teacher on a model that is not promoted, and what is there instead.

        They stay as they are: no step takes away what was published.
        """
        for (table, day), those in self._by_day.items():
            if table not in ("teacher_labels", "unlabelled", "examples"):
                continue
            in_force = self._labels_in_force(day)
            ids = {one.keys["teacher_id"] for one in those}
            if in_force & ids:
                for one in those:
                    if one.keys["teacher_id"] not in (WITHOUT_TEACHER, *in_force):
                        yield (
                            one.name,
                            f"model {self._promoted.on(day)} is promoted on this day now",
                        )


class _Latest:
    """A value of some days, and the newest one before a day."""

    def __init__(self, values: Iterator[tuple[date, str]]) -> None:
        self._values = dict(values)
        self._days = sorted(self._values)

    def on(self, day: date) -> str | None:
        return self._values.get(day)

    def day_before(self, day: date) -> date | None:
        place = bisect_left(self._days, day)
        if not place or (day - self._days[place - 1]).days > SEARCHED_DAYS:
            return None
        return self._days[place - 1]

    def before(self, day: date) -> str | None:
        return self._values.get(self.day_before(day))
