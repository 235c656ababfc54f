"""Days of a small made-up shop, quick to write, with whatever has to be wrong with one of them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from jobs import validate, validation_report
from jobs.features import lists
from jobs.lake import Lake, Partition
from jobs.profile.load import load_profile
from jobs.publish import Publication
from schemas.arrow import arrow_schema

FIRST = date(2026, 1, 1)
QUIET_DAYS = 8
TABLES = ("request_logs", "candidate_sets")
CANDIDATES, SHOWN = 20, 5
PROFILE = """
name = "shop"
k = [5]
[fields]
item = ["category"]
context = ["query"]
dense = ["score"]
category = "category"
[promotion]
k = 5
"""


class MeasuredLake:
    """A lake whose days are told by what they are like."""

    def __init__(self, folder: Path, validation: str = "") -> None:
        self.profile_path = folder / "shop.toml"
        self.profile_path.write_text(PROFILE + validation, encoding="utf-8")
        self.lake = Lake(folder / "lake", load_profile(str(self.profile_path)).tables)

    def write(
        self,
        number: int,
        *,
        requests: int = 60,
        clicked: float = 0.3,
        shift: float = 0.0,
        categories: str = "abcdef",
    ) -> None:
        """Publish the n-th day's request_logs and candidate_sets, as their steps would."""
        day, draw = self.day(number), np.random.default_rng(number)
        requests += int(draw.integers(-2, 3))
        n = requests * CANDIDATES
        request = np.repeat(np.arange(requests), CANDIDATES)
        item = np.concatenate(
            [draw.choice(300, CANDIDATES, replace=False) for _ in range(requests)]
        )
        score = -np.sort(-draw.normal(shift, 1, (requests, CANDIDATES)), axis=1).ravel()
        shown = np.tile(np.arange(CANDIDATES) < SHOWN, requests)
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e6)
        columns = {
            "request_id": [f"{day}-{number:03d}" for number in request],
            "user_id": request % 30,
            "ts": start + request * (86_400_000_000 // requests),
            "query": pa.array(list("pqrst")).take(pa.array(request % 5)),
            "missed_positives": np.zeros(n, np.int32),
            "n_candidates": np.full(n, CANDIDATES),
            "item_id": item,
            "category": pa.array(list(categories)).take(pa.array(item % len(categories))),
            "score": score,
            "exposed": shown.astype(np.int32),
            "shown_rank": pa.array(np.tile(np.arange(1, CANDIDATES + 1), requests), mask=~shown),
            "label": pa.array((draw.random(n) < clicked).astype(np.int32), mask=~shown),
            "derived": np.zeros(n, np.int32),
        }
        counts, firsts = np.full(requests, CANDIDATES), pa.array(np.arange(requests) * CANDIDATES)
        for name in TABLES:
            schema, arrays = arrow_schema(self.lake.tables[name]), []
            for field in schema:
                values = pa.array(columns[field.name])
                if pa.types.is_list(field.type):
                    values = lists(values.cast(field.type.value_type), counts)
                elif name == "candidate_sets":
                    values = values.take(firsts)
                arrays.append(values.cast(field.type))
            rows = pa.Table.from_arrays(arrays, schema=schema)
            output = Publication(self.of(name, number), step="ingest", inputs={}, parameters={})
            output.publish_rows([rows], {})

    def day(self, number: int) -> date:
        return FIRST + timedelta(days=number - 1)

    def of(self, table: str, number: int, **keys: str) -> Partition:
        return self.lake.partition(table, self.day(number), **keys)

    def _flags(self, number: int) -> list[str]:
        where = ["--lake", str(self.lake.root), "--date", str(self.day(number))]
        return [*where, "--profile", str(self.profile_path)]

    def validate(self, number: int, *tables: str, force: bool = False) -> int:
        flags = [*self._flags(number), *(["--force"] if force else [])]
        return validate.main([*flags, "--table", *(tables or TABLES)])

    def report(self, number: int) -> int:
        return validation_report.main(self._flags(number))

    def results(self, number: int, table: str) -> dict[str, dict]:
        """The results about measures, by measure."""
        rows = self.of("validations", number, of=table).read().to_pylist()
        return {row["column"]: row for row in rows if row["kind"] == "measure"}

    def failed(self, number: int, table: str) -> set[tuple[str, str]]:
        """What failed, as (severity, column)."""
        rows = self.of("validations", number, of=table).read().to_pylist()
        return {(row["severity"], row["column"]) for row in rows if row["success"] == 0}
