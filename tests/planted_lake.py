"""One day of a toy lake on which everything is right, and a way to plant one on which it is not."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import validate
from jobs.lake import Lake, Partition, parse_day
from jobs.manifest import FILE_NAME, Manifest, describe
from jobs.profile.load import load_profile
from jobs.table_views import BY_RULE
from schemas.arrow import ARROW_TYPES, fingerprint
from schemas.table import Table

DAY = parse_day("2026-01-31")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PROFILE = """
name = "toy"
k = [2]
[fields]
item_id = "string"
item = ["category"]
context = ["query"]
dense = ["score"]
category = "category"
[training]
max_candidates = 3
[promotion]
k = 2
"""


# --- a day on which everything is right


def log(request: str, item: str, score: float, shown_rank: int | None, label: int | None) -> dict:
    return {
        "request_id": request,
        "user_id": 7,
        "ts": NOON,
        "query": "q",
        "missed_positives": 0,
        "item_id": item,
        "category": "c",
        "score": score,
        "exposed": int(label is not None),
        "shown_rank": shown_rank,
        "label": label,
        "derived": 0,
    }


LOGS = [
    log("r1", "a", 2.0, 1, 1),
    log("r1", "b", 1.0, 2, 0),
    log("r1", "é", 1.0, None, None),
    log("r2", "a", 0.5, None, 0),
    log("r2", "c", -1.0, None, None),
]
LISTED = ("item_id", "category", "score", "exposed", "shown_rank", "label", "derived")


def candidate_set(request: str) -> dict:
    rows = [row for row in LOGS if row["request_id"] == request]
    heads = {name: value for name, value in rows[0].items() if name not in LISTED}
    lists = {name: [row[name] for row in rows] for name in LISTED}
    return heads | {"n_candidates": len(rows)} | lists


def ranked(request: str, method: str, *items: str) -> list[dict]:
    return [
        {
            "request_id": request,
            "method": method,
            "model_version": "m1",
            "rank": place + 1,
            "item_id": item,
            "f": 0.5,
            "win_probability": None,
            "final_score": 1.0 - place,
        }
        for place, item in enumerate(items)
    ]


def metric(name: str, baseline: str, value: float) -> dict:
    interval = {"value": value, "low": value - 0.1, "high": value + 0.1}
    if name == "category_coverage":
        interval |= {"low": None, "high": None}
    about = {"model_version": "m1", "method": "cdm", "baseline": baseline, "metric": name}
    return about | {"k": 2, "n": 10} | interval


def labels(request: str, winners: list[int]) -> dict:
    return {
        "request_id": request,
        "model_version": "m1",
        "k": sum(winners),
        "u": [0.1, -0.1, 0.3, 0.7],
        "item_id": ["a", "b", "c"][: len(winners)],
        "win": winners,
        "pick_order": [sum(winners[: n + 1]) if won else None for n, won in enumerate(winners)],
        "gain": [0.5 if won else None for won in winners],
        "f": [0.5] * len(winners),
        "relaxed": 3,
        **dict(zip(BY_RULE, (0, 1, 2, 0), strict=True)),
    }


def example(request: str, kept: int) -> dict:
    def padded(value: float, width: int = 1) -> list[float]:
        return [value] * (kept * width) + [0] * ((3 - kept) * width)

    return {
        "request_id": request,
        "request_dt": 20484,
        "is_validation": 0,
        "n_candidates": kept,
        "user_tokens": [2, 1],
        "item_tokens": padded(4, 2),
        "dense": padded(-0.5),
        "exposed": padded(1),
        "label": padded(1),
        "win": padded(0),
        "shown_rank": padded(2),
    }


GOOD: dict[str, list[dict]] = {
    "request_logs": LOGS,
    "truth_requests": [
        {
            "request_id": "r1",
            "item_id": ["a", "b"],
            "p": [0.5, 0.4],
            "wear": [1.0, 0.7],
            "propensity": [0.3, None],
            "examination": [1.0, 0.7, 0.6],
        }
    ],
    "reference_items": [{"item_id": "a", "vector": [1.0, 0.0]}, {"item_id": "b", "vector": [0.0]}],
    "quarantine": [
        {
            "part": "logs",
            "source_file": "raw/log.csv",
            "source_row": 7,
            "reason": "score is NaN or infinite",
            "value": "nan",
            "raw": "",
        }
    ],
    "candidate_sets": [candidate_set("r1"), candidate_set("r2")],
    "rankings": [*ranked("r1", "dcn", "a", "b"), *ranked("r1", "cdm", "b", "a", "é")],
    "metrics": [
        metric("recall", "", 0.5),
        metric("recall", "dcn", -0.2),
        metric("value", "", 7.5),
        metric("category_coverage", "", 1.0),
    ],
    "promotions": [
        {
            "number": 1,
            "candidate_version": "m1",
            "previous_version": "",
            "promoted_version": "m1",
            "decision": "promoted",
            "reason": "the first model",
            "decided_by": "the gate",
            "decided_at": None,
        }
    ],
    "teacher_labels": [labels("r1", [1, 0, 1]), labels("r2", [1, 1])],
    "unlabelled": [{"request_id": "r3", "reason": "no candidate may be picked"}],
    "examples": [example("r1", 3), example("r2", 1)],
}


# --- planting partitions that no step would publish


def toy_lake(folder: Path, profile: str = PROFILE) -> Lake:
    """Write the profile into a folder; return the lake beside it."""
    path = folder / "toy.toml"
    path.write_text(profile, encoding="utf-8")
    return Lake(folder / "lake", load_profile(str(path)).tables)


def arrow(table: Table, rows: list[dict]) -> pa.Table:
    """Return rows under the declared types, with nulls allowed everywhere."""
    kinds = {c.name: ARROW_TYPES[c.kind] for c in table.columns}
    lists = {c.name for c in table.columns if c.is_list}
    fields = [(name, pa.list_(kind) if name in lists else kind) for name, kind in kinds.items()]
    return pa.Table.from_pylist(rows, pa.schema(fields))


def plant(partition: Partition, *files: pa.Table) -> None:
    """Make files live as they are, past the audit that every step has to pass."""
    text = repr([file.to_pylist() for file in files])
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    folder = partition.path / f"v={digest[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files):
        pq.write_table(file, folder / f"part-{number}.parquet")
    made = Manifest(
        table=partition.table.name,
        partition=dict(partition.keys),
        folder=folder.name,
        rows=sum(file.num_rows for file in files),
        digest=digest,
        fingerprint=fingerprint(partition.table),
        step=f"make_{partition.table.name}",
        recipe="planted",
        code="none",
        parameters={},
        inputs={},
        files=tuple(describe(path, folder) for path in sorted(folder.iterdir())),
    )
    (partition.path / FILE_NAME).write_text(made.to_text())


def part(lake: Lake, name: str, teacher: str = "mmr-1") -> Partition:
    keys = {key: teacher for key in lake.tables[name].partition[1:]}
    return lake.partition(name, DAY, **keys)


def plant_rows(lake: Lake, name: str, rows: list[dict], teacher: str = "mmr-1") -> None:
    plant(part(lake, name, teacher), arrow(lake.tables[name], rows))


def run(lake: Lake, name: str, *more: str) -> int:
    profile = str(lake.root.parent / "toy.toml")
    flags = ["--lake", str(lake.root), "--date", str(DAY), "--profile", profile, "--table", name]
    return validate.main([*flags, *more])


def results(lake: Lake, name: str) -> list[dict]:
    return lake.partition("validations", DAY, of=name).read().to_pylist()


def failed(lake: Lake, name: str) -> list[tuple[str, str]]:
    return [(r["column"], r["expectation"]) for r in results(lake, name) if r["success"] == 0]
