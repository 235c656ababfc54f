"""One cell of the study: a training on a data set under a seed, tried in all its rankings.

    results/<data>/<seed>/<training>.json      means on validation and test day, a text of some kB
    work/<data>/<seed>/<training>.parquet      the test day's figures request by request

Both are written whole or not at all, the JSON last: where it is, the cell is done.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load_file, save_file

from jobs.errors import Refused
from jobs.study.arena import Arena, Judged, Requests, read_arena
from jobs.study.choice import at_equal_recall, by_value
from jobs.study.config import DataSet, StudyConfig
from jobs.study.fidelity import fidelity
from jobs.study.judge import Figures, figures, means
from jobs.study.learn import learn, new_model
from jobs.study.likeness import likeness
from jobs.study.outputs import Outputs, outputs, teach
from jobs.study.prepare import lake_of, profile_of
from jobs.study.rankings import RANKINGS, READS_CATEGORIES, READS_TRUTH, teacher_of
from jobs.study.trainings import DCN, TRAININGS, Training
from model.config import TeacherConfig


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's place."""

    folder: Path
    data: DataSet
    seed: int
    training: str

    @property
    def result(self) -> Path:
        """Its text."""
        return self._path("results", "json")

    @property
    def requests(self) -> Path:
        """Its figures, request by request."""
        return self._path("work", "parquet")

    @property
    def weights(self) -> Path:
        """Its model."""
        return self._path("work", "safetensors")

    @property
    def base(self) -> "Cell":
        """The DCN under the same seed."""
        return Cell(self.folder, self.data, self.seed, DCN)

    def _path(self, kind: str, suffix: str) -> Path:
        return self.folder / kind / self.data.name / str(self.seed) / f"{self.training}.{suffix}"

    def read(self) -> dict:
        """Return what was found."""
        try:
            return json.loads(self.result.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refused(
                f"{self.result} cannot be read ({error}); remove it and run again"
            ) from error


def run_cell(cell: Cell, config: StudyConfig) -> None:
    """Train, rank, judge, write."""
    training = TRAININGS[cell.training]
    profile = profile_of(cell.data, cell.seed)
    arena = read_arena(cell.data, profile, lake_of(cell.data, cell.seed, cell.folder))
    if training.clicks == "unworn":
        arena = _unworn(arena, cell, config)
    if training.clicks == "unseen are none":
        arena = _all_seen(arena)
    about: dict[str, object] = {
        "data": cell.data.name,
        "seed": cell.seed,
        "training": cell.training,
    }
    base = orders = None
    if cell.training != DCN:
        base = new_model(arena, None)
        base.load_state_dict(load_file(cell.base.weights))
    if training.teacher:
        teacher = teacher_for(training, cell.base, config)
        about["teacher"] = {"name": teacher.name, "weight": weight_of(teacher), "k": teacher.k}
        orders = {
            split: teach(arena, requests, outputs(base, arena, requests), teacher)
            for split, requests in _splits(arena).items()
        }
    model, about["epochs"] = learn(arena, training, base, orders)
    tried: dict[str, dict] = {}
    rows: list[dict] = []
    for split, judged in (("validation", arena.validation), ("test", arena.test)):
        said = outputs(model, arena, judged.requests)
        if cell.training == DCN and split == "validation":
            about["likeness"] = likeness(arena, judged.requests, said)
        if orders is not None:
            about[f"fidelity_{split}"] = fidelity(judged.requests, said, orders[split])
        ks = (profile.depth,) if split == "validation" else profile.k
        for ranking, weight, each in _try_all(arena, judged, said, training, ks):
            at = tried.setdefault(ranking, {}).setdefault(f"{weight:g}", {})
            at[split] = {k: found for k, (found, _) in each.items()}
            if split == "test":
                rows += [
                    {"ranking": ranking, "weight": f"{weight:g}", "k": k, "metric": metric}
                    | {"each": value.astype(np.float32)}
                    for k, (_, each_metric) in each.items()
                    for metric, value in each_metric.items()
                ]
    _write(cell.weights, lambda path: save_file(model.state_dict(), path))
    _write(cell.requests, lambda path: pq.write_table(pa.Table.from_pylist(rows), path))
    text = json.dumps(about | {"rankings": tried}, indent=1, sort_keys=True) + "\n"
    _write(cell.result, lambda path: path.write_text(text, encoding="utf-8"))


def _splits(arena: Arena) -> dict[str, Requests]:
    return {
        "training": arena.training,
        "validation": arena.validation.requests,
        "test": arena.test.requests,
    }


def _unworn(arena: Arena, cell: Cell, config: StudyConfig) -> Arena:
    """Return the arena with the clicks that the same pages had where nothing wears."""
    data = next(one for one in config.data if one.name == cell.data.unworn)
    other = read_arena(data, profile_of(data, cell.seed), lake_of(data, cell.seed, cell.folder))
    labels = [
        replace(mine, label=theirs.label)
        for mine, theirs in (
            (arena.training, other.training),
            (arena.validation.requests, other.validation.requests),
        )
    ]
    return replace(
        arena, training=labels[0], validation=replace(arena.validation, requests=labels[1])
    )


def _all_seen(arena: Arena) -> Arena:
    """Return the arena with every candidate to learn from, those that were not shown as passed."""
    seen = [
        replace(one, exposed=np.ones_like(one.exposed))
        for one in (arena.training, arena.validation.requests)
    ]
    return replace(arena, training=seen[0], validation=replace(arena.validation, requests=seen[1]))


def teacher_for(training: Training, base: Cell, config: StudyConfig) -> TeacherConfig:
    """Return the teacher at the weight that its re-ranking of DCN deserves on the validation day.

    That is the list of most value where truth is known, else the most diversity at equal recall.
    """
    k = profile_of(base.data, base.seed).depth
    if training.teacher_weight is not None:
        return teacher_of(training.teacher, training.teacher_weight, k)
    found = base.read()["rankings"]
    front = {w: at["validation"][str(k)] for w, at in found[training.teacher].items()}
    if all("value_ratio" in at for at in front.values()):
        return teacher_of(training.teacher, float(by_value(front)), k)
    recall = found["f"]["0"]["validation"][str(k)]["recall"]
    chosen = at_equal_recall(front, config.kept_recall * recall)
    return teacher_of(training.teacher, float(chosen), k)


def weight_of(teacher: TeacherConfig) -> float:
    """Return lambda, or delta of category decay."""
    return teacher.decay if teacher.name == "category_decay" else teacher.diversity_weight


def _try_all(
    arena: Arena, judged: Judged, said: Outputs, training: Training, ks: tuple[int, ...]
) -> Iterator[tuple[str, float, dict[str, tuple[dict[str, float], Figures]]]]:
    """Yield ranking, weight and, by K, means and figures."""
    best = {k: None if judged.truth is None else judged.truth.best(k) for k in ks}
    for name in training.rankings:
        if name in READS_CATEGORIES and not arena.profile.fields.category:
            continue
        if name in READS_TRUTH and judged.truth is None:
            continue
        ranking = RANKINGS[name]
        for weight in ranking.weights:
            each = {}
            for k in ks:
                # Some teachers' first picks depend on how many they are asked for.
                places = ranking.lists((arena, judged, said), weight, k)
                found = figures(judged, places, best[k])
                each[str(k)] = means(judged, places, found), found
            yield name, weight, each


def _write(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    write(part)
    part.replace(path)
