"""One measure of a day as it is stored, and the rows of the table `measures`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from schemas.arrow import arrow_schema
from schemas.table import Table


@dataclass(frozen=True, slots=True)
class Measured:
    """A number (`value`), quantiles (`points`), or how many there are of each category."""

    name: str
    n: float
    """Of how many rows, requests or values; of a distribution, how many independent ones."""
    value: float | None = None
    spread: float = 1.0
    """Of a distribution, how unequally its bins are clustered (jobs.measures.distribution)."""
    points: tuple[float, ...] = ()
    bins: tuple[str, ...] = ()
    counts: tuple[float, ...] = ()
    part: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """By which it is found on another day."""
        return self.part, self.name


def ratio(name: str, some: float, of: float) -> Measured:
    """Return a share or a mean; of nothing it has no value."""
    return Measured(name, float(of), float(some) / float(of) if of else None)


def number(name: str, value: float | None, n: float) -> Measured:
    """Return a number; one that is not finite is none."""
    is_number = value is not None and math.isfinite(value)
    return Measured(name, float(n), float(value) if is_number else None)


def as_rows(measured: Iterable[Measured], table: Table) -> pa.Table:
    """Return rows of `measures`; a measure without any content is left out."""
    rows = [
        {name: getattr(one, name) for name in table.names}
        for one in measured
        if one.value is not None or one.points or one.bins
    ]
    return pa.Table.from_pylist(rows, arrow_schema(table))


def from_rows(rows: pa.Table) -> dict[tuple[str, str], Measured]:
    """Return what `as_rows` stored, by part and name."""
    found = (
        Measured(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
        for row in rows.to_pylist()
    )
    return {one.key: one for one in found}
