"""A lake of two days worked by hand, through the real publication, for test_report."""

import html
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from jobs.lake import Lake
from jobs.manifest import FILE_NAME, Manifest
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.publish import Publication
from jobs.report.__main__ import main
from jobs.report.metric_table import GAMMA
from jobs.report.wording import FIXED_SPACE, MINUS
from jobs.table_views import BY_RULE
from jobs.teacher import teacher_id
from schemas.arrow import arrow_schema

DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
HOSTILE = '<b onmouseover="alert(1)">&\'$x^2$'
PLAIN = str.maketrans({MINUS: "-", FIXED_SPACE: " ", "\N{EN DASH}": "-", GAMMA: "gamma"})
NOT_RELAXED = dict.fromkeys(("relaxed", *BY_RULE), 0)
PROFILE = """
name = "shop"
description = "a shop of <hand-made> requests"
k = [2, 3]
[fields]
item_id = "string"
item = ["category"]
context = ["query"]
category = "{category}"
category_separator = "|"
[source]
{source}
[teacher]
k = 3
[promotion]
k = 3
"""
SIMULATED = 'kind = "simulated"'
REAL = """kind = "files"
[source.logs]
files = "logs.csv"
[source.logs.columns]
request_id = "request"
user_id = "user"
ts = { column = "time", unit = "s" }
query = "query"
item_id = "item"
category = "category"
score = "score"
label = "click"
"""
ITEMS = {"a": "toys", "b": "toys", "c": "toys", "d": "books", "e": "games|toys", HOSTILE: HOSTILE}
ORDERS = {
    "pre_ranker": ["a", "b", "c"],
    "random": ["c", "d", "a"],
    "dcn": ["a", "b", "c"],
    "mmr": ["a", "d", "b"],
    "cdm": ["a", HOSTILE, "d"],
}


class ShopLake:
    """A lake of two days; day one has no model to be judged, day two has."""

    def __init__(
        self, folder: Path, *, category: str = "category", source: str = SIMULATED
    ) -> None:
        self.root = folder / "lake"
        self.toml = folder / "shop.toml"
        self.toml.parent.mkdir(parents=True, exist_ok=True)
        self.toml.write_text(PROFILE.format(category=category, source=source))
        self.profile: Profile = load_profile(str(self.toml))
        self.lake = Lake(self.root, self.profile.tables)

    def put(
        self,
        table: str,
        day: date,
        rows: list[dict],
        counts: dict | None = None,
        parameters: dict | None = None,
        **keys: str,
    ) -> None:
        partition = self.lake.partition(table, day, **keys)
        content = pa.Table.from_pylist(rows, arrow_schema(partition.table))
        made = {"inputs": {}, "parameters": parameters or {}}
        output = Publication(partition, step=f"make_{table}", **made)
        output.publish_rows([content], counts or {})

    def model(self, day: date, version: str, kind: str, *, bootstrap: bool = False) -> None:
        """Write a pointer and a history as train does; held-out loss is least in epoch 2."""
        folder = self.lake.models / version
        folder.mkdir(parents=True)
        student = 0.0 if kind == "dcn" else 0.5
        history = [
            {
                "epoch": number,
                "training": dict.fromkeys(("distillation", "contrastive"), student)
                | {"click": 0.7 - 0.1 * number},
                "validation": dict.fromkeys(("distillation", "contrastive"), student)
                | {"click": click},
            }
            for number, click in enumerate((0.6543, 0.5432, 0.5987), start=1)
        ]
        (folder / "history.json").write_text(json.dumps(history))
        pointer = self.lake.models / ("bootstrap" if bootstrap else "") / f"dt={day}"
        pointer.mkdir(parents=True)
        made = Manifest(
            table="models", partition={"dt": str(day)}, folder=version, rows=0, digest=version,
            fingerprint="", step="train", recipe="", code="c0de", inputs={},
            parameters={"kind": kind, "version": version},
            counts={"requests": 90, "held_out": 10, "epochs": 3},
        )  # fmt: skip
        (pointer / FILE_NAME).write_text(made.to_text())

    def sets(
        self, day: date, requests: list[str], items: dict[str, str] = ITEMS, *, derived: int = 1
    ) -> None:
        n = len(items)
        shown = [1] * 3 + [0] * (n - 3)
        rows = [
            {
                "request_id": request, "user_id": 7, "ts": datetime(2026, 1, 2, tzinfo=UTC),
                "query": "q", "missed_positives": 0, "n_candidates": n, "item_id": list(items),
                "category": list(items.values()), "score": [0.5] * n, "exposed": shown,
                "shown_rank": [None] * n, "label": [1, 0, 0] + [None] * (n - 3),
                "derived": [derived] + [0] * (n - 1),
            }
            for request in requests
        ]  # fmt: skip
        self.put("candidate_sets", day, rows, {"candidates": n * len(rows), "requests_dropped": 4})

    def imported(self, day: date, counts: dict, rejects: list[tuple[str, str, int, str, str]]):
        """Write what an import leaves: its counts, and the rows that it could not use."""
        row = {
            "request_id": "r1", "user_id": 7, "ts": datetime(2026, 1, 2, tzinfo=UTC), "query": "q",
            "missed_positives": 0, "item_id": "a", "category": "toys", "score": 0.5, "exposed": 1,
            "label": 1, "derived": 0,
        }  # fmt: skip
        self.put("request_logs", day, [row], counts)
        columns = ("part", "source_file", "source_row", "reason", "value")
        lost = [dict(zip(columns, reject, strict=True)) | {"raw": ""} for reject in rejects]
        self.put("quarantine", day, lost)

    def labels(self, day: date, version: str) -> None:
        """Request one: the teacher takes the top 3 by f. Request two: one of them."""
        n = len(ITEMS)
        row = {
            "model_version": version, "k": 3, "u": [1.0], "item_id": list(ITEMS),
            "gain": [None] * n, "pick_order": [None] * n, "f": [0.9, 0.8, 0.7, 0.1, 0.1, 0.1],
            **NOT_RELAXED,
        }  # fmt: skip
        rows = [
            row | {"request_id": "r1", "win": [1, 1, 1, 0, 0, 0]},
            row | {"request_id": "r2", "win": [1, 0, 0, 1, 1, 0]},
        ]
        name = teacher_id(self.profile.teacher, self.profile.policy, version)
        self.put("teacher_labels", day, rows, teacher_id=name)

    def promotion(self, day: date, candidate: str, before: str = "", reason: str = "first") -> None:
        row = {
            "number": 1, "candidate_version": candidate, "previous_version": before,
            "promoted_version": candidate, "decision": "promoted", "reason": reason,
            "decided_by": "the gate",
        }  # fmt: skip
        self.put("promotions", day, [row])

    def rankings(self, day: date, orders: dict[str, dict[str, list[str]]], version: str) -> None:
        """Write lists by request and method."""
        rows = [
            {
                "request_id": request, "method": method, "model_version": version, "rank": rank,
                "item_id": item, "f": 0.25, "win_probability": 0.75 if method == "cdm" else None,
                "final_score": 1.0,
            }
            for request, lists in orders.items()
            for method, items in lists.items()
            for rank, item in enumerate(items, start=1)
        ]  # fmt: skip
        self.put("rankings", day, rows)

    def validated(self, day: date, table: str, *, held: bool = True) -> None:
        declared = {
            "table": table, "kind": "declared", "severity": "stop", "value": None, "low": None,
            "high": None, "days": 0, "examples": [], "rows": 12,
        }  # fmt: skip
        rows = [
            declared
            | {
                "column": "score", "expectation": f"{table}: always finite",
                "success": int(held), "observed": "all" if held else "NaN at row 17",
                "unexpected": 0 if held else 5,
            },
            declared
            | {
                "column": "", "expectation": "has rows", "success": 1, "observed": "12 rows",
                "unexpected": 0,
            },
        ]  # fmt: skip
        self.put("validations", day, rows, of=table)

    def day_one(self) -> "ShopLake":
        self.sets(DAYS[0], ["r1", "r2"])
        self.model(DAYS[0], "base0", "dcn", bootstrap=True)
        self.model(DAYS[0], "cdm1", "cdm")
        self.promotion(DAYS[0], "base0")
        self.labels(DAYS[0], "base0")
        self.validated(DAYS[0], "candidate_sets")
        return self

    def day_two(self, metrics: list[dict] | None = None) -> "ShopLake":
        self.sets(DAYS[1], ["r1", "r2"])
        self.promotion(DAYS[1], "cdm1", "base0", "recall@3 +0.1 <b>")
        self.labels(DAYS[1], "cdm1")
        same = ORDERS | {"cdm": ORDERS["dcn"]}
        self.rankings(DAYS[1], {"r1": same, "r2": ORDERS}, "cdm1")
        self.put("metrics", DAYS[1], metrics or metric_rows())
        self.validated(DAYS[1], "rankings", held=False)
        self.validated(DAYS[1], "candidate_sets")
        return self

    def report(self, day: date) -> int:
        flags = ["--lake", str(self.root), "--date", str(day), "--profile", str(self.toml)]
        return main(flags)

    def page(self) -> str:
        return (self.root / "reports" / "index.html").read_text(encoding="utf-8")

    def text(self) -> str:
        """Return what a person reads of the page: no tags, no style, spaces made one."""
        page = re.sub(r"<style>.*?</style>", "", self.page(), flags=re.DOTALL)
        plain = html.unescape(re.sub(r"<[^>]+>", " ", page)).translate(PLAIN)
        return re.sub(r"\s+", " ", plain)


LEVELS = {
    "recall": {"random": 0.1, "pre_ranker": 0.5, "dcn": 0.4, "mmr": 0.39, "cdm": 0.38},
    "ilad_category": {"random": 0.6, "pre_ranker": 0.1, "dcn": 0.2, "mmr": 0.4, "cdm": 0.3},
    "value_ratio": {"random": 0.3, "pre_ranker": 0.7, "dcn": 0.75, "mmr": 0.78, "cdm": 0.84},
}


def metric_rows(metrics: tuple[str, ...] = tuple(LEVELS)) -> list[dict]:
    """Return metrics of day two: levels +- 0.05, differences from DCN +- 0.03."""
    rows = []
    for metric in metrics:
        levels = LEVELS[metric] | {"cdm@0.05": LEVELS[metric]["cdm"] - 0.01}
        for k in (2, 3):
            for method, value in levels.items():
                row = {"model_version": "cdm1", "method": method, "metric": metric, "k": k, "n": 2}
                low, high = value - 0.05, value + 0.05
                rows.append(row | {"baseline": "", "value": value, "low": low, "high": high})
                if method != "dcn":
                    gap = value - levels["dcn"]
                    low, high = gap - 0.03, gap + 0.03
                    rows.append(row | {"baseline": "dcn", "value": gap, "low": low, "high": high})
    stale = {"model_version": "base0", "method": "dcn", "metric": "recall", "k": 3, "n": 2}
    rows.append(stale | {"baseline": "", "value": 0.98765, "low": 0.9, "high": 1.0})
    return rows
