"""What a machine's environment and addresses hold of secrets is in no output, manifest or log."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DAYS
from examples_lake import ExamplesLake

from jobs import train
from jobs.cli import REFUSED, parse_lake
from jobs.errors import Refused

ROOT = Path(train.__file__).parents[1]
SECRET = "hunter2"
ENVIRONMENT = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql://ann:{SECRET}@db/airflow",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "JDBC_URL": f"jdbc:postgresql://db/logs?user=ann&password={SECRET}",
    "SPARK_AUTH_SECRET": SECRET,
}


def assert_told_nowhere(folder: Path, *printed: str) -> None:
    for text in printed:
        assert SECRET not in text
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"s3://key:{SECRET}@bucket/lake", "'s3://bucket/lake'"),
        (f"jdbc:postgresql://ann:{SECRET}@db/lake", "'jdbc:postgresql://db/lake'"),
        (f"hdfs://ann:a@{SECRET}@name/lake", "'hdfs://name/lake'"),
    ],
)
def test_an_address_as_a_lake_is_refused_without_its_password(text, shown):
    with pytest.raises(Refused) as refusal:
        parse_lake(text)
    assert f"lake {shown} is an address and no folder; mount what is there" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_step_and_its_refusal_tell_nothing_of_the_environment(
    tmp_path, profile_with, monkeypatch, capfd
):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    lake = ExamplesLake(tmp_path / "lake", profile_with())
    lake.put_examples()
    assert train.main(lake.flags()) == 0
    assert train.main(lake.flags("--processes", "0")) == REFUSED
    told = capfd.readouterr()
    assert_told_nowhere(lake.root, told.out, told.err)


def test_a_command_that_starts_spark_tells_nothing_of_the_environment(tmp_path):
    where = ["--lake", str(tmp_path / "lake"), "--date", str(DAYS[0]), "--profile", "toy"]
    printed = []
    for step in ("ingest", "build_candidates", "train"):
        done = subprocess.run(
            [sys.executable, "-m", f"jobs.{step}", *where],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        printed += [done.stdout, done.stderr]
        assert done.returncode == (REFUSED if step == "train" else 0), done.stderr
    assert_told_nowhere(tmp_path, *printed)
