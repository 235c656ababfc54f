"""The decisions of a day: which model labels and serves from it on, who said so, when and why."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from jobs.lake import Partition

GATE = "the gate"
"""Who decided where no person did."""
PROMOTED, HELD, ROLLED_BACK = "promoted", "held", "rolled back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One of them; a row of promotions."""

    candidate_version: str
    previous_version: str
    promoted_version: str
    decision: str
    reason: str
    decided_by: str = GATE
    decided_at: datetime | None = None

    @property
    def is_by_hand(self) -> bool:
        """Whether a person made it."""
        return self.decided_by != GATE

    @property
    def when(self) -> str:
        """The moment in words; nothing where none was given."""
        return f"{self.decided_at:%Y-%m-%d %H:%M} UTC" if self.decided_at else ""

    def to_json(self) -> dict[str, Any]:
        """Return it as a manifest keeps it."""
        return asdict(self) | {"decided_at": self.when}


def read_decisions(partition: Partition) -> list[Decision]:
    """Return the decisions of a day, the one in force last; none where nothing was decided."""
    if partition.manifest() is None:
        return []
    rows = partition.read().sort_by("number").to_pylist()
    return [Decision(**{k: v for k, v in row.items() if k != "number"}) for row in rows]


def as_rows(decisions: list[Decision]) -> pa.Table:
    """Return them as rows of promotions."""
    return pa.Table.from_pylist(
        [{"number": number} | asdict(one) for number, one in enumerate(decisions, start=1)]
    )
