"""Judge a day's rankings: accuracy, diversity and, under a known truth, what the lists are worth.

Reads rankings, candidate_sets, reference_items and truth_requests, writes metrics: every figure
with its bootstrap interval over requests, and as paired differences to the DCN and to the
promoted model.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.cli import Task, run, step_parser
from jobs.errors import NothingToDo
from jobs.judged_day import JudgedDay, read_judged_day
from jobs.publish import Publication
from jobs.registry import Registry
from jobs.truth import Truth, read_truth
from model import metrics
from model.intervals import Bootstrap

STEP = "evaluate"
READS = ("rankings", "candidate_sets", "reference_items", "truth_requests")
WRITES = ("metrics",)
BASELINES = ("dcn", "promoted")
SEED = 11
CHUNK = 256

Figures = dict[str, tuple[np.ndarray, np.ndarray | None]]
"""By metric: its value a request [R], NaN where it has none, and what it is divided by, or None."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return step_parser(STEP, __doc__)


def ideals(truth: Truth, k: int) -> dict[str, np.ndarray]:
    """Return what V of a list of k is divided by, by metric: [R] each, the same for all methods."""
    return {"value_ratio": truth.best(k), "value_over_top_p": truth.top_by_p(k)}


def figures(
    day: JudgedDay, places: np.ndarray, truth: Truth | None, against: dict[str, np.ndarray]
) -> Figures:
    """Return every figure of some lists [R, K] that the day's data allow."""
    filled = places >= 0
    hits = day.clicked[places] & filled
    found: Figures = {
        "recall": (metrics.recall(hits, day.positives), None),
        "mrr": (metrics.reciprocal_rank(hits, day.positives), None),
        "ndcg": (metrics.ndcg(hits, day.positives), None),
    }
    for name, vectors in (("ilad_reference", day.reference), ("ilad_category", day.category)):
        if vectors is not None:
            found[name] = (in_chunks(vectors, places, metrics.intra_list_distance), None)
    if day.category is not None:
        counts = in_chunks(
            day.category, places, lambda member, known: metrics.distinct_categories(member)
        )
        found["distinct_categories"] = (counts, None)
    if truth is not None:
        value = truth.value(places)
        found["value"] = (value, None)
        found |= {metric: (value, ideal) for metric, ideal in against.items()}
    return found


def in_chunks(rows: np.ndarray, places: np.ndarray, measure: object) -> np.ndarray:
    """Measure lists of candidate rows a few requests at a time; unfilled places are zero rows."""
    results = []
    for start in range(0, len(places), CHUNK):
        chunk = places[start : start + CHUNK]
        chosen = rows[chunk] * (chunk >= 0)[..., None]
        results.append(measure(chosen, chosen.any(axis=2)))
    return np.concatenate(results)


def coverage(day: JudgedDay, places: np.ndarray) -> float:
    """Return CC@K: the share of the day's categories that any list touches (Eq. 22)."""
    touched = metrics.covered(day.category[places[places >= 0]])
    return float(touched.sum() / metrics.covered(day.category).sum())


def judge(
    day: JudgedDay,
    lists: dict[str, tuple[str, np.ndarray]],
    truth: Truth | None,
    ks: tuple[int, ...],
) -> Iterator[dict[str, object]]:
    """Yield rows of metrics; `lists` holds model version and places [R, depth] of each method."""
    bootstrap = Bootstrap(len(day.start), SEED)
    for k in ks:
        against = {} if truth is None else ideals(truth, k)
        every = {
            method: figures(day, places[:, :k], truth, against)
            for method, (_, places) in lists.items()
        }
        for method, found in every.items():
            version, places = lists[method]
            row = {"model_version": version, "method": method, "baseline": "", "k": k}
            for metric, (top, bottom) in found.items():
                yield row | {"metric": metric} | figure(bootstrap.ratio(top, bottom))
                for baseline in BASELINES:
                    if baseline in every and baseline != method:
                        apart = bootstrap.ratio(top, bottom, minus=every[baseline][metric][0])
                        yield row | {"metric": metric, "baseline": baseline} | figure(apart)
            if day.category is not None:
                shown = {"value": coverage(day, places[:, :k]), "low": None, "high": None}
                yield row | {"metric": "category_coverage", "n": len(places)} | shown


def figure(found: tuple[float, float, float, int]) -> dict[str, object]:
    """Return a figure as columns of metrics."""
    return dict(zip(("value", "low", "high", "n"), found, strict=True))


def evaluate(task: Task, args: argparse.Namespace) -> None:
    """Judge and publish."""
    profile, day = task.profile, task.day
    if Registry(task.lake).trained_before(day) is None:
        raise NothingToDo(f"no model was trained before {day}; the first day has no rankings")
    parts = {name: task.lake.partition(name, day) for name in READS}
    live = {"rankings": parts["rankings"].require("score")}
    live["candidate_sets"] = parts["candidate_sets"].require("build_candidates")
    for name in ("reference_items", "truth_requests"):
        if (found := parts[name].manifest()) is not None:
            live[name] = found
    output = Publication(
        task.lake.partition("metrics", day),
        step=STEP,
        inputs={parts[name].name: manifest.digest for name, manifest in live.items()},
        parameters={"k": profile.k, "seed": SEED, "wear_by": profile.world.wear_by},
    )
    if task.is_done(output):
        return
    judged = read_judged_day(parts["candidate_sets"], parts["reference_items"], profile.fields)
    likeness = profile.world.wear_by == "likeness"
    truth = read_truth(parts["truth_requests"], judged, by_likeness=likeness)
    rankings = parts["rankings"].read(["request_id", "method", "model_version", "rank", "item_id"])
    lists = {}
    for method in sorted(pc.unique(rankings["method"]).to_pylist()):
        mine = rankings.filter(pc.equal(rankings["method"], method))
        version = mine["model_version"][0].as_py()
        lists[method] = (version, judged.positions(mine, profile.depth))
    rows = [row for row in judge(judged, lists, truth, profile.k) if row["n"]]
    with_clicks = int((judged.positives > 0).sum())
    counts = {"requests": len(judged.start), "requests_with_clicks": with_clicks}
    output.publish_rows([pa.Table.from_pylist(rows)], counts)
    note = f"{len(lists)} methods, {counts['requests']:,} requests, {with_clicks:,} with clicks"
    task.made(output, note, "promote")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(STEP, build_parser(), argv, evaluate)


if __name__ == "__main__":
    sys.exit(main())
