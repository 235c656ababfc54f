"""A request of 100,000 candidates and a user of 100,000 rows beside small ones: memory is bounded.

What is asserted is how much is held at once, which bounds the memory on any machine.
"""

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import World
from explained_lake import plain_weights

from jobs.candidate_pieces import TASK_CANDIDATES, batches, pieces
from jobs.features import flat, lengths
from jobs.item_vectors import ItemVectors
from jobs.labeller import Labeller
from jobs.ranker import Ranker, Served
from jobs.request_scores import AT_ONCE
from jobs.scorer import SCORED_CANDIDATES, ModelScorer
from model.cdm import CDM, Shape
from model.config import RankingConfig, TeacherConfig
from model.learning_config import ModelConfig
from model.lookup import Lookup
from model.ordering import top_k
from model.scorer import Scorer
from model.students.paper import PaperStudent
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema

DAY, NOON = date(2026, 1, 31), datetime(2026, 1, 31, 12, tzinfo=UTC)
PROFILE = """
name = "giants"
k = [2]
[fields]
item = ["category"]
category = "category"
[promotion]
k = 2
"""
ITEMS = 100_000
SIZES = {"giant": ITEMS} | {f"user {n}": 100 for n in range(1_000)} | {f"{n}": 3 for n in range(50)}
"""Candidates by request; all of the user's are one user's, as are the others."""
TOP, DECAY = (
    TeacherConfig(k=5, diversity_weight=0.0),
    TeacherConfig(name="category_decay", k=5, decay=0.5),
)


def logs(schema: pa.Schema) -> pa.Table:
    """Return the rows of all requests, shuffled; scores are few, so that most of them tie."""
    rng, counts = np.random.default_rng(3), np.array(list(SIZES.values()))
    item = np.concatenate([np.arange(n) * (ITEMS // n) for n in counts])
    request = np.repeat(np.array(list(SIZES), object), counts)
    constants = {
        "ts": NOON, "missed_positives": 0, "exposed": 0, "shown_rank": None, "label": None,
        "derived": 0,
    }  # fmt: skip
    columns = {
        "request_id": request,
        "user_id": np.char.startswith(request.astype(str), "user").astype(np.int64),
        "item_id": item,
        "category": np.array(["even", "odd"], object)[item // 2 % 2],
        "score": rng.integers(0, 4, len(item)) / 4,
    } | {name: [value] * len(item) for name, value in constants.items()}
    rows = pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
    return rows.take(pa.array(rng.permutation(len(item))))


@pytest.fixture(scope="module")
def world(spark, tmp_path_factory) -> World:
    """The day up to its candidate sets."""
    folder = tmp_path_factory.mktemp("giants")
    (folder / "giants.toml").write_text(PROFILE)
    world = World(folder / "lake", folder / "giants.toml")
    partition = world.lake.partition("request_logs", DAY)
    world.publish(partition, logs(arrow_schema(partition.table)))
    assert world.run("build_candidates", DAY) == 0
    return world


def made(**config: object) -> tuple[CDM, Vocabulary]:
    """A small model with weights made by hand; half of the items are unknown to it."""
    known = {
        "user_id": pa.array([0]),
        "item_id": pa.array(range(0, ITEMS, 2)),
        "category": pa.array(["even", "odd"]),
    }
    vocabulary = Vocabulary(known, np.zeros(0), np.ones(0))
    sizes = [vocabulary.size(name) for name in known]
    rate = 0.5 if config else 0.0
    shape = Shape(user_sizes=(sizes[0],), item_sizes=tuple(sizes[1:]), dense=0, win_rate=rate)
    small = ModelConfig(embedding_width=2, width=3, hidden=(4, 4), **config)
    return plain_weights(CDM(shape, small)).eval(), vocabulary


@pytest.fixture
def scorer(world) -> ModelScorer:
    return ModelScorer(world.profile.fields, *made())


def sets_of(world: World) -> dict[str, dict]:
    table = world.lake.partition("candidate_sets", DAY).read(["request_id", "item_id", "score"])
    return {row["request_id"]: row for row in table.to_pylist()}


def test_all_are_grouped_in_the_one_order(world):
    found = sets_of(world)
    assert {name: len(row["item_id"]) for name, row in found.items()} == SIZES
    for name in ("giant", "user 7", "7"):
        item, score = (np.array(found[name][column]) for column in ("item_id", "score"))
        step = score[1:] - score[:-1]
        assert ((step < 0) | ((step == 0) & (item[1:] > item[:-1]))).all()


def test_the_files_cut_into_pieces_that_a_task_can_hold(world):
    files = world.lake.partition("candidate_sets", DAY).files()
    for piece in pieces(files):
        footer = pq.read_metadata(piece.path)
        rows = [footer.row_group(group) for group in piece.row_groups]
        candidates = sum(len(flat(b["item_id"])) for b in batches(piece, ["item_id"]))
        assert candidates <= TASK_CANDIDATES or len(rows) == 1
        assert max(group.total_byte_size for group in rows) < 16 * 2**20


def test_the_model_scores_them_in_bounded_runs(world, scorer, monkeypatch):
    padded, scored, click_logits = [], [], CDM.click_logits

    def recorded(self, batch, chosen):
        padded.append((chosen.shape, int(batch.valid.sum())))
        scored.append(int(chosen.sum()))
        return click_logits(self, batch, chosen)

    monkeypatch.setattr(CDM, "click_logits", recorded)
    columns = ["user_id", "item_id", "category"]
    counts = []
    for piece in pieces(world.lake.partition("candidate_sets", DAY).files()):
        for sets in batches(piece, columns):
            counts.append(lengths(sets["item_id"]))
            assert len(scorer(sets).f) == counts[-1].sum()
    assert np.concatenate(counts).max() == ITEMS
    assert any(len(own) > 1 and own.max() == ITEMS for own in counts), "small ones stand beside it"
    assert max(scored) <= SCORED_CANDIDATES
    assert sum(scored) == sum(SIZES.values())
    for (rows, width), valid in padded:
        # The giant is padded by nothing: it is alone.
        assert rows * width <= SCORED_CANDIDATES or (rows, width, valid) == (1, ITEMS, ITEMS)


def test_runs_give_the_scores_of_the_whole(world, scorer, monkeypatch):
    sets = world.lake.partition("candidate_sets", DAY).row("request_id", "giant")
    batch = sets.combine_chunks().to_batches()[0]
    in_runs = scorer(batch)
    monkeypatch.setattr("jobs.scorer.SCORED_CANDIDATES", ITEMS)
    whole = scorer(batch)
    np.testing.assert_allclose(in_runs.f, whole.f, rtol=1e-6)
    assert np.array_equal(in_runs.u, whole.u)
    assert len(np.unique(in_runs.f)) > 10


def test_a_giant_is_labelled_among_small_ones_as_it_is_alone(world, scorer):
    e = np.random.default_rng(5).normal(size=(ITEMS, 3)).astype(np.float32)
    vectors = ItemVectors(Lookup(pa.array(range(ITEMS))), e)
    rules = world.profile.policy
    labeller = Labeller(world.profile.fields, (TOP, DECAY), rules, "m1", scorer, vectors)
    rows = {}
    for piece in pieces(world.lake.partition("candidate_sets", DAY).files()):
        for sets in batches(piece, labeller.columns):
            top, decay = labeller.label(sets)
            assert top.unlabelled.num_rows == decay.unlabelled.num_rows == 0
            for row in top.labels.to_pylist():
                rows[row["request_id"]] = row
            if "giant" in sets["request_id"].to_pylist():
                at = pc.index(sets["request_id"], "giant").as_py()
                alone = labeller.label(sets.slice(at, 1))
                assert alone[0].labels.equals(top.labels.slice(at, 1))
                assert alone[1].labels.equals(decay.labels.slice(at, 1))
    assert {name: len(row["item_id"]) for name, row in rows.items()} == SIZES
    for name, n in SIZES.items():
        row, k = rows[name], min(5, n)
        best = top_k(np.array(row["f"]), np.array(row["item_id"]), k)
        assert [row["pick_order"][i] for i in best] == list(range(1, k + 1))
        assert sum(row["win"]) == row["k"] == k


def test_a_giant_is_ranked_among_small_ones_as_it_is_alone_in_bounded_runs(world, monkeypatch):
    """Nobody is padded to it; the click model and the student take a bounded part of it at once."""
    model, vocabulary = made(landmarks=64)
    taken, click_logits, scoring = [], CDM.click_logits, PaperStudent.scoring

    def clicks(self, batch, **known):
        taken.append(("candidates", batch.valid.numel(), bool(batch.valid.all())))
        return click_logits(self, batch, **known)

    def compared(self, view):
        score = scoring(self, view)

        def recorded(targets):
            taken.append(("pairs", targets.numel() * 64, bool(view.valid.all())))
            return score(targets)

        return recorded

    monkeypatch.setattr(CDM, "click_logits", clicks)
    monkeypatch.setattr(PaperStudent, "scoring", compared)
    config, profile = RankingConfig(), world.profile
    served = Served("m1", Scorer(model, config, AT_ONCE), vocabulary)
    ranker = Ranker(profile.fields, config, 2, world.lake.tables["rankings"], served, None)
    ranked = set()
    for piece in pieces(world.lake.partition("candidate_sets", DAY).files()):
        for sets in batches(piece, ranker.columns):
            rows = ranker.rank(sets)
            ranked.update(rows["request_id"].to_pylist())
            if "giant" in sets["request_id"].to_pylist():
                at = pc.index(sets["request_id"], "giant").as_py()
                assert sets.num_rows > 1
                of_it = rows.filter(pc.equal(rows["request_id"], "giant"))
                assert ranker.rank(sets.slice(at, 1)).equals(of_it.combine_chunks())
    assert ranked == set(SIZES)
    for what, most in (("candidates", SCORED_CANDIDATES), ("pairs", AT_ONCE.pairs)):
        sizes = [size for name, size, _ in taken if name == what]
        assert most / 2 < max(sizes) <= most
    assert all(whole for *_, whole in taken)
