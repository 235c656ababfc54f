"""A pickle where somebody might open one: every command refuses it or reads past it, and runs none.

Each file that is planted leaves a canary behind wherever it is unpickled; a test of its own, or its
last lines, opens it as a careless reader would and sees the canary.
"""

import hashlib
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import torch
from examples_lake import DAY, ExamplesLake
from explained_lake import DAY as LABELLED
from explained_lake import ExplainedLake
from pyarrow.dataset import dataset
from raw_shop import shop as raw_shop
from test_bad_checkpoint import forged

from jobs import explain, label_candidates, petastorm_feed, score, train
from jobs.cli import REFUSED
from jobs.feed import FEEDS
from jobs.profile import __main__ as profile
from model.layout import WEIGHTS

METADATA = (b"dataset-toolkit.unischema.v1", b"dataset-toolkit.num_row_groups_per_file.v1")
"""Where Petastorm keeps pickles of its own."""
PLACES = ("_common_metadata", "_metadata")


class Planted:
    """A pickle that leaves a file behind wherever somebody opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        # Of the modules that Petastorm's "restricted" unpickler lets through.
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


@pytest.fixture
def canary(tmp_path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def harmful(canary) -> bytes:
    return pickle.dumps(Planted(canary))


def hidden_in(schema: pa.Schema, harmful: bytes) -> pa.Schema:
    return schema.with_metadata(dict.fromkeys(METADATA, harmful))


class HostileExamples(ExamplesLake):
    """Examples each of whose files carries the pickle in its own footer."""

    harmful = b""

    def examples(self, *about: object) -> pa.Table:
        rows = super().examples(*about)
        return rows.cast(hidden_in(rows.schema, self.harmful))


@pytest.fixture
def lake(tmp_path, harmful, profile_with) -> HostileExamples:
    made = HostileExamples(tmp_path / "lake", profile_with())
    made.harmful = harmful
    made.put_examples()
    return made


def planted_beside(lake: HostileExamples, folder: Path, name: str, harmful: bytes) -> Path:
    source = lake.partition("examples", DAY).files()[0]
    pq.write_metadata(hidden_in(pq.read_schema(source), harmful), folder / name)
    return folder / name


# --- the training feed


def test_the_canary_of_a_data_set_runs_where_nobody_looks(lake, harmful, canary):
    folder = lake.partition("examples", DAY).folder()
    planted_beside(lake, folder, PLACES[0], harmful)
    warnings.simplefilter("ignore")
    with pytest.raises(AttributeError):
        petastorm_feed.make_batch_reader(f"file://{folder}", reader_pool_type="dummy")
    assert canary.exists()


@pytest.mark.parametrize("name", PLACES)
def test_a_pickle_beside_the_examples_stops_the_training(lake, harmful, canary, capsys, name):
    planted = planted_beside(lake, lake.partition("examples", DAY).folder(), name, harmful)
    assert train.main(lake.flags()) == REFUSED
    said = capsys.readouterr().err
    assert said.startswith(f"train: refused: {planted} may hold code that reading it would run")
    assert said.count("\n") == 1
    assert not lake.registry.trained(DAY)
    assert not canary.exists()


@pytest.mark.parametrize("feed", FEEDS)
def test_pickles_in_footers_and_in_folders_above_are_read_past(lake, harmful, canary, feed):
    live = lake.partition("examples", DAY)
    assert all(pq.read_schema(path).metadata[METADATA[0]] == harmful for path in live.files())
    for folder in (live.path, live.path.parent, live.path.parent.parent, lake.root):
        for name in PLACES:
            planted_beside(lake, folder, name, harmful)
    assert train.main(lake.flags("--feed", feed)) == 0
    assert lake.registry.trained(DAY)
    assert not canary.exists()


def test_a_pickle_as_the_state_of_a_training_is_ignored(lake, harmful, canary, capsys):
    place = lake.registry.unfinished(DAY, bootstrap=False)
    place.mkdir(parents=True)
    right_name = place / f"{hashlib.sha256(harmful).hexdigest()}.safetensors"
    right_name.write_bytes(harmful)
    torch.save({"weights": Planted(canary)}, place / "state.safetensors")
    assert train.main(lake.flags()) == 0
    assert f"{right_name} is damaged (" in capsys.readouterr().out
    assert not canary.exists()
    pickle.loads(harmful)
    assert canary.exists(), "the case tests nothing"


def test_a_torch_file_runs_where_nobody_asks_for_weights_only(canary, tmp_path):
    torch.save({"weights": Planted(canary)}, tmp_path / "state.pt")
    torch.load(tmp_path / "state.pt", weights_only=False)
    assert canary.exists(), "the case before tests nothing"


# --- a model version


@pytest.mark.parametrize("how", ["pickle", "torch"])
@pytest.mark.parametrize("step", [score, explain, label_candidates])
def test_a_pickle_as_weights_is_refused(tmp_path, harmful, canary, capsys, request, step, how):
    shop = ExplainedLake(tmp_path)
    shop.label()

    def plant(folder: Path) -> None:
        if how == "pickle":
            (folder / WEIGHTS).write_bytes(harmful)
        else:
            torch.save({"weights": Planted(canary)}, folder / WEIGHTS)

    folder = forged(shop, plant)
    shop.promotion(LABELLED, folder.name)
    if step is label_candidates:
        request.getfixturevalue("spark")
    flags = ["--lake", str(shop.root), "--profile", str(shop.toml), "--date", str(LABELLED)]
    if step is explain:
        labelled_by = next((shop.root / "teacher_labels" / f"dt={LABELLED}").iterdir()).name
        flags += ["--request", "r1", "--teacher", labelled_by.partition("=")[2]]
    assert step.main(flags) == REFUSED
    said = capsys.readouterr().err
    assert said.startswith(f"{step.STEP}: refused: {folder} cannot be loaded (")
    assert said.count("\n") == 1
    assert not canary.exists()


# --- raw files


def hostile_type(harmful: bytes) -> pa.Field:
    """A column whose type, as Arrow once read it, is made by a pickle (CVE-2023-47248)."""
    names = {b"ARROW:extension:name": b"arrow.py_extension_type"}
    return pa.field("sku", pa.string(), metadata=names | {b"ARROW:extension:metadata": harmful})


@pytest.fixture(params=["parquet", "feather"])
def raw(request, tmp_path, harmful) -> tuple[Callable[[], str], Path]:
    """The raw shop, its items in a file of the hostile type; and that file."""
    made = raw_shop(tmp_path)
    fields = [hostile_type(harmful), pa.field("colour", pa.string())]
    rows = pa.table([["a", "b"], ["red", "blue"]], schema=pa.schema(fields))
    path = made.source / f"items.{request.param}"
    with path.open("wb") as out:
        if request.param == "parquet":
            pq.write_table(rows, out)
        else:
            feather.write_feather(rows, out, compression="uncompressed")
    (made.source / "items.tsv").unlink()
    toml = Path(made.profile)
    text = toml.read_text().replace("items.tsv", path.name)
    toml.write_text(text.replace("[source]", f"[source]\npath = '{made.source}'"))
    return made, path


@pytest.mark.filterwarnings("ignore:pickle-based deserialization", "ignore:pyarrow.PyExtension")
def test_a_column_type_that_is_a_pickle_is_not_opened(raw, harmful, canary, spark):
    made, path = raw
    assert made.run("2026-01-31") == 0
    assert {row["colour"] for row in made.rows("request_logs", "2026-01-31")} > {"red", "blue"}
    assert profile.main(["--check", made.profile]) == 0
    assert profile.main(["--sample", str(path), "--out", str(canary.with_name("my.toml"))]) == 0
    assert not canary.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pa.PyExtensionType.set_auto_load(True)
        try:
            dataset(path, format=path.suffix[1:]).to_table()
        except Exception:
            pass
        finally:
            pa.PyExtensionType.set_auto_load(False)
    assert canary.exists(), "the case tests nothing"
