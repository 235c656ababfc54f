"""A model that cannot be used, or labels of another one: one line, and nothing is published."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from explained_lake import DAY, DAYS, ExplainedLake
from test_checkpoint import Malicious

from jobs import build_examples, score
from jobs.cli import REFUSED
from jobs.publish import Publication
from jobs.registry import Registry
from model.checkpoint import version_of
from model.layout import CONFIG, WEIGHTS


@pytest.fixture
def shop(tmp_path) -> ExplainedLake:
    return ExplainedLake(tmp_path)


@pytest.fixture
def refused(shop, capsys) -> Callable[[], str]:
    """Score the day with the newest model; return the one line, once nothing was published."""

    def message() -> str:
        flags = ["--lake", str(shop.root), "--profile", str(shop.toml), "--date", str(DAY)]
        assert score.main(flags) == REFUSED
        assert shop.lake.partition("rankings", DAY).manifest() is None
        said = capsys.readouterr().err
        assert said.startswith("score: refused: ")
        assert said.count("\n") == 1
        return said

    return message


def forged(shop: ExplainedLake, change: Callable[[Path], object]) -> Path:
    """Publish a changed copy of the newest model under the version of its content."""
    registry = Registry(shop.lake)
    with registry.attempt() as attempt:
        shutil.copytree(registry.folder(shop.newest), attempt)
        change(attempt)
        version = version_of(attempt)
        made = {"step": "train", "inputs": {}, "counts": {}, "parameters": {"kind": "cdm"}}
        with registry.hold(DAYS[0], "train", bootstrap=False) as lease:
            registry.publish(attempt, version, DAYS[0], lease, bootstrap=False, **made)
    return registry.folder(version)


def test_the_model_as_it_is_scores(shop):
    flags = ["--lake", str(shop.root), "--profile", str(shop.toml), "--date", str(DAY)]
    assert score.main(flags) == 0
    assert shop.lake.partition("rankings", DAY).manifest()


def test_a_corrupt_one(shop, refused):
    path = Registry(shop.lake).folder(shop.newest) / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert f"{path.parent} is damaged: its files are not those of its version" in refused()


def test_a_pickle_that_gives_itself_out_as_one(shop, refused, tmp_path):
    canary = tmp_path / "canary"
    harmful = pickle.dumps(Malicious(canary))
    folder = forged(shop, lambda new: (new / WEIGHTS).write_bytes(harmful))
    assert f"{folder} cannot be loaded (" in refused()
    assert not canary.exists()
    pickle.loads(harmful)
    assert canary.exists(), "the case tests nothing"


def test_one_of_another_profile(shop, refused):
    folder = Registry(shop.lake).folder(shop.newest)
    shop.toml.write_text(shop.toml.read_text().replace('context = ["query"]', "context = []"))
    shop.sets(DAY, ["r1", "r2"])
    said = refused()
    assert f"{folder} was trained on the fields ('user_id', 'query', 'item_id', 'category')" in said
    assert "train again under this profile" in said


def test_one_of_another_vocabulary(shop, refused):
    other = pa.table({"token": pa.array(["one", "more", "query"])})
    folder = forged(shop, lambda new: pq.write_table(other, new / "vocabulary" / "query.parquet"))
    assert (
        f"{folder} has a vocabulary of another model: 5 of query, where the weights have 3; "
        "train that day again with --force"
    ) in refused()


def test_one_of_other_dense_features(shop, refused):
    folder = Registry(shop.lake).folder(shop.newest)
    text = shop.toml.read_text().replace(
        'item = ["category"]', 'item = ["category"]\ndense = ["score"]'
    )
    shop.toml.write_text(text)
    assert (
        f"{folder} was trained on 0 dense features, and the profile has 1 ('score',)" in refused()
    )


def test_one_without_a_configuration(shop, refused):
    folder = forged(shop, lambda new: (new / CONFIG).write_text("{}"))
    assert f"{folder} cannot be loaded (" in refused()


def test_labels_of_another_model_are_not_learned_from(shop, capsys):
    """As where a folder of labels was copied under another teacher_id."""
    labels = shop.lake.partition("teacher_labels", DAY, teacher_id=shop.label())
    other = Publication(labels, step="by hand", inputs={"model": "ba9876543210"}, parameters={})
    other.publish_rows([labels.read()], {})
    flags = ["--lake", str(shop.root), "--profile", str(shop.toml), "--date", str(DAY)]
    assert build_examples.main(flags) == REFUSED
    assert not list((shop.root / "examples").rglob("*"))
    said = capsys.readouterr().err
    assert said.startswith(f"build_examples: refused: {labels.name} is of model ba9876543210, and ")
    assert f"model {shop.base} is promoted on {DAY}; label the day again: " in said
    assert said.count("\n") == 1
