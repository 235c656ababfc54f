"""Files of days, looked at as an import does, for test_raw_columns."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import Lake
from jobs.parquet_file import write_parquet
from jobs.profile.load import load_profile
from jobs.publish import Publication
from jobs.sources.found import find_source
from jobs.sources.raw_columns import FILE, check_columns
from schemas.arrow import arrow_schema

ONE, TWO, THREE = (date(2026, 1, n) for n in (1, 2, 3))
LOG = pa.table(
    {
        "req": ["r1", "r1", "r2", "r2"],
        "sku": [1, 2, 1, 3],
        "at": pa.array([1_767_225_600 + n for n in (0, 0, 60, 60)]),
        "rank_score": [0.5, 0.4, 0.3, 0.2],
        "bought": [1, 0, 0, 1],
        "shelf": ["x", "y", "x", "z"],
        "seen": [[1, 2], [1], [], [3]],
        "device": [{"kind": "phone"}] * 4,
    }
)
PROFILE = """
name = "daily"
k = [2]
[fields]
item = []
[source]
kind = "files"
[source.logs]
files = "log-{date}.parquet"
[source.logs.columns]
request_id = "req"
user_id = { constant = 7 }
item_id = "sku"
ts = { column = "at", unit = "s" }
score = "rank_score"
label = "bought"
[teacher]
k = 2
[promotion]
k = 2
"""


class Deliveries:
    """Files of days, looked at as an import does; what they had is kept where it is taken."""

    def __init__(self, folder: Path) -> None:
        (folder / "daily.toml").write_text(PROFILE, encoding="utf-8")
        self.profile = load_profile(str(folder / "daily.toml"))
        self.lake = Lake(folder / "lake", self.profile.tables)
        self.source = folder / "raw"
        self.source.mkdir()

    def file(self, day: date, name: str = "") -> Path:
        return self.source / f"log-{day}{name}.parquet"

    def take(self, day: date, *tables: pa.Table, accept: bool = False) -> list[str]:
        """Deliver files, one or several, and take them; return what is said."""
        for number, table in enumerate(tables):
            pq.write_table(table, self.file(day, f".{number}" if number else ""))
        found = find_source(self.profile, day, self.source)
        kept, said = check_columns(self.lake, day, found, accept=accept)
        output = Publication(
            self.lake.partition("request_logs", day), step="by hand", inputs={}, parameters={}
        )
        row = {
            "request_id": "r", "user_id": 1, "ts": datetime(2026, 1, 1, tzinfo=UTC), "item_id": 1,
            "missed_positives": 0, "score": 0.5, "exposed": 1, "label": 1, "derived": 0,
        }  # fmt: skip
        table = output.partition.table
        with output.attempt() as folder:
            rows = pa.Table.from_pylist([row], arrow_schema(table))
            write_parquet(folder / "part-0.parquet", table, [rows])
            (folder / FILE).write_text(kept, encoding="utf-8")
            output.publish(folder, {})
        return said
