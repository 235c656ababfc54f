"""What fewer landmarks cost a student in what it learns: swap-AUC on simulated worlds.

The world is the study's KuaiShou-shaped one, with 250 requests of 500 candidates a day. DCN is
trained first, MMR of lambda 0.25 on its f labels all days, and each student learns from the same
labels; it is judged on a day that it never saw. Swapped are the teacher's picks outside the top K
by f against the top K by f that it left out.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from jobs.study.arena import Arena, Requests, read_arena
from jobs.study.config import DataSet
from jobs.study.fidelity import fidelity
from jobs.study.learn import learn
from jobs.study.load import load_study
from jobs.study.outputs import outputs, teach
from jobs.study.prepare import lake_of, prepare, profile_of
from jobs.study.rankings import teacher_of
from jobs.study.trainings import BETTER_CONTEXT, DCN, TRAININGS, Training
from model.learning_config import ModelConfig

FULL = 0
LAMBDA = 0.25
STUDENTS: dict[str, tuple[dict[str, object], tuple[int, ...]]] = {
    "CDM": ({"context_size": ModelConfig().context_size}, (FULL, 128, 32)),
    "Better context": (BETTER_CONTEXT, (FULL, 128)),
}
"""What differs from the profile's model, and the landmarks that are tried; 0 is all."""
Learned = dict[str, dict[str, list[float]]]
"""Swap-AUC by student, by landmarks as text; one of each seed."""


def world() -> DataSet:
    """Return the study's KuaiShou-shaped days."""
    return next(one for one in load_study("full").data if one.name == "kuaishou")


def run(folder: Path, seeds: int) -> Learned:
    """Simulate, train and judge under each seed; the lakes stay in `folder`."""
    found: Learned = {name: {str(m): [] for m in tried} for name, (_, tried) in STUDENTS.items()}
    for seed in range(1, seeds + 1):
        data = world()
        prepare(data, seed, folder)
        arena = read_arena(data, profile_of(data, seed), lake_of(data, seed, folder))
        for name, landmarks, swap_auc in trained(arena):
            found[name][landmarks].append(swap_auc)
            print(f"seed {seed}: {name}, {landmarks} landmarks: swap-AUC {swap_auc}", flush=True)
    return found


def trained(arena: Arena) -> Iterator[tuple[str, str, float]]:
    """Yield student, landmarks as text and its swap-AUC on the test day."""
    base, _ = learn(arena, TRAININGS[DCN], None, None)
    teacher = teacher_of("mmr", LAMBDA, arena.profile.depth)
    test = arena.test.requests
    splits: dict[str, Requests] = {
        "training": arena.training,
        "validation": arena.validation.requests,
        "test": test,
    }
    orders: dict[str, np.ndarray] = {
        split: teach(arena, requests, outputs(base, arena, requests), teacher)
        for split, requests in splits.items()
    }
    for name, (changes, tried) in STUDENTS.items():
        way = Training(label=name, teacher="mmr", is_frozen=name != "CDM")
        for landmarks in tried:
            way = replace(way, model=changes | {"landmarks": landmarks})
            student, _ = learn(arena, way, base, orders)
            said = outputs(student, arena, test)
            yield name, str(landmarks), fidelity(test, said, orders["test"])["swap_auc"]


def write(found: Learned, path: Path) -> None:
    """Keep what was found, for the commands after this one."""
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Learned | None:
    """Return what an earlier command found, or None."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
