"""Three days of the toy world through everything, held to what can be worked out apart from it."""

import itertools
import math
import re
from collections import defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World
from slow_counts import by_hand, worth, worths

from jobs import line
from jobs.report.teacher_picks import teacher_picks

JUDGED = DAYS[1:]
K = 5
METHODS = {"random", "pre_ranker", "dcn", "mmr", "cdm", "promoted"}


def call_line(world: World, days: int, *flags: str) -> int:
    where = ["--lake", str(world.root), "--profile", world.profile_name]
    return line.main([*where, "--date", DAYS[0].isoformat(), "--days", str(days), *flags])


def lists_of(world: World, day) -> dict[str, dict[str, list[dict]]]:
    """The ranked rows of each method, of each request, in order of their rank."""
    found: dict[str, dict[str, list[dict]]] = defaultdict(lambda: defaultdict(list))
    rows = world.rows("rankings", day)
    for row in sorted(rows, key=lambda row: row["rank"]):
        found[row["method"]][row["request_id"]].append(row)
    return found


# --- rows


def test_no_row_is_lost_or_made_up_on_the_way(toy):
    seen = 0
    for day in DAYS:
        logs = toy.rows("request_logs", day)
        requests = {row["request_id"] for row in logs}
        seen += len(requests)
        assert len(requests) == toy.profile.world.requests
        sets = toy.rows("candidate_sets", day)
        pairs = [(row["request_id"], item) for row in sets for item in row["item_id"]]
        assert sorted(pairs) == sorted((row["request_id"], row["item_id"]) for row in logs)
        for table in ("truth_requests", "teacher_labels"):
            listed = [
                (r["request_id"], item) for r in toy.rows(table, day) for item in r["item_id"]
            ]
            assert sorted(listed) == sorted(pairs)
        examples = toy.partition("examples", day)
        assert examples.manifest().rows == seen
        labels = {(r["request_id"], r["item_id"]): r["label"] for r in logs}
        for row in sets:
            assert row["label"] == [labels[row["request_id"], item] for item in row["item_id"]]


@pytest.mark.parametrize("day", JUDGED, ids=str)
def test_each_list_holds_candidates_once_and_as_many_as_it_can(toy, day):
    candidates = {row["request_id"]: row["item_id"] for row in toy.rows("candidate_sets", day)}
    found = lists_of(toy, day)
    assert set(found) >= METHODS
    for requests in found.values():
        assert set(requests) == set(candidates)
        for name, rows in requests.items():
            items = [row["item_id"] for row in rows]
            assert len(set(items)) == len(items) == min(toy.profile.depth, len(candidates[name]))
            assert set(items) <= set(candidates[name])
            assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("day", JUDGED, ids=str)
def test_lists_are_sorted_by_what_their_method_sorts_by(toy, day):
    gamma = toy.profile.ranking.gamma
    pre_rank = {
        (row["request_id"], item): score
        for row in toy.rows("candidate_sets", day)
        for item, score in zip(row["item_id"], row["score"], strict=True)
    }
    scores = {
        "pre_ranker": lambda row: pre_rank[row["request_id"], row["item_id"]],
        "dcn": lambda row: row["f"],
        "cdm": lambda row: row["f"] + gamma * row["win_probability"],
    }
    found = lists_of(toy, day)
    for method, score in scores.items():
        for rows in found[method].values():
            assert [row["final_score"] for row in rows] == [score(row) for row in rows]
            order = [(-row["final_score"], row["item_id"]) for row in rows]
            assert order == sorted(order)
    assert found["cdm"] != found["dcn"]


# --- which model


def test_the_model_of_the_day_before_scores_and_the_promoted_one_labels(toy):
    assert toy.run("score", DAYS[0]) == 99
    assert toy.run("evaluate", DAYS[0]) == 99
    for before, day in itertools.pairwise(DAYS):
        found = {row["method"]: row["model_version"] for row in toy.rows("rankings", day)}
        serving = found.pop("promoted")
        assert set(found.values()) == {toy.trained(before)}
        assert serving == toy.registry.promoted(before)
    base = toy.registry.trained(DAYS[0], bootstrap=True).parameters["version"]
    assert toy.registry.promoted(DAYS[0]) == base
    for day in DAYS:
        labelled = {row["model_version"] for row in toy.rows("teacher_labels", day)}
        assert labelled == {toy.registry.promoted(day)}
    assert len({base, *map(toy.trained, DAYS)}) == 4


# --- worth under the truth


def categories(world: World, day) -> dict[int, str]:
    return {row["item_id"]: row["category"] for row in world.rows("request_logs", day)}


def figures_of(world: World, day, k: int) -> dict[tuple[str, str, str], dict]:
    rows = world.rows("metrics", day)
    return {(r["method"], r["metric"], r["baseline"]): r for r in rows if r["k"] == k}


def test_the_values_are_those_of_the_truth_and_the_best_list_is_the_best_of_all(toy):
    day = DAYS[2]
    truth = {row["request_id"]: row for row in toy.rows("truth_requests", day)}
    category, figures = categories(toy, day), figures_of(toy, day, K)
    best = {name: max(worths(row, category, K)) for name, row in truth.items()}
    top = {}
    for name, row in truth.items():
        order = sorted(zip(row["p"], row["item_id"], strict=True), key=lambda pi: (-pi[0], pi[1]))
        top[name] = worth([item for _, item in order[:K]], row, category)
    for method, requests in lists_of(toy, day).items():
        values = {
            name: worth([row["item_id"] for row in rows[:K]], truth[name], category)
            for name, rows in requests.items()
        }
        assert all(values[name] <= best[name] + 1e-12 for name in values)
        total = math.fsum(values.values())
        expected = {
            "value": total / len(values),
            "value_ratio": total / math.fsum(best.values()),
            "value_over_top_p": total / math.fsum(top.values()),
        }
        for metric, value in expected.items():
            assert figures[method, metric, ""]["value"] == pytest.approx(value, rel=1e-12)
    headroom = toy.partition("truth_requests", day).manifest().counts["headroom"]
    assert headroom == round(math.fsum(best.values()) / math.fsum(top.values()), 4)
    assert 1.05 <= headroom <= 1.15


# --- the metrics, request by request


@pytest.mark.parametrize("k", [3, 5])
def test_every_metric_is_what_a_slow_count_says(toy, k):
    day = DAYS[1]
    category, figures = categories(toy, day), figures_of(toy, day, k)
    clicked: dict[str, set[int]] = defaultdict(set)
    for row in toy.rows("request_logs", day):
        if row["label"] == 1:
            clicked[row["request_id"]].add(row["item_id"])
    vector = {
        row["item_id"]: np.array(row["vector"], np.float64)
        for row in toy.rows("reference_items", day)
    }
    means: dict[str, dict[str, dict[str, float]]] = {}
    for method, requests in lists_of(toy, day).items():
        counted: dict[str, dict[str, float]] = defaultdict(dict)
        touched = set()
        for name, rows in requests.items():
            items = [row["item_id"] for row in rows]
            touched |= {category[item] for item in items[:k]}
            for metric, value in by_hand(items, clicked[name], category, vector, k).items():
                counted[metric][name] = value
        for metric, values in counted.items():
            row = figures[method, metric, ""]
            assert row["n"] == len(values)
            assert row["value"] == pytest.approx(math.fsum(values.values()) / len(values), abs=1e-6)
            assert row["low"] <= row["value"] <= row["high"]
        cover = figures[method, "category_coverage", ""]
        assert cover["value"] == len(touched) / len(set(category.values()))
        means[method] = counted
    with_clicks = len([name for name in clicked if clicked[name]])
    assert 0 < with_clicks < toy.profile.world.requests
    for metric, values in means["cdm"].items():
        paired = figures["cdm", metric, "dcn"]
        differences = [value - means["dcn"][metric][name] for name, value in values.items()]
        assert paired["n"] == len(differences)
        assert paired["value"] == pytest.approx(math.fsum(differences) / len(differences), abs=1e-6)


# --- again


def test_a_rerun_changes_nothing_and_says_so(toy, capsys):
    before = toy.files()
    assert call_line(toy, len(DAYS)) == 0
    printed = capsys.readouterr().out
    assert toy.files() == before
    for name, live in toy.manifests().items():
        if live.table == "models":
            assert f"unchanged: model {live.digest} was trained on exactly this" in printed
        # What validation makes of a table is told by its results.
        elif live.table not in ("measures", "bad_rows"):
            assert f"unchanged: {name} holds" in printed
    assert len(re.findall(r"^line ", printed, re.MULTILINE)) == len(DAYS) * len(line.COMMANDS)


def test_the_same_days_in_a_fresh_lake_are_the_same(toy, tmp_path):
    other = World(tmp_path / "another lake")
    assert call_line(other, 2) == 0
    days = tuple(f"dt={day}" for day in DAYS[:2])
    wanted = {n: m for n, m in toy.manifests().items() if set(n.split("/")) & set(days)}
    found = other.manifests()
    assert len(found) > 25
    for name, live in wanted.items():
        assert (name, found[name].digest) == (name, live.digest)
        assert (found[name].rows, found[name].counts) == (live.rows, live.counts)
        assert found[name].recipe == live.recipe
        if live.table != "models":
            assert found[name].folder != live.folder
    assert found.keys() == wanted.keys()


# --- the report, the validations, and a line that stops


def test_everything_was_validated_and_held(toy):
    for day in DAYS:
        live = [m for m in toy.manifests().values() if m.partition.get("dt") == str(day)]
        checked = {m.partition["of"] for m in live if m.table == "validations"}
        later = {"rankings", "metrics"} if day != DAYS[0] else set()
        always = {"request_logs", "candidate_sets", "teacher_labels", "unlabelled", "examples"}
        assert checked == later | always
        for name in checked:
            results = toy.lake.partition("validations", day, of=name).read().to_pylist()
            # Of no rows only the types can be judged.
            assert len(results) > (1 if name == "unlabelled" else 10)
            assert {row["success"] for row in results} <= {1, None}
            assert any(row["success"] for row in results)


def measured(world: World, day, table: str) -> dict[tuple[str, str], float]:
    rows = world.lake.partition("measures", day, of=table).read().to_pylist()
    return {(row["part"], row["name"]): row["value"] for row in rows}


def test_measures_have_the_same_names_on_every_day_and_are_those_of_the_tables(toy):
    day = DAYS[2]
    sets = toy.rows("candidate_sets", day)
    known = pq.read_table(toy.registry.trained_items(toy.trained(DAYS[1])))["item_id"]
    items, known = [item for row in sets for item in row["item_id"]], set(known.to_pylist())
    found = measured(toy, day, "candidate_sets")
    assert found["", "known_items"] == sum(item in known for item in items) / len(items) < 1
    assert found["", "with_vector"] == 1
    told = teacher_picks(toy.lake, day, toy.profile.teacher, toy.profile.policy)
    found = measured(toy, day, "teacher_labels")
    assert found["", "overlap"] == pytest.approx(told.overlap)
    assert found["", "win_rate"] == told.winners / told.candidates
    found = measured(toy, day, "rankings")
    assert {part for part, _ in found} - {""} >= METHODS - {"promoted"}
    assert found["cdm", "changed"] > 0
    assert {part for part, _ in measured(toy, DAYS[0], "examples")} == {"", "bootstrap"}
    assert {part for part, _ in measured(toy, day, "examples")} == {""}


def test_the_report_is_there_and_needs_nothing_else(toy):
    page = (toy.root / "reports" / "index.html").read_text(encoding="utf-8")
    assert page == (toy.root / "reports" / f"{DAYS[2]}.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert toy.trained(DAYS[1]) in page
    summary = (toy.root / "reports" / "summary.txt").read_text(encoding="utf-8")
    assert "cdm" in summary.lower()
    assert "0 of " in summary


def test_the_line_stops_at_the_first_refusal(toy, tmp_path, capsys):
    flags = ["--lake", str(tmp_path / "lake"), "--profile", "toy", "--date", "2025-12-31"]
    assert line.main([*flags, "--days", "2"]) == 2
    printed = capsys.readouterr()
    assert "simulate_logs: refused: 2025-12-31 is before the world's first day" in printed.err
    assert re.findall(r"^line .*", printed.out, re.MULTILINE) == [
        next(
            iter(re.findall(r"line 2025-12-31: ingest +stopped with exit code 2, .*", printed.out))
        )
    ]
    assert not (tmp_path / "lake").exists()
