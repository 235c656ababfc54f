"""The same sets, labels and rankings on one machine, on a local cluster and on a real one.

The real one is a standalone master with two workers of the pip package, to which spark-submit ships
the code in an archive.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from conftest import DAYS, World

from jobs.java import java_home

ROOT = Path(__file__).resolve().parents[1]
SPARK_HOME = Path(pyspark.__file__).parent
SECONDS = 120
STEPS = {
    "build_candidates": "candidate_sets",
    "label_candidates": "teacher_labels",
    "score --engine spark": "rankings",
}
"""Steps that run in Spark, and the table that each one makes."""


def environment() -> dict[str, str]:
    """What Spark's own commands need to know."""
    own = {"SPARK_HOME": str(SPARK_HOME), "PYSPARK_PYTHON": sys.executable}
    own |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1"}
    if home := java_home():
        own["JAVA_HOME"] = str(home)
    return os.environ | own


def started(log: Path, what: str, *flags: str) -> subprocess.Popen:
    """Start one of Spark's daemons in the foreground."""
    command = [SPARK_HOME / "bin" / "spark-class", f"org.apache.spark.deploy.{what}", *flags]
    with log.open("w") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=environment(), cwd=log.parent)


def awaited(log: Path, pattern: str) -> re.Match:
    """Wait until a log says what it should."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if found := re.search(pattern, log.read_text()):
            return found
        time.sleep(0.2)
    raise AssertionError(f"{log} never said {pattern!r}:\n{log.read_text()}")


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Iterator[str]:
    """A standalone master with two workers of one core each."""
    folder = tmp_path_factory.mktemp("standalone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    flags = ["--host", "127.0.0.1", "--webui-port", "0"]
    running = [started(folder / "master.log", "master.Master", "--port", port, *flags)]
    try:
        url = awaited(folder / "master.log", r"Starting Spark master at (\S+)")[1]
        for name in ("one", "two"):
            size = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / name)]
            running.append(started(folder / f"{name}.log", "worker.Worker", *flags, *size, url))
        for name in ("one", "two"):
            awaited(folder / f"{name}.log", "Successfully registered with master")
        yield url
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(SECONDS)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """The code as `git archive` packs it."""
    path = tmp_path_factory.mktemp("code") / "cdm.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for package in ("jobs", "model", "schemas"):
            for file in sorted((ROOT / package).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    packed.write(file, file.relative_to(ROOT))
    return path


def digests(world: World) -> list[str]:
    return [partition.manifest().digest for partition in partitions(world)]


def run(command: list[object], world: World, folder: Path) -> str:
    """Run the Spark steps of a day again; return what they printed."""
    said = ""
    for step, *own in map(str.split, STEPS):
        where = ["--lake", world.root, "--profile", "toy", "--date", DAYS[1], "--force", *own]
        done = subprocess.run(
            [str(part).format(step=step) for part in [*command, *where]],
            capture_output=True,
            text=True,
            env=environment(),
            cwd=folder,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    return said


def test_a_local_cluster_makes_the_same(toy, tmp_path):
    world = toy.copy(tmp_path / "lake")
    before = {partition.path: partition.manifest().folder for partition in partitions(world)}
    master = ["--master", "local-cluster[2,1,1024]"]
    run([sys.executable, "-m", "jobs.{step}", *master], world, tmp_path)
    assert digests(world) == digests(toy)
    assert all(p.manifest().folder != before[p.path] for p in partitions(world))


def partitions(world: World) -> list:
    return [world.partition(table, DAYS[1]) for table in STEPS.values()]


def test_a_standalone_cluster_makes_the_same_with_the_code_that_is_shipped(
    toy, tmp_path, master, archive
):
    world = toy.copy(tmp_path / "lake")
    shutil.copy(ROOT / "jobs" / "submit.py", tmp_path / "submit.py")
    submit = [SPARK_HOME / "bin" / "spark-submit", "--master", master, "--py-files", archive]
    run([*submit, "submit.py", "{step}"], world, tmp_path)
    assert digests(world) == digests(toy)


def test_the_archive_is_what_runs_there(tmp_path, master, archive):
    """Both executors take the code from the archive, not from where it is installed."""
    script = tmp_path / "where.py"
    script.write_text(
        "from jobs.spark_session import spark_session\n"
        "def where(_):\n"
        "    import jobs\n"
        "    yield jobs.__file__\n"
        "with spark_session('where', None) as spark:\n"
        "    found = spark.sparkContext.parallelize(range(8), 8).mapPartitions(where).collect()\n"
        "    print(spark.sparkContext.master, sorted(set(found)))\n"
    )
    submit = [SPARK_HOME / "bin" / "spark-submit", "--master", master, "--py-files", archive]
    done = subprocess.run(
        [*map(str, submit), str(script)],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert master in done.stdout
    assert re.search(r"\['[^']*cdm\.zip/jobs/__init__\.py'(, '[^']*cdm\.zip[^']*')*\]", done.stdout)
