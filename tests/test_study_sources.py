"""A study over files: its days are imported once, whatever the seed."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from delivered_folder import LOG, PROFILE

from jobs.study.arena import read_arena
from jobs.study.config import DataSet
from jobs.study.prepare import lake_of, prepare, profile_of

FIRST = date(2026, 1, 1)


@pytest.fixture
def delivered(tmp_path):
    """The profile of three days of files."""
    for later in range(3):
        at = int(datetime.combine(FIRST, datetime.min.time(), UTC).timestamp()) + later * 86_400
        day = LOG.set_column(2, "at", pa.array([at + n for n in (0, 0, 60, 60)]))
        pq.write_table(day, tmp_path / f"log-{FIRST + timedelta(days=later)}.parquet")
    path = tmp_path / "daily.toml"
    kind = 'kind = "files"\n'
    path.write_text(PROFILE.replace(kind, f'{kind}path = "{tmp_path}"\n'), encoding="utf-8")
    return str(path)


def test_days_of_files_are_imported_once_for_all_seeds(tmp_path, delivered, spark, capfd):
    data = DataSet(name="daily", profile=delivered, first_day=FIRST, train_days=1)
    prepare(data, 1, tmp_path)
    arena = read_arena(data, profile_of(data, 1), lake_of(data, 1, tmp_path))
    assert [len(arena.training), len(arena.test.requests)] == [2, 2]
    assert arena.test.truth is None
    capfd.readouterr()
    prepare(data, 2, tmp_path)
    said = capfd.readouterr().out.splitlines()
    assert len(said) == 13
    assert all(": unchanged: " in line for line in said)
