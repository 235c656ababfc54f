"""One Spark session, one lake of the toy world, and the goldens with the flag that renews them."""

import logging
import os

# Before anything imports torch: on tensors this small threads only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings
from pyspark.sql import SparkSession
from stand_in_python import ROOT, StandIn, loaded

from jobs import line
from jobs.lake import Lake, Partition
from jobs.manifest import Manifest
from jobs.profile.load import load_profile
from jobs.publish import Publication
from jobs.registry import Registry
from jobs.spark_session import spark_session
from jobs.teacher import teacher_id

GOLDEN = Path(__file__).parent / "golden"
DAYS = tuple(date(2026, 1, n) for n in (1, 2, 3))

LONGEST = (
    "test_readme",
    "test_train_processes",
    "test_killed",
    "test_cluster",
    "test_study",
    "test_browser_airflow",
)
"""Files that take minutes: they begin first, so that at the end no worker waits for another."""

# At the end py4j says that it closes, to a stream that pytest has closed before.
logging.getLogger("py4j").setLevel(logging.WARNING)

# A shared machine may be slow; no test of ours is about speed.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regolden", action="store_true", help="rewrite tests/golden/; read the diff")
    told = "in test_browser_airflow run the toy profile's own steps, which takes minutes"
    parser.addoption("--real-week", action="store_true", help=told)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/<name>, or with --regolden put it there and say so."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        known = path.read_text(encoding="utf-8") if path.exists() else None
        if text != known and request.config.getoption("--regolden"):
            path.write_text(text, encoding="utf-8")
            pytest.skip(f"rewrote tests/golden/{name}: read the difference before you keep it")
        assert text == known, f"not tests/golden/{name}; if this is meant: pytest --regolden"

    return compare


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session that every Spark step called in this process shares."""
    with spark_session("tests", "local[2]") as session:
        yield session


class World:
    """A lake, the profile that its steps are run under, and its rows."""

    def __init__(self, root: Path, profile: str | Path = "toy") -> None:
        self.root, self.profile_name = root, str(profile)
        self.profile = load_profile(self.profile_name)
        self.lake = Lake(root, self.profile.tables)
        self.registry = Registry(self.lake)

    def run(self, step: str, day: date, *flags: str) -> int:
        """Run a step as the command does; return its exit code."""
        where = ["--lake", str(self.root), "--profile", self.profile_name]
        return line.step_module(step).main([*where, "--date", day.isoformat(), *flags])

    def partition(self, table: str, day: date) -> Partition:
        """The day's partition; of labels and examples the one that the profile's teacher makes."""
        keys = {}
        if "teacher_id" in self.lake.tables[table].partition:
            version = self.registry.promoted(day)
            keys["teacher_id"] = teacher_id(self.profile.teacher, self.profile.policy, version)
        return self.lake.partition(table, day, **keys)

    def rows(self, table: str, day: date) -> list[dict]:
        return self.partition(table, day).read().to_pylist()

    def partition_rows(self, table: str, day: date) -> int:
        """How many rows the day's partition says it holds."""
        return self.partition(table, day).manifest().rows

    def publish(self, partition: Partition, rows: list[dict] | pa.Table) -> Manifest:
        """Put rows made by hand where a step would have put its own."""
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        return Publication(partition, step="by hand", inputs={}, parameters={}).publish_rows(
            [table], {}
        )

    def trained(self, day: date) -> str:
        """The version of the model trained on a day."""
        return self.registry.trained(day).parameters["version"]

    def copy(self, root: Path, profile: str | Path | None = None) -> "World":
        """The same lake elsewhere, to be changed."""
        shutil.copytree(self.root, root)
        return World(root, profile or self.profile_name)

    def manifests(self) -> dict[str, Manifest]:
        """Everything published, by its folder."""
        pointers = [path.parent for path in self.root.rglob("_manifest.json")]
        return {str(p.relative_to(self.root)): Manifest.read(p) for p in sorted(pointers)}

    def files(self) -> dict[str, bytes]:
        """Every file of the lake but the reports."""
        every = (path for path in self.root.rglob("*") if path.is_file())
        found = {str(path.relative_to(self.root)): path.read_bytes() for path in every}
        return {name: text for name, text in found.items() if not name.startswith("reports/")}


@pytest.fixture(scope="session")
def toy(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three days of the toy world through the whole line. Never change it: copy it."""
    world = World(tmp_path_factory.mktemp("toy") / "lake")
    flags = ["--lake", str(world.root), "--profile", "toy", "--date", DAYS[0].isoformat()]
    assert line.main([*flags, "--days", str(len(DAYS))]) == 0
    return world


@pytest.fixture(scope="session")
def profile_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the toy profile with some lines replaced; return its file."""
    shipped = Path(line.__file__).with_name("profiles") / "toy.toml"

    def write(**changed: str) -> Path:
        text = shipped.read_text(encoding="utf-8").splitlines()
        for key, value in changed.items():
            at = [i for i, words in enumerate(text) if words.split(" = ")[0] == key]
            assert len(at) == 1, f"toy.toml has {len(at)} lines about {key}"
            text[at[0]] = f"{key} = {value}"
        path = tmp_path_factory.mktemp("profile") / "changed.toml"
        path.write_text("\n".join(text) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder of raw files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


# --- the DAGs


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Airflow, which reads its settings once, keeps its database."""
    assert "airflow" not in sys.modules, "it has read its settings: the user's own, not these"
    return tmp_path_factory.mktemp("airflow")


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """The interpreter that the DAGs call instead of Python."""
    return StandIn(tmp_path_factory.mktemp("stand in"))


@pytest.fixture(scope="module")
def bag(airflow_home: Path, stand_in: StandIn) -> Iterator[object]:
    """The DAGs as Airflow loads them, with a database of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(airflow_home))
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(ROOT / "dags"))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("CDM_PYTHON", str(stand_in.path))
        patch.setenv("CDM_LAKE", "/lake/of/the/worker")
        patch.setenv("CDM_PROFILE", "kuaishou")
        patch.delenv("CDM_ON_FAILURE", raising=False)
        from airflow.utils.db import initdb

        if not (airflow_home / "airflow.db").exists():
            initdb()
        yield loaded()
