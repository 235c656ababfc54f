"""Labels against a slow reference in float64, written from Eq. 1-4 and from nothing of ours."""

import json
import math
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World

from jobs.features import encode
from jobs.load_model import load_model
from jobs.teacher import teacher_id
from model.batch import from_ragged
from schemas.arrow import arrow_schema


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def reference(
    f: list[float], e: np.ndarray, u: np.ndarray, ids: list, weight: float, k: int
) -> tuple[list[int], list[float]]:
    """Pick by Eq. 2 as it stands: every similarity to every pick, again in every step."""
    e_u = e.astype(np.float64) * u.astype(np.float64)
    similarity = e_u @ e_u.T  # Eq. 3
    picks, gains = [], []
    while len(picks) < min(k, len(f)):
        candidates = []
        for i in range(len(f)):
            if i not in picks:
                div = 1.0 - max(sigmoid(similarity[i, j]) for j in picks) if picks else 0.0
                candidates.append((-(f[i] + weight * div), -f[i], ids[i], i))
        best = min(candidates)
        picks.append(best[-1])
        gains.append(-best[0])
    return picks, gains


def vectors_of(world: World, version: str, day: date) -> dict[object, np.ndarray]:
    """Read e from the model's items.parquet as anybody would; no item may stand there twice."""
    folder = world.root / "models" / version / "items.parquet"
    files = [folder / "known.parquet", *folder.glob(f"dt={day}.parquet")]
    table = pa.concat_tables([pq.read_table(path) for path in files])
    found = dict(zip(table["item_id"].to_pylist(), table["e"].to_pylist(), strict=True))
    assert len(found) == table.num_rows
    return {item: np.array(vector, np.float64) for item, vector in found.items()}


def recompute(world: World, day: date) -> int:
    """Compare every label of a day with the reference; return how many items were compared."""
    teacher = json.loads(
        (world.partition("teacher_labels", day).path / "_manifest.json").read_text()
    )
    weight = teacher["parameters"]["teacher"]["diversity_weight"]
    k, version = teacher["parameters"]["teacher"]["k"], teacher["parameters"]["model_version"]
    e = vectors_of(world, version, day)
    sets = {row["request_id"]: row for row in world.rows("candidate_sets", day)}
    labels = world.rows("teacher_labels", day)
    assert sorted(row["request_id"] for row in labels) == sorted(sets)
    compared = 0
    for row in labels:
        ids = row["item_id"]
        assert ids == sets[row["request_id"]]["item_id"]
        assert row["model_version"] == version
        assert row["k"] == min(k, len(ids)) == sum(row["win"])
        vectors = np.stack([e[item] for item in ids])
        picks, gains = reference(row["f"], vectors, np.array(row["u"]), ids, weight, k)
        order: list[int | None] = [None] * len(ids)
        for step, pick in enumerate(picks, start=1):
            order[pick] = step
        assert row["pick_order"] == order
        assert row["win"] == [int(step is not None) for step in order]
        assert [gain is None for gain in row["gain"]] == [step is None for step in order]
        np.testing.assert_allclose([row["gain"][i] for i in picks], gains, rtol=0, atol=1e-12)
        compared += len(ids)
    return compared


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_label_is_what_the_equations_say(toy, day):
    assert recompute(toy, day) == toy.partition_rows("request_logs", day)


def test_diversity_changes_what_is_picked_and_so_does_the_user(toy):
    """Without either the comparison above would say little."""
    by_f = 0
    for row in (row for day in DAYS for row in toy.rows("teacher_labels", day)):
        top = sorted(range(len(row["f"])), key=lambda i: (-row["f"][i], row["item_id"][i]))
        by_f += {i for i, win in enumerate(row["win"]) if win} == set(top[: row["k"]])
        assert row["pick_order"][top[0]] == 1  # Eq. 4
    assert by_f < 0.9 * 80 * len(DAYS)
    users = {tuple(row["u"]) for row in toy.rows("teacher_labels", DAYS[-1])}
    assert len(users) > 10


def test_f_and_u_are_those_of_the_promoted_model(toy):
    day = DAYS[1]
    version = toy.registry.promoted(day)
    model, vocabulary = load_model(toy.registry, version, toy.profile.fields)
    sets = toy.partition("candidate_sets", day).read().sort_by("request_id").combine_chunks()
    batch = from_ragged(*encode(sets, toy.profile.fields, vocabulary))
    f, _ = model.score(batch)
    u = model.user_vectors(batch.user_tokens)
    labels = sorted(toy.rows("teacher_labels", day), key=lambda row: row["request_id"])
    for row, its_f, its_u, valid in zip(labels, f, u, batch.valid, strict=True):
        np.testing.assert_allclose(row["f"], its_f[valid].numpy(), rtol=1e-5)
        np.testing.assert_allclose(row["u"], its_u.numpy(), rtol=1e-5, atol=1e-7)


def test_items_that_the_model_had_not_met_get_their_vectors_once(toy):
    day = DAYS[1]
    version = toy.registry.promoted(day)
    folder = toy.root / "models" / version / "items.parquet"
    known = set(pq.read_table(folder / "known.parquet")["item_id"].to_pylist())
    added = set(pq.read_table(folder / f"dt={day}.parquet")["item_id"].to_pylist())
    asked = {item for row in toy.rows("candidate_sets", day) for item in row["item_id"]}
    assert added == asked - known
    assert any(item >= 150 for item in added), "the second day brings items of its own"


def test_a_rerun_does_nothing_and_force_makes_the_same(toy, tmp_path, capsys):
    world, day = toy.copy(tmp_path / "lake"), DAYS[1]
    before, live = world.files(), world.partition("teacher_labels", day).manifest()
    assert world.run("label_candidates", day) == 0
    assert "unchanged: teacher_labels" in capsys.readouterr().out
    assert world.files() == before
    assert world.run("label_candidates", day, "--force") == 0
    again = world.partition("teacher_labels", day).manifest()
    assert again.folder != live.folder
    assert (again.digest, again.rows) == (live.digest, live.rows)
    vectors = {n: text for n, text in before.items() if "items.parquet" in n}
    assert {n: text for n, text in world.files().items() if "items.parquet" in n} == vectors


def test_another_lambda_makes_other_labels_beside_the_old_ones_and_another_model(
    toy, tmp_path, profile_with, capsys
):
    day, trained = DAYS[0], toy.trained(DAYS[0])
    world = toy.copy(tmp_path / "lake", profile_with(diversity_weight="2.0"))
    for step in ("label_candidates", "build_examples", "train"):
        assert world.run(step, day) == 0
    assert recompute(world, day) == world.partition_rows("request_logs", day)
    assert world.trained(day) != trained
    assert (world.root / "models" / trained).is_dir()

    old = World(world.root, "toy")
    both = [live.partition("teacher_labels", day) for live in (old, world)]
    assert both[0].path != both[1].path
    wins = [{row["request_id"]: row["win"] for row in part.read().to_pylist()} for part in both]
    assert wins[0].keys() == wins[1].keys()
    assert wins[0] != wins[1]
    capsys.readouterr()
    assert old.run("label_candidates", day) == 0
    assert f"unchanged: {both[0].name}" in capsys.readouterr().out


def test_a_day_without_a_decision_is_refused(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    (world.partition("promotions", DAYS[2]).path / "_manifest.json").unlink()
    before = world.files()
    assert world.run("label_candidates", DAYS[2]) == 2
    assert f"no model is promoted on {DAYS[2]}; decide it first" in capsys.readouterr().err
    assert world.files() == before


# --- ids that are strings


@pytest.fixture(scope="module")
def named(toy, tmp_path_factory, profile_with) -> World:
    """The first toy day with strings for users and items, up to its labels."""
    profile = profile_with(user_id='"string"', item_id='"string"')
    world, day = World(tmp_path_factory.mktemp("named") / "lake", profile), DAYS[0]
    logs = toy.partition("request_logs", day).read()
    for name, text in (("user_id", "user "), ("item_id", "é")):
        words = pa.compute.binary_join_element_wise(text, logs[name].cast(pa.string()), "")
        logs = logs.set_column(logs.schema.get_field_index(name), name, words)
    partition = world.lake.partition("request_logs", day)
    world.publish(partition, logs.cast(arrow_schema(partition.table)))
    assert world.run("build_candidates", day) == 0
    for step in ("build_examples", "train"):
        assert world.run(step, day, "--bootstrap") == 0
    for step in ("promote", "label_candidates"):
        assert world.run(step, day) == 0
    return world


def test_string_ids_are_labelled_as_the_equations_say(named, toy):
    day = DAYS[0]
    assert recompute(named, day) == toy.partition_rows("request_logs", day)
    version = named.registry.promoted(day)
    assert named.partition("teacher_labels", day).keys[1][1] == teacher_id(
        named.profile.teacher, named.profile.policy, version
    )
    assert all(isinstance(item, str) for item in vectors_of(named, version, day))


def test_string_ids_reach_examples_and_a_model(named):
    assert named.run("build_examples", DAYS[0]) == 0
    assert named.run("train", DAYS[0]) == 0
    assert all(item.startswith("é") for item in vectors_of(named, named.trained(DAYS[0]), DAYS[0]))
