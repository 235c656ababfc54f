"""A tiny study from its file to its page: what it writes, that it goes on, and what it refuses."""

import json
import shutil
import subprocess
import sys
import time
from datetime import date

import numpy as np
import psutil
import pytest

from jobs.errors import Refused
from jobs.study.__main__ import build_parser, main, narrowed
from jobs.study.arena import read_arena
from jobs.study.config import DataSet
from jobs.study.evidence import Key, gather
from jobs.study.load import load_study
from jobs.study.outputs import Outputs
from jobs.study.prepare import lake_of, profile_of
from jobs.study.rankings import OFF, RANKINGS
from jobs.study.schedule import cells

STUDY = """
seeds = [1]
[[data]]
name = "tiny"
title = "A tiny world"
profile = "toy"
first_day = 2026-01-01
train_days = 1
unworn = "tiny_unworn"
only = ["unworn", "cdm", "lambda_0", "wear"]
[data.changes]
"world.requests" = 40
"training.epochs" = 1

[[data]]
name = "tiny_unworn"
profile = "toy"
first_day = 2026-01-01
train_days = 1
only = ["cdm"]
[data.changes]
"world.requests" = 40
"world.wear" = 0.0
"training.epochs" = 1
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory, spark):
    """The folder of a study that has run once, and its file."""
    folder = tmp_path_factory.mktemp("study")
    path = folder / "tiny.toml"
    path.write_text(STUDY)
    assert main(["--out", str(folder / "out"), "--study", str(path)]) == 0
    return folder / "out", path


def results(out):
    return {path.relative_to(out): path.read_bytes() for path in out.glob("results/*/*/*.json")}


def test_a_cell_is_a_small_text(study):
    out, _ = study
    found = results(out)
    assert {(path.parts[1], path.stem) for path in found} == {
        *(("tiny", name) for name in ("dcn", "unworn", "cdm", "lambda_0", "wear")),
        *(("tiny_unworn", name) for name in ("dcn", "cdm")),
    }
    assert max(len(text) for text in found.values()) < 120_000
    cdm = json.loads((out / "results" / "tiny" / "1" / "cdm.json").read_text())
    assert cdm["teacher"]["name"] == "mmr"
    assert set(cdm["fidelity_test"]) >= {"auc", "auc_of_f", "calibration"}
    at = cdm["rankings"]["fused"]["0.1"]
    assert 0 < at["test"]["5"]["value_ratio"] <= 1
    assert set(at["validation"]) == {"5"}
    control = json.loads((out / "results" / "tiny" / "1" / "lambda_0.json").read_text())
    assert control["teacher"]["weight"] == 0


def test_at_gamma_0_a_student_that_leaves_f_alone_ranks_as_dcn(study):
    out, _ = study
    means = [
        json.loads((out / "results" / "tiny" / "1" / f"{name}.json").read_text())["rankings"][rank]
        for name, rank in (("dcn", "f"), ("wear", "worn"))
    ]
    assert means[0]["0"] == means[1]["0"]


def test_a_study_goes_on_where_it_was(study, capsys):
    out, path = study
    before = results(out)
    lost = out / "results" / "tiny" / "1" / "cdm.json"
    lost.unlink()
    assert main(["--out", str(out), "--study", str(path)]) == 0
    said = capsys.readouterr().out
    assert "study: 6 of 7 cells are done" in said
    assert "study: tiny, seed 1, cdm; 0 cells left" in said
    assert results(out) == before


def test_a_study_whose_worker_is_killed_says_so_and_goes_on(study):
    out, path = study
    before = results(out)
    (out / "results" / "tiny" / "1" / "cdm.json").unlink()
    command = [sys.executable, "-m", "jobs.study", "--out", str(out), "--study", str(path)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        while not (workers := spawned(started.pid)):
            assert started.poll() is None, "it ended before its worker could be killed"
            time.sleep(0.02)
        workers[0].kill()
        _, err = started.communicate(timeout=300)
    finally:
        started.kill()
    assert started.returncode == 2
    (line,) = [line for line in err.splitlines() if "refused" in line]
    assert "a process that ran a cell was killed" in line
    assert "run the same again, which goes on" in line
    assert "Traceback" not in err
    assert main(["--out", str(out), "--study", str(path)]) == 0
    assert results(out) == before


def spawned(parent):
    """The workers of a process; its other child watches their semaphores."""
    found = psutil.process_iter(["ppid", "cmdline"])
    mine = [one for one in found if one.info["ppid"] == parent]
    return [one for one in mine if "spawn_main" in " ".join(one.info["cmdline"] or [])]


def test_the_page_shows_every_data_set(study):
    out, _ = study
    page = (out / "index.html").read_text()
    for words in ("A tiny world", "CDM, teacher of lambda 0", "Learned wear", "category decay"):
        assert words in page
    assert page.count("<svg ") >= 5
    first, *others = (out / "findings.md").read_text().split("\n\n")
    assert first.startswith("CDM against DCN: ")
    assert any("category decay" in line for line in others)


def test_the_page_can_be_made_of_what_is_kept_alone(study, tmp_path):
    out, path = study
    for kept in ("results", "sections"):
        shutil.copytree(out / kept, tmp_path / kept)
    assert main(["--out", str(tmp_path), "--study", str(path), "--page"]) == 0
    for name in ("index.html", "findings.md"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()


def test_a_broken_section_is_refused(study, tmp_path, capsys):
    _, path = study
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "tiny.json").write_text('{"name": "tiny"}')
    assert main(["--out", str(tmp_path), "--study", str(path), "--page"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "tiny.json is no section of a study" in line


@pytest.mark.parametrize("name", OFF)
def test_a_re_ranking_that_is_off_is_f(study, name):
    out, path = study
    data = load_study(str(path)).data[0]
    arena = read_arena(data, profile_of(data, 1), lake_of(data, 1, out))
    requests = arena.test.requests
    rng = np.random.default_rng(3)
    e, u = (rng.normal(size=(n, 4)).astype(np.float32) for n in (len(arena.item_id), len(requests)))
    said = Outputs(rng.random(len(requests.item)), None, u, e, None)
    weights = [float(OFF[name]), RANKINGS[name].weights[-1]]
    scored = arena, arena.test, said
    off, on = (RANKINGS[name].lists(scored, weight, 5) for weight in weights)
    f = RANKINGS["f"].lists(scored, 0.0, 5)
    np.testing.assert_array_equal(off, f)
    assert not np.array_equal(on, f)


def test_the_front_of_a_re_ranking_begins_with_f(study):
    out, path = study
    config = load_study(str(path))
    found = gather("tiny", [one for one in cells(config, out) if one.data.name == "tiny"])
    f = found.sample(Key("dcn", "f", "0", 5, "recall"))
    for name, off in OFF.items():
        assert found.weights("dcn", name)[0] == off
        same = found.sample(Key("dcn", name, off, 5, "recall"))
        np.testing.assert_array_equal(same.draws, f.draws)
        assert found.validation("dcn", name, 5)[off] == found.validation("dcn", "f", 5)["0"]
    assert found.weights("cdm", "fused")[0] == "0"
    assert not found.weights("wear", "mmr_item")


def test_who_knows_the_truth_and_the_true_chances_makes_the_best_lists(study):
    out, path = study
    data = load_study(str(path)).data[0]
    arena = read_arena(data, profile_of(data, 1), lake_of(data, 1, out))
    truth = arena.test.truth
    said = Outputs(truth.p, None, np.zeros((1, 1)), np.zeros((1, 1)), None)
    places = RANKINGS["true_wear"].lists((arena, arena.test, said), 0.0, 5)
    np.testing.assert_allclose(truth.value(places), truth.best(5))
    one_wear = RANKINGS["mean_wear"].lists((arena, arena.test, said), 0.0, 5)
    assert (truth.value(one_wear) <= truth.best(5) + 1e-12).all()
    assert truth.value(one_wear).mean() < truth.best(5).mean()


TOY = '[[data]]\nname = "a"\nprofile = "toy"\nfirst_day = 2026-01-01\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[data]]\nname = "a"\nprofil = "toy"\nfirst_day = 2026-01-01', "profile"),
        ("seeds = []", "seeds = ()"),
        ('[[data]]\nname = "a"\nprofile = "none"\nfirst_day = 2026-01-01', "'none' is not shipped"),
        (f'{TOY}[data.changes]\n"world.headroom" = ["x"]', "world.headroom[0] = 'x' must be"),
        (f'{TOY}[data.changes]\n"world.wear" = {{}}', "must be of type int or float or str or"),
    ],
)
def test_a_wrong_study_is_refused(text, words, tmp_path, capsys):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    assert main(["--out", str(tmp_path), "--study", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("study: refused: ")
    assert words in line


@pytest.mark.parametrize("name", ["full", "candidates", "unknown"])
def test_a_shipped_study_changes_what_its_profiles_have(name):
    for data in load_study(name).data:
        profile = profile_of(data, 1)
        for key, value in data.changes.items():
            section, _, field = key.partition(".")
            assert getattr(getattr(profile, section), field) == value


@pytest.mark.parametrize("key", ["world.request", "worlds.requests", "world.wear"])
def test_a_wrong_change_names_its_key(key):
    data = DataSet(name="a", profile="toy", first_day=date(2026, 1, 1), changes={key: -1})
    with pytest.raises(Refused, match=rf"changes\.{key} = -1"):
        profile_of(data, 1)


def test_the_quick_study_is_one_small_seed_of_simulated_worlds_and_stays_apart(tmp_path):
    args = build_parser().parse_args(["--out", str(tmp_path), "--quick"])
    config = narrowed(load_study("full"), args)
    assert len(config.seeds) == 1
    assert {one.name.partition("_")[0] for one in config.data} == {"jingdong", "kuaishou"}
    for one in config.data:
        assert one.train_days == 2
        assert profile_of(one, 1).world.requests == 200


def test_a_quick_study_of_logs_is_refused(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--quick", "--only", "movielens"]) == 2
    assert "--quick simulates, and movielens are logs" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_unworn_partner_comes_along(tmp_path):
    args = build_parser().parse_args(["--out", str(tmp_path), "--only", "jingdong"])
    named = [one.name for one in narrowed(load_study("full"), args).data]
    assert named == ["jingdong", "jingdong_unworn"]
