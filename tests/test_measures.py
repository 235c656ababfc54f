"""The measures of each table against plain counting, on random rows, whole and in pieces."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pyarrow as pa
import pytest
from planted_lake import arrow

from jobs.measures import labels, lessons, lists, logs, sets
from jobs.measures.catalogue import kinds_of
from jobs.measures.measured import Measured, as_rows, from_rows
from schemas.table import Fields
from schemas.tables import declare

FIELDS = Fields(
    request_id="string",
    item_id="string",
    item=("category", "brand"),
    context=("query",),
    dense=("score", "price"),
    category="category",
    category_separator="|",
)
N = 4
TABLES = declare(FIELDS, N)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
BOUNDS = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))
seeds = pytest.mark.parametrize("seed", range(8))


def values(found: list[Measured], part: str = "") -> dict[str, float]:
    """The numbers, without the distributions and what has no value."""
    return {m.name: m.value for m in found if m.part == part and m.value is not None}


def both_ways(rows: pa.Table, measure: Callable[[list[pa.Table]], list[Measured]]) -> list:
    """Measure at once and in three pieces; it has to be the same."""
    third = max(len(rows) // 3, 1)
    pieces = [rows.slice(0, third), rows.slice(third, third), rows.slice(2 * third)]
    whole = measure([rows])
    assert measure(pieces) == whole
    return whole


def mean(of: list) -> float:
    return sum(of) / len(of)


def log_rows(seed: int) -> list[dict]:
    draw = Random(seed)
    rows = []
    for request in range(draw.randint(3, 9)):
        head = {
            "request_id": f"r{request}",
            "user_id": draw.randint(1, 4),
            "ts": NOON + timedelta(minutes=draw.randint(-600, 600)),
            "query": draw.choice(["a", "b", "unknown"]),
            "missed_positives": draw.randint(0, 2),
        }
        for item in draw.sample("abcdefghij", draw.randint(1, 7)):
            shown = draw.random() < 0.5
            rows.append(
                head
                | {
                    "item_id": item,
                    "category": draw.choice(["x", "x|y", "unknown", "z", ""]),
                    "brand": draw.choice(["m", "unknown"]),
                    "score": float(draw.randint(0, 3)),
                    "price": draw.random(),
                    "exposed": int(shown),
                    "shown_rank": draw.choice([1, None]) if shown else None,
                    "label": draw.randint(0, 1) if shown else None,
                    "derived": draw.randint(0, 1),
                }
            )
    return rows


@seeds
def test_logs(seed):
    rows = log_rows(seed)
    shown = [row for row in rows if row["exposed"]]
    at = sorted({BOUNDS[0], *(row["ts"] for row in rows), BOUNDS[1]})
    hours = [(b - a) / timedelta(hours=1) for a, b in pairwise(at)]
    expected = {
        "rows": len(rows),
        "requests": len({row["request_id"] for row in rows}),
        "users": len({row["user_id"] for row in rows}),
        "items": len({row["item_id"] for row in rows}),
        "hours_to_end": hours[-1],
        "longest_gap": max(hours),
        "exposed_rate": mean([row["exposed"] for row in rows]),
        "click_rate": mean([row["label"] for row in shown]),
        "unranked_share": mean([row["shown_rank"] is None for row in shown]),
        "derived_share": mean([row["derived"] for row in rows]),
        "quarantined_share": 0.25,
        **{
            f"unknown_{name}": mean([row[name] == "unknown" for row in rows])
            for name in ("query", "category", "brand")
        },
    }
    counts = {"source_rows": 8, "source_rows_quarantined": 2}
    table = arrow(TABLES["request_logs"], rows)
    found = both_ways(table, lambda pieces: logs.measure(pieces, FIELDS, BOUNDS, counts))
    assert values(found) == pytest.approx(expected)
    assert list(expected) == list(kinds_of("request_logs", FIELDS))


@seeds
def test_candidate_sets(seed):
    rows = log_rows(seed)
    requests: dict[str, list[dict]] = {}
    for row in rows:
        requests.setdefault(row["request_id"], []).append(row)
    lists_of = [c.name for c in TABLES["candidate_sets"].columns if c.is_list]
    grouped = []
    for own in requests.values():
        own.sort(key=lambda row: -row["score"])
        head = {k: v for k, v in own[0].items() if k not in lists_of}
        several = {name: [row[name] for row in own] for name in lists_of}
        grouped.append(head | {"n_candidates": len(own)} | several)
    shown = [[r["label"] for r in own if r["exposed"]] for own in requests.values()]
    clicks, sizes = sum(sum(own) for own in shown), sorted(map(len, requests.values()))
    missed = sum(own[0]["missed_positives"] for own in requests.values())
    tied = [a["score"] == b["score"] for own in requests.values() for a, b in pairwise(own)]
    named = [name for row in rows for name in sorted(set(row["category"].split("|")) - {""})]
    place = 0.99 * (len(sizes) - 1)
    low = sizes[int(place)]
    expected = {
        "rows": len(sizes),
        "candidates_mean": mean(sizes),
        "candidates_p99": low + (place % 1) * (sizes[min(int(place) + 1, len(sizes) - 1)] - low),
        "candidates_max": max(sizes),
        "below_k": mean([size < 3 for size in sizes]),
        "above_max": mean([size > N for size in sizes]),
        "without_click": mean([not sum(own) for own in shown]),
        "all_clicked": mean([all(own) for own in shown if own]),
        "missed_share": missed / (missed + clicks),
        "tied_share": sum(tied) / len(rows),
        "with_vector": mean([row["item_id"] in "abc" for row in rows]),
        "known_items": mean([row["item_id"] in "bcde" for row in rows]),
        "categories": len(set(named)),
        "top_category": max(named.count(name) for name in named) / len(rows),
    }
    table = TABLES["candidate_sets"]
    items = {"with_vector": pa.array(list("abc")), "known_items": pa.array(list("bcde"))}
    found = both_ways(
        arrow(table, grouped), lambda pieces: sets.measure(pieces, table, FIELDS, 3, N, items)
    )
    assert values(found) == pytest.approx(expected)
    drifts = {one.name: one for one in found if one.value is None}
    assert sorted(drifts["drift_price"].points) == sorted(row["price"] for row in rows)
    mix = drifts["drift_category"]
    assert dict(zip(mix.bins, mix.counts, strict=True)) == {n: named.count(n) for n in named}
    judged = set(kinds_of("candidate_sets", FIELDS)) - {"new_categories", "gone_categories"}
    assert {*expected, *drifts} == judged


@seeds
def test_teacher_labels(seed):
    draw, rows, k = Random(seed), [], 3
    for request in range(6):
        n = draw.randint(1, 6)
        picks = draw.randint(1, min(k, n))
        won = set(draw.sample(range(n), picks))
        rows.append(
            {
                "request_id": f"r{request}",
                "k": picks,
                "relaxed": draw.choice([0, 0, 2]),
                "item_id": draw.sample("zyxwvutsrq", n),
                "win": [int(i in won) for i in range(n)],
                "f": [draw.choice([0.25, 0.5, 0.75]) for _ in range(n)],
            }
        )
    overlaps = []
    for row in rows:
        order = sorted(range(len(row["f"])), key=lambda i: (-row["f"][i], row["item_id"][i]))
        if len(order) > row["k"]:
            overlaps.append(sum(row["win"][i] for i in order[: row["k"]]) / row["k"])
    every_f = [f for row in rows for f in row["f"]]
    expected = {
        "rows": 6,
        "picks_mean": mean([row["k"] for row in rows]),
        "win_rate": sum(sum(row["win"]) for row in rows) / len(every_f),
        "short_lists": mean([row["k"] < k for row in rows]),
        "overlap": mean(overlaps),
        "unchanged": mean([share == 1 for share in overlaps]),
        "relaxed_share": mean([row["relaxed"] > 0 for row in rows]),
        "f_mean": mean(every_f),
    }
    table = TABLES["teacher_labels"]
    found = both_ways(
        arrow(table, rows).select(labels.COLUMNS), lambda pieces: labels.measure(pieces, table, k)
    )
    assert values(found) == pytest.approx(expected)
    assert [*expected, "drift_f"] == list(kinds_of("teacher_labels", FIELDS))


@seeds
def test_rankings(seed):
    draw, rows, held = Random(seed), [], {}
    for request in range(5):
        for method in ("dcn", "cdm", "cdm@0.2"):
            items = draw.sample("abcd", draw.randint(2, 3))
            held[method, request] = items
            rows += [
                {
                    "request_id": f"r{request}",
                    "method": method,
                    "model_version": "m",
                    "rank": place,
                    "item_id": item,
                    "f": draw.random(),
                    "win_probability": None if method == "dcn" else draw.random(),
                    "final_score": draw.random(),
                }
                for place, item in enumerate(items, 1)
            ]
    draw.shuffle(rows)
    found = both_ways(arrow(TABLES["rankings"], rows).select(lists.COLUMNS), lists.measure)
    own = [row for row in rows if row["method"] == "cdm"]
    changed = [{*held["cdm", r]} != {*held["dcn", r]} for r in range(5)]
    assert values(found) == {"rows": sum(row["method"] != "cdm@0.2" for row in rows)}
    assert values(found, "cdm") == pytest.approx(
        {
            "length_mean": len(own) / 5,
            "items": len({row["item_id"] for row in own}),
            "changed": mean(changed),
            "win_mean": mean([row["win_probability"] for row in own]),
        }
    )
    assert {one.part for one in found} == {"", "cdm", "dcn"}
    base = [row for row in rows if row["method"] == "dcn"]
    of_base = values(found, "dcn")
    assert set(of_base) == {"length_mean", "items", "f_mean"}
    assert of_base["f_mean"] == pytest.approx(mean([row["f"] for row in base]))
    assert {one.name for one in found} == set(kinds_of("rankings", FIELDS))


@seeds
def test_examples(seed):
    draw, rows = Random(seed), []
    for request in range(6):
        n = draw.randint(1, N)
        rows.append(
            {"request_id": f"r{request}", "request_dt": 20484, "n_candidates": n}
            | {
                "item_tokens": [
                    draw.randint(1, 3) if place < n else 0 for place in range(N) for _ in range(3)
                ]
            }
            | {
                name: [float(draw.randint(0, 1)) if place < n else 0.0 for place in range(N)]
                for name in ("exposed", "label", "win")
            }
        )
    total = sum(row["n_candidates"] for row in rows)
    exposed = sum(sum(row["exposed"]) for row in rows)
    expected = {
        "rows": 6,
        "exposed_rate": exposed / total,
        "click_rate": sum(sum(row["label"]) for row in rows) / exposed,
        "win_rate": sum(sum(row["win"]) for row in rows) / total,
        "unknown_items": sum(t == 1 for row in rows for t in row["item_tokens"][::3]) / total,
    }
    table = TABLES["examples"]
    found = both_ways(
        arrow(table, rows).select(lessons.COLUMNS), lambda pieces: lessons.measure(pieces, table)
    )
    assert values(found) == pytest.approx(expected)
    assert list(expected) == list(kinds_of("examples", FIELDS))


def test_what_is_stored_comes_back():
    found = [
        Measured("a", 3, 0.5, part="cdm"),
        Measured("b", 2.5, spread=1.5, points=(0.5, 1.0)),
        Measured("c", 1, bins=("x", ""), counts=(1.0, 2.0)),
    ]
    nothing = Measured("d", 0.0)
    rows = as_rows([*found, nothing], TABLES["measures"])
    assert from_rows(rows) == {one.key: one for one in found}
