"""Publication is whole or not at all, and damage is named."""

import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.audit import audit_file, audit_whole
from jobs.errors import Refused
from jobs.lake import Lake, Partition, parse_day
from jobs.manifest import FILE_NAME
from jobs.parquet_file import write_parquet
from jobs.publish import Publication
from schemas.table import Column, Fields, Table
from schemas.tables import declare

DAY = parse_day("2026-01-31")

TABLE = Table(
    name="numbers",
    row="one number",
    key=("number",),
    columns=(
        Column(name="number", kind="int64", meaning="The number."),
        Column(name="version", kind="int64", meaning="Who wrote it."),
        Column(name="parts", kind="int32", meaning="Any.", nullable=True, shape=(None,)),
    ),
)


def numbers(version: int, count: int = 5) -> pa.Table:
    return pa.table(
        {
            "number": list(range(count)),
            "version": [version] * count,
            "parts": pa.array([[n, None] for n in range(count)], pa.list_(pa.int32())),
        }
    )


@pytest.fixture
def partition(tmp_path: Path) -> Partition:
    return Lake(tmp_path, {"numbers": TABLE}).partition("numbers", DAY)


def publication(partition: Partition, version: int = 1) -> Publication:
    return Publication(
        partition, step="count", inputs={"raw": "aa"}, parameters={"version": version}
    )


def test_files_row_groups_and_compression_do_not_change_the_digest(tmp_path):
    rows = numbers(1, 100)
    write_parquet(tmp_path / "one.parquet", TABLE, [rows])
    pieces = [tmp_path / f"part-{n}.parquet" for n in range(3)]
    shuffled = rows.take([(37 * n) % 100 for n in range(100)])
    for n, path in enumerate(pieces):
        part = shuffled.slice(34 * n, 34)
        pq.write_table(part, path, row_group_size=7, compression="snappy")

    def digest(*files):
        return audit_whole([audit_file(file, TABLE, "here") for file in files], TABLE, "here")

    one, three = digest(tmp_path / "one.parquet"), digest(*pieces[::-1])
    assert (one.rows, one.hexdigest()) == (three.rows, three.hexdigest())


def test_a_partition_without_rows_is_read_as_a_table_without(tmp_path):
    table = replace(TABLE, may_be_empty=True)
    partition = Lake(tmp_path, {table.name: table}).partition(table.name, DAY)
    publication(partition).publish_rows([], {})
    assert partition.read(["version"]).schema == pa.schema([("version", pa.int64(), False)])
    assert partition.read().column_names == list(table.names)
    assert partition.read().num_rows == 0


def test_what_is_published_is_what_is_read(partition):
    assert partition.manifest() is None
    made = publication(partition).publish_rows([numbers(1)], {"seen": 5})
    assert partition.read().equals(numbers(1).cast(partition.read().schema))
    assert partition.read(["version"]).column_names == ["version"]
    live = partition.manifest()
    assert live == made
    assert (live.rows, live.counts, live.inputs) == (5, {"seen": 5}, {"raw": "aa"})
    assert [path.parent.name for path in partition.files()] == [live.folder]
    assert partition.name == "numbers/dt=2026-01-31"


def test_a_rerun_is_current_until_inputs_parameters_or_files_change(partition):
    publication(partition).publish_rows([numbers(1)], {})
    assert publication(partition).is_current()
    assert not publication(partition, version=2).is_current()
    other = Publication(partition, step="count", inputs={"raw": "ab"}, parameters={"version": 1})
    assert not other.is_current()
    partition.files()[0].unlink()
    assert not publication(partition).is_current()


def test_a_second_version_replaces_the_first_under_the_feet_of_nobody(partition):
    publication(partition, 1).publish_rows([numbers(1)], {})
    first_digest, held = partition.manifest().digest, partition.files()
    publication(partition, 2).publish_rows([numbers(2)], {})
    assert set(partition.read()["version"].to_pylist()) == {2}
    assert partition.manifest().digest != first_digest
    assert set(pq.read_table(held[0])["version"].to_pylist()) == {1}
    publication(partition, 1).publish_rows([numbers(1)], {})
    assert partition.manifest().digest == first_digest


def test_what_a_killed_step_leaves_behind_is_invisible(partition):
    leftover = partition.path / "v=0123456789ab"
    leftover.mkdir(parents=True)
    (leftover / "part-0.parquet").write_bytes(b"PAR1 half of a")
    (partition.path / f".{FILE_NAME}.4711").write_text('{"table": "num')
    assert partition.manifest() is None
    with pytest.raises(Refused, match=re.escape("numbers/dt=2026-01-31 is not in")):
        partition.read()
    publication(partition).publish_rows([numbers(1)], {})
    assert partition.read().num_rows == 5
    assert publication(partition).is_current()


def test_a_step_that_fails_half_way_leaves_nothing(partition):
    def batches():
        yield numbers(1)
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        publication(partition).publish_rows(batches(), {})
    assert not partition.path.exists()
    publication(partition, 1).publish_rows([numbers(1)], {})
    before = sorted(partition.path.rglob("*"))
    with pytest.raises(ValueError, match="the disk is full"):
        publication(partition, 2).publish_rows(batches(), {})
    assert sorted(partition.path.rglob("*")) == before
    assert set(partition.read()["version"].to_pylist()) == {1}


def test_a_pointer_that_cannot_be_renamed_leaves_the_old_one(partition, monkeypatch):
    publication(partition, 1).publish_rows([numbers(1)], {})

    def replace(self, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(OSError, match="No space left"):
            publication(partition, 2).publish_rows([numbers(2)], {})
    assert set(partition.read()["version"].to_pylist()) == {1}
    assert len(list(partition.path.glob("v=*"))) == 1


def test_another_number_of_rows_than_the_step_says_is_never_published(partition):
    output = publication(partition)
    with output.attempt() as folder:
        write_parquet(folder / "part-0.parquet", TABLE, [numbers(1)])
        with pytest.raises(RuntimeError, match="wrote 5 rows, expected 6"):
            output.publish(folder, {}, rows=6)
    assert partition.manifest() is None


def test_a_reader_sees_one_whole_version_while_others_are_published(partition):
    publication(partition, 0).publish_rows([numbers(0)], {})
    seen, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(tuple(partition.read()["version"].to_pylist()))

    reader = threading.Thread(target=read)
    reader.start()
    for version in range(1, 15):
        publication(partition, version).publish_rows([numbers(version, 5 + version)], {})
    stop.set()
    reader.join()
    assert set(seen) <= {(version,) * (5 + version) for version in range(15)}
    assert seen


# --- damage


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "is damaged: its checksum is not"),
        (lambda path: path.write_bytes(b""), "is damaged: its checksum is not the one that count"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:40] + b"?" + path.read_bytes()[41:]),
            "is damaged: its checksum is not",
        ),
        (lambda path: pq.write_table(numbers(9), path), "is damaged: its checksum is not"),
        (lambda path: path.unlink(), "cannot be read (No such file or directory)"),
    ],
    ids=["truncated", "emptied", "one byte", "rewritten", "removed"],
)
def test_a_live_file_that_was_touched_is_refused_by_name(partition, spoil, words):
    publication(partition).publish_rows([numbers(1)], {})
    path = partition.files()[0]
    spoil(path)
    with pytest.raises(Refused) as refusal:
        partition.read()
    assert str(refusal.value).startswith(f"{path} {words}")
    assert "make it again with python -m jobs.count ... --force" in str(refusal.value)
    assert not publication(partition).is_current()
    publication(partition).publish_rows([numbers(1)], {})
    assert partition.read().num_rows == 5


def without(key: str):
    def spoil(text: str) -> str:
        return json.dumps({k: v for k, v in json.loads(text).items() if k != key})

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "null",
        without("folder"),
        without("files"),
        lambda text: text.replace('"sha256"', '"md5"'),
    ],
    ids=["half", "empty", "a list", "null", "no folder", "no files", "other keys"],
)
def test_a_damaged_manifest_is_refused_by_name_and_mended_by_a_rerun(partition, spoil):
    publication(partition).publish_rows([numbers(1)], {})
    path = partition.path / FILE_NAME
    path.write_text(spoil(path.read_text()))
    with pytest.raises(Refused, match=re.escape(f"{path} is damaged (")) as refusal:
        partition.read()
    assert str(refusal.value).endswith("rerun the step that makes it with --force")
    assert not publication(partition).is_current()
    publication(partition).publish_rows([numbers(1)], {})
    assert partition.read().num_rows == 5


def test_a_partition_that_is_not_there_names_the_command_that_makes_it(partition, tmp_path):
    words = f"make it first: python -m jobs.ingest --lake {tmp_path} --date 2026-01-31"
    with pytest.raises(Refused, match=re.escape(words)):
        partition.require("ingest")


def test_a_row_is_found_in_any_file_and_row_group(partition):
    output, rows = publication(partition), numbers(1, 10)
    with output.attempt() as folder:
        for name, start in (("a", 0), ("b", 5)):
            pq.write_table(rows.slice(start, 5), folder / f"{name}.parquet", row_group_size=2)
        output.publish(folder, {}, rows=10)
    for number in (0, 3, 9):
        found = partition.row("number", number).to_pylist()
        assert found == [{"number": number, "version": 1, "parts": [number, None]}]
    assert partition.row("number", 10) is None


def test_days_are_those_with_a_live_partition(tmp_path):
    lake = Lake(tmp_path, {"numbers": TABLE})
    days = [parse_day(f"2026-01-{n:02}") for n in (28, 29, 31)]
    for day in days:
        publication(lake.partition("numbers", day)).publish_rows([numbers(1)], {})
    (lake.partition("numbers", parse_day("2026-01-30")).path / "v=1").mkdir(parents=True)
    assert lake.days("numbers", DAY, 3) == days[1:]
    assert lake.days("numbers", DAY, 1) == days[2:]


def test_every_table_has_its_own_place(tmp_path):
    lake = Lake(tmp_path, declare(Fields(), 8))
    labels = lake.partition("teacher_labels", DAY, teacher_id="a1")
    assert labels.name == "teacher_labels/dt=2026-01-31/teacher_id=a1"
    assert labels.path.is_relative_to(tmp_path)
