"""What request_logs forbid, whoever wrote them: named, and nothing published."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import Refused
from jobs.lake import Lake, parse_day
from jobs.publish import Publication
from schemas.arrow import arrow_schema
from schemas.table import Fields
from schemas.tables import declare

DAY = parse_day("2023-05-18")
FIELDS = Fields(request_id="int64", item=("brand",), context=("tab",), dense=("score",))


def published(lake: Path) -> dict[Path, bytes]:
    """Return every file under the lake, and every version folder."""
    return {p: p.read_bytes() if p.is_file() else b"" for p in lake.rglob("*")}


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def good_logs() -> pa.Table:
    n = 6
    return pa.table(
        {
            "request_id": [1, 1, 1, 2, 2, 2],
            "user_id": [5] * n,
            "ts": [0] * n,
            "tab": ["home"] * n,
            "missed_positives": [0] * n,
            "item_id": [10, 11, 12] * 2,
            "brand": ["acme"] * n,
            "score": [0.5] * n,
            "exposed": [1, 1, 0] * 2,
            "shown_rank": [1, 2, None] * 2,
            "label": [1, 0, None] * 2,
            "derived": [0] * n,
        }
    ).cast(arrow_schema(declare(FIELDS, 8)["request_logs"]))


@pytest.fixture
def publish(tmp_path: Path):
    """Publish a file as request_logs as a step would; the lake must stay empty if refused."""
    partition = Lake(tmp_path / "lake", declare(FIELDS, 8)).partition("request_logs", DAY)

    def attempt(table: pa.Table) -> None:
        publication = Publication(partition, step="import_logs", inputs={}, parameters={})
        with publication.attempt() as folder:
            pq.write_table(table, folder / "part-0.parquet")
            publication.publish(folder, {})

    return attempt


def test_good_logs_are_published(publish, tmp_path):
    publish(good_logs())
    assert any((tmp_path / "lake").rglob("_manifest.json"))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("score", float("nan"), "score = nan is NaN or infinite at request_id 2, item_id 11; "),
        ("score", float("inf"), "score = inf is NaN or infinite at request_id 2, item_id 11; "),
        ("score", float("-inf"), "score = -inf is NaN or infinite at request_id 2, item_id 11"),
        ("score", None, "score = None is null at request_id 2, item_id 11; allowed: finite flo"),
        (
            "label",
            2,
            "label = 2 is above 1 at request_id 2, item_id 11; allowed: int32 from 0 to 1",
        ),
        ("label", -1, "label = -1 is below 0 at request_id 2, item_id 11"),
        ("exposed", None, "exposed = None is null at request_id 2, item_id 11"),
        ("shown_rank", 0, "shown_rank = 0 is below 1 at request_id 2, item_id 11"),
        ("missed_positives", -1, "missed_positives = -1 is below 0 at request_id 2, item_id 11"),
        ("user_id", None, "user_id = None is null at request_id 2, item_id 11"),
        ("request_id", None, "request_id = None is null at request_id None, item_id 11"),
        ("item_id", None, "item_id = None is null at request_id 2, item_id None"),
        ("brand", None, "brand = None is null at request_id 2, item_id 11"),
        ("ts", None, "ts = None is null at request_id 2, item_id 11"),
        ("item_id", 10, "2 rows have request_id 2, item_id 10; a request_logs row is one cand"),
    ],
)
def test_a_value_that_request_logs_forbid(publish, tmp_path, column, value, words):
    logs = good_logs()
    values = logs[column].to_pylist()
    values[4] = value
    logs = pa.table(
        {
            name: pa.array(values, logs[name].type) if name == column else logs[name]
            for name in logs.column_names
        }
    )
    with pytest.raises(Refused, match=re.escape(f"request_logs/dt=2023-05-18: {words}")):
        publish(logs)
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.name[:2] in ("v=", "_m")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(["score"]), "column 'score' is missing"),
        (lambda t: t.append_column("rank", t["label"]), "column 'rank' is not declared"),
        (
            lambda t: with_column(t, "score", t["score"].cast(pa.string())),
            "column 'score' is string, not double",
        ),
        (
            lambda t: with_column(t, "ts", t["ts"].cast(pa.timestamp("us"))),
            "column 'ts' is timestamp[us], not timestamp[us, tz=UTC]",
        ),
        (lambda t: t.slice(0, 0), "no rows; an empty request_logs is never published"),
    ],
    ids=["missing column", "extra column", "wrong type", "no zone", "no rows"],
)
def test_a_file_that_request_logs_forbid(publish, tmp_path, change, words):
    with pytest.raises(Refused, match=re.escape(words)) as refusal:
        publish(change(good_logs()))
    assert "request_logs/dt=2023-05-18" in str(refusal.value)
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.name[:2] in ("v=", "_m")]


def test_a_refused_publication_leaves_the_live_one(publish, tmp_path):
    publish(good_logs())
    before = published(tmp_path / "lake")
    with pytest.raises(Refused):
        publish(with_column(good_logs(), "score", pa.array(np.full(6, np.nan))))
    assert published(tmp_path / "lake") == before
