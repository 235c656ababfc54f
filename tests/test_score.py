"""score: the same rows by either engine, however the day is cut, and whoever stands beside whom."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from conftest import DAYS, World

from jobs import score_task
from jobs.candidate_pieces import Piece, pieces
from jobs.load_model import load_model
from jobs.parquet_file import TableWriter
from jobs.publish import Publication
from jobs.ranker import Ranker, Served
from jobs.request_scores import AT_ONCE, score_requests
from model.cdm import CDM, Shape
from model.config import RankingConfig
from model.learning_config import ModelConfig
from model.scorer import Scorer
from schemas.arrow import arrow_schema

DAY = DAYS[2]
SPARK = ("--engine", "spark", "--force")
CATEGORY_DECAY = RankingConfig(ranker="category_decay")
ONE_PASS = RankingConfig(ranker="one_pass", context=0)


def recut(world: World) -> int:
    """Publish the day's candidate sets again, shuffled, in five files; return how many pieces."""
    partition = world.partition("candidate_sets", DAY)
    live, rows = partition.manifest(), partition.read()
    rows = rows.take(pa.array(np.random.default_rng(0).permutation(len(rows))))
    made = {"step": live.step, "inputs": live.inputs, "parameters": live.parameters}
    output = Publication(partition, **made)
    with output.attempt() as folder:
        for number, (start, end) in enumerate([(0, 1), (1, 3), (3, 30), (30, 61), (61, 80)]):
            with TableWriter(folder / f"part-{number}.parquet", partition.table) as writer:
                writer.write(rows.slice(start, end - start))
        assert output.publish(folder, live.counts).digest == live.digest
    return len(pieces(partition.files()))


def sorted_rows(world: World, table: str = "rankings") -> pa.Table:
    rows = world.partition(table, DAY).read()
    return rows.sort_by([(name, "ascending") for name in world.lake.tables[table].key])


@pytest.mark.usefixtures("spark")
def test_both_engines_make_the_same_rows_however_the_day_is_cut(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    before, metrics = sorted_rows(world), world.partition("metrics", DAY).manifest()
    assert {*before["method"].to_pylist()} >= {"cdm", "cdm@0.4", "mmr@0.4", "promoted"}
    assert recut(world) == 5
    found, files = [], []
    for flags in (SPARK, ("--engine", "torch", "--force"), ("--force",)):
        assert world.run("score", DAY, *flags) == 0
        live = world.partition("rankings", DAY).manifest()
        found.append((live.digest, live.recipe, live.rows, live.counts))
        files.append(len(live.files))
        assert sorted_rows(world).equals(before)
    assert files == [5, 1, 1]
    assert found == found[:1] * 3
    assert found[0][0] == toy.partition("rankings", DAY).manifest().digest
    capsys.readouterr()
    # What one engine made, the other need not make again, and nothing after it.
    assert world.run("score", DAY, "--engine", "spark") == 0
    assert world.run("evaluate", DAY) == 0
    printed = capsys.readouterr().out
    assert printed.count("unchanged: ") == 2
    assert world.run("score", DAY, *SPARK) == 0
    assert world.run("evaluate", DAY, "--force") == 0
    assert world.partition("metrics", DAY).manifest().digest == metrics.digest


@pytest.mark.parametrize(
    ("variant", "config"),
    [
        ({"context_size": 4}, RankingConfig()),
        ({"encoder": "attention", "score_feature": True}, RankingConfig()),
        ({"landmarks": 8}, RankingConfig()),
        ({"student": "better_context"}, RankingConfig()),
        ({"student": "wear"}, RankingConfig()),
        ({}, ONE_PASS),
        ({}, CATEGORY_DECAY),
    ],
    ids=lambda one: one.ranker if isinstance(one, RankingConfig) else str(one),
)
def test_a_request_scores_the_same_to_the_bit_among_any_others(toy, variant, config):
    """In its order, turned round, in threes, and alone."""
    fields = toy.profile.fields
    _, vocabulary = load_model(toy.registry, toy.trained(DAYS[0]), fields)
    torch.manual_seed(0)
    shape = Shape(
        user_sizes=tuple(vocabulary.size(name) for name in fields.user_tokens),
        item_sizes=tuple(vocabulary.size(name) for name in fields.item_tokens),
        dense=len(fields.dense),
        win_rate=0.1,
    )
    model = CDM(shape, ModelConfig(embedding_std=0.7, width=32, hidden=(64, 32), **variant))
    scorer = Scorer(model, config, AT_ONCE)
    (sets,) = toy.partition("candidate_sets", DAY).read().combine_chunks().to_batches()
    rows = range(sets.num_rows)
    cuts = {
        "whole": [sets],
        "turned": [sets.take(pa.array(list(reversed(rows))))],
        "threes": [sets.slice(row, 3) for row in rows[::3]],
        "alone": [sets.slice(row, 1) for row in rows],
    }
    found = {}
    for cut, batches in cuts.items():
        found[cut] = {}
        for batch in batches:
            for one in score_requests(batch, fields, scorer, vocabulary):
                arrays = (one.item_id, one.pre_rank, one.f, one.win, one.final, one.e)
                found[cut][one.request_id] = [values.tobytes() for values in arrays]
    whole = found.pop("whole")
    assert len(whole) == sets.num_rows
    assert len({len(one[2]) for one in whole.values()}) > 10, "requests are of many lengths"
    for cut, others in found.items():
        assert others == whole, cut


def ranked(toy: World, version: str, config: RankingConfig) -> dict[str, list[dict]]:
    """Rank two requests to three places by one model; return the rows of each method."""
    fields, table = toy.profile.fields, toy.lake.tables["rankings"]
    model, vocabulary = load_model(toy.registry, version, fields)
    served = Served(version, Scorer(model, config), vocabulary)
    ranker = Ranker(fields, config, 3, table, served, None)
    (sets,) = toy.partition("candidate_sets", DAY).read().slice(0, 2).combine_chunks().to_batches()
    rows = ranker.rank(sets.select(ranker.columns))
    assert rows.schema == arrow_schema(table)
    methods = dict.fromkeys(rows["method"].to_pylist())
    found = {name: rows.filter(pc.equal(rows["method"], name)).to_pylist() for name in methods}
    assert {len(of_it) for of_it in found.values()} == {2 * 3}
    return found


BASELINES = ["random", "pre_ranker", "dcn", "mmr", "mmr@0.05", "mmr@0.2", "mmr@0.4"]


def test_a_base_dcn_has_no_list_of_its_student_and_its_rows_say_so(toy):
    base = toy.registry.trained(DAYS[0], bootstrap=True).parameters["version"]
    found = ranked(toy, base, RankingConfig())
    assert list(found) == BASELINES
    assert all(row["win_probability"] is None for rows in found.values() for row in rows)
    assert list(ranked(toy, base, CATEGORY_DECAY)) == [*BASELINES, "cdm"]


def test_what_serves_is_ranked_as_cdm_and_a_student_that_does_not_beside_it(toy):
    version = toy.trained(DAYS[1])
    student, decay = (ranked(toy, version, c) for c in (RankingConfig(), CATEGORY_DECAY))
    swept = ["cdm@0", "cdm@0.05", "cdm@0.2", "cdm@0.4"]
    assert list(student) == [*BASELINES, "cdm", *swept]
    assert list(decay) == [*BASELINES, "cdm", "cdm@0.1", *swept]
    of_student = [row | {"method": "cdm"} for row in decay.pop("cdm@0.1")]
    assert of_student == student["cdm"] != decay["cdm"]
    assert {name: decay[name] for name in (*BASELINES, *swept)} == {
        name: student[name] for name in (*BASELINES, *swept)
    }


def test_a_worker_loads_the_models_once_a_job(toy, tmp_path, monkeypatch):
    opened, source = [], toy.partition("candidate_sets", DAY)
    profile, table = toy.profile, toy.lake.tables["rankings"]

    def ranker_of(*given):
        opened.append(given)
        return ranker(*given)

    ranker = Ranker.open
    monkeypatch.setattr(Ranker, "open", ranker_of)
    monkeypatch.setattr(score_task, "_open", {})
    (path,) = source.files()
    for job in ("one", "two"):
        (tmp_path / job).mkdir()
        task = score_task.ScoreTask(
            (toy.registry.folder(toy.trained(DAYS[1])),),
            profile.fields,
            profile.ranking,
            profile.depth,
            score_task.TaskOutput(tmp_path / job, table, job),
            (Piece(path, (0,)),) * 2,
        )
        told = list(task(iter([pa.RecordBatch.from_pydict({"id": [0, 1]})])))
        assert [one["task"].to_pylist() for one in told] == [[0], [1]]
    assert len(opened) == 2


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("engine", ["torch", "spark"])
def test_a_damaged_model_is_refused_in_one_line_and_nothing_is_published(
    toy, tmp_path, capsys, engine
):
    world = toy.copy(tmp_path / "lake")
    before = world.partition("rankings", DAY).manifest()
    folder = world.registry.folder(world.trained(DAYS[1]))
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert world.run("score", DAY, "--engine", engine, "--force") == 2
    assert capsys.readouterr().err == (
        f"score: refused: {folder} is damaged: its files are not those of its version; train that "
        "day again with --force\n"
    )
    assert world.partition("rankings", DAY).manifest() == before
    assert len(list(world.partition("rankings", DAY).path.glob("v=*"))) == 1


def test_a_master_without_spark_is_refused(toy, capsys):
    assert toy.run("score", DAY, "--master", "local[2]") == 2
    assert capsys.readouterr().err == (
        "score: refused: --master local[2] says where Spark runs, and --engine torch uses none; "
        "add --engine spark or leave --master out\n"
    )
