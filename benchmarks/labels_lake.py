"""A lake with days of growing size, ready to be grouped and labelled: logs, a model, its promotion.

Requests of 500 candidates out of a million items. The model is a base DCN of random weights over a
vocabulary of all of them: what it says is of no use and costs what a trained one costs. Vectors and
scores are clustered as a retrieval stage leaves them (`benchmarks.clustered`).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from jobs.features import lists
from jobs.lake import Lake
from jobs.profile.load import load_profile
from jobs.publish import Publication
from jobs.registry import Registry
from model import checkpoint
from model.cdm import CDM, Shape
from model.layout import ITEMS
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema

FIRST_DAY = date(2026, 1, 1)
CANDIDATES, CATEGORIES, USERS = 500, 2_000, 10_000
REQUESTS_A_BATCH = 200
PROFILE = """
name = "size"
k = [50]
[fields]
item = ["category"]
dense = ["score"]
category = "category"
[teacher]
k = 50
[promotion]
k = 50
"""


def make(folder: Path, sizes: list[int], items: int) -> None:
    """Write profile and lake; the n-th day has sizes[n] requests."""
    folder.mkdir(parents=True)
    (folder / "size.toml").write_text(PROFILE, encoding="utf-8")
    profile = load_profile(str(folder / "size.toml"))
    lake = Lake(folder / "lake", profile.tables)
    draw = np.random.default_rng(1)
    share = np.arange(1, CATEGORIES + 1) ** -0.8
    category = draw.choice(CATEGORIES, items, p=share / share.sum())
    write_model(lake, profile, category, draw)
    for number, requests in enumerate(sizes):
        day = FIRST_DAY + timedelta(days=number)
        partition = lake.partition("request_logs", day)
        output = Publication(partition, step="made up", inputs={}, parameters={})
        schema = arrow_schema(partition.table)
        output.publish_rows(logs(day, requests, category, schema), {"requests": requests})


def write_model(
    lake: Lake, profile: object, category: np.ndarray, draw: np.random.Generator
) -> None:
    """Write a model that was trained the day before the first one, and item vectors of its own."""
    torch.manual_seed(1)
    names = pa.array([f"category {number:04d}" for number in range(CATEGORIES)])
    tokens = {
        "user_id": pa.array(np.arange(USERS)),
        "item_id": pa.array(np.arange(len(category))),
        "category": names,
    }
    vocabulary = Vocabulary(tokens, np.zeros(1), np.ones(1))
    sizes = {name: vocabulary.size(name) for name in tokens}
    shape = Shape(
        user_sizes=(sizes["user_id"],), item_sizes=(sizes["item_id"], sizes["category"]), dense=1
    )
    model = CDM(shape, profile.model)
    about = {
        "kind": "dcn",
        "user_tokens": profile.fields.user_tokens,
        "item_tokens": profile.fields.item_tokens,
    }
    width = profile.model.width
    e = draw.normal(size=(CATEGORIES, width)).astype(np.float32)
    e *= np.sqrt(2.3) / np.linalg.norm(e, axis=1, keepdims=True)
    noise = np.sqrt((1.8**2 - 2.3) / width)
    e = e[category] + noise * draw.normal(size=(len(category), width)).astype(np.float32)
    registry = Registry(lake)
    with registry.attempt() as attempt:
        version = checkpoint.save(attempt, model, shape, profile.model, vocabulary, about, [])
        (attempt / ITEMS).mkdir()
        vectors = lists(pa.array(e.ravel()), np.full(len(e), width))
        known = pa.table({"item_id": tokens["item_id"], "e": vectors})
        pq.write_table(known, attempt / ITEMS / "known.parquet")
        before = FIRST_DAY - timedelta(days=1)
        with registry.hold(before, "made up", bootstrap=False) as lease:
            registry.publish(
                attempt,
                version,
                before,
                lease,
                bootstrap=False,
                step="made up",
                inputs={},
                parameters={},
                counts={},
            )


def logs(
    day: date, requests: int, category: np.ndarray, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Yield the day's log rows."""
    draw = np.random.default_rng(requests)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    names = pa.array([f"category {number:04d}" for number in range(CATEGORIES)])
    for start in range(0, requests, REQUESTS_A_BATCH):
        count = min(REQUESTS_A_BATCH, requests - start)
        n = count * CANDIDATES
        request = np.repeat(np.arange(start, start + count), CANDIDATES)
        step = len(category) // CANDIDATES
        # One of each stretch of items, so that no request has an item twice.
        item = np.tile(np.arange(CANDIDATES) * step, count) + draw.integers(0, step, n)
        affinity = draw.normal(size=(count, CATEGORIES)).astype(np.float32)
        liked = affinity[request - start, category[item]]
        shown = np.tile(np.arange(CANDIDATES) < 10, count)
        columns = {
            "request_id": [f"{day:%Y%m%d}-{number:08d}" for number in request],
            "user_id": request * 7919 % USERS,
            "ts": pa.repeat(pa.scalar(noon, schema.field("ts").type), n),
            "missed_positives": np.zeros(n, np.int32),
            "item_id": item,
            "category": names.take(pa.array(category[item])),
            "score": 1 / (1 + np.exp(2.6 - 0.9 * liked - 0.7 * draw.normal(size=n))),
            "exposed": shown.astype(np.int32),
            "shown_rank": pa.array(np.tile(np.arange(1, CANDIDATES + 1), count), mask=~shown),
            "label": pa.array((draw.random(n) < 0.1).astype(np.int32), mask=~shown),
            "derived": np.zeros(n, np.int32),
        }
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
