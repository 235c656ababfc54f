"""Files that tasks write by themselves: one a task stays, whatever Spark ran twice or refused."""

import time
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors import PySparkException

from jobs import spark_tasks
from jobs.audit import audit_whole
from jobs.errors import Refused
from jobs.spark_tasks import TaskOutput, mapped, run_tasks, told_progress
from schemas.table import Column, Table

TABLE = Table(
    name="numbers",
    row="one number",
    key=("n",),
    columns=(Column("n", "int64", "A number.", low=0),),
)


@pytest.fixture
def output(tmp_path):
    """Two places for files, as two teachers have."""

    def of(name: str) -> TaskOutput:
        (tmp_path / name).mkdir()
        return TaskOutput(tmp_path / name, TABLE, f"numbers/of={name}")

    return of


def writes(outputs: list[TaskOutput], runs: int = 1, first: int = 0):
    """Return a task that writes ten numbers to each output, and dies in all runs but the last."""

    def work(batches):
        for batch in batches:
            for task in batch["id"].to_pylist():
                for output in outputs:
                    for run in range(runs):
                        with output.open(task) as writer:
                            numbers = pa.array(range(first + 10 * task, first + 10 * task + 10))
                            writer.write(pa.table({"n": numbers}))
                            if run < runs - 1:
                                # Closed or not, nobody is told of it.
                                continue
                    yield output.told(task, writer.path, {"task": task})

    return work


def numbers(output: TaskOutput) -> list[int]:
    """Return what all files of an output hold."""
    paths = sorted(output.folder.glob("*.parquet"))
    return sorted(pa.concat_tables([pq.read_table(path) for path in paths])["n"].to_pylist())


def run(spark, tasks: int, work, outputs: list[TaskOutput]):
    return run_tasks(spark.range(0, tasks, 1, tasks), work, outputs, print)


def test_a_reused_worker_lists_no_archive_and_its_collector_skips_what_is_loaded(spark):
    """At the start of a task, before it imports a thing; each worker's first task is another."""

    def look(batches):
        import gc
        import os
        import sys

        finders = [type(finder).__name__ for finder in sys.path_importer_cache.values()]
        for _ in batches:
            row = {"worker": os.getpid(), "archives": finders.count("zipimporter")}
            yield pa.RecordBatch.from_pylist([row | {"frozen": gc.get_freeze_count()}])

    schema = pa.schema({"worker": pa.int64(), "archives": pa.int64(), "frozen": pa.int64()}.items())
    seen = {}
    for row in mapped(spark.range(0, 12, 1, 12), look, schema).toArrow().to_pylist():
        seen.setdefault(row["worker"], []).append(row)
    later = [row for rows in seen.values() for row in rows[1:]]
    assert len(later) >= 12 - 2
    assert all(row["archives"] == 0 and row["frozen"] > 10_000 for row in later)


def test_each_output_gets_the_files_of_its_tasks_audited_and_numbered(spark, output):
    outputs = [output("one"), output("two")]
    found = run(spark, 3, writes(outputs), outputs)
    for where, written in zip(outputs, found, strict=True):
        names = [f"part-{n}.parquet" for n in range(3)]
        assert [audit.path for audit in written.audits] == [where.folder / n for n in names]
        assert sorted(path.name for path in where.folder.iterdir()) == names
        assert [facts["task"] for facts in written.facts] == [0, 1, 2]
        assert numbers(where) == list(range(30))
        # The n-th file is the n-th task's, whichever ended first.
        assert pq.read_table(where.folder / "part-2.parquet")["n"][0].as_py() == 20
        assert audit_whole(written.audits, TABLE, where.name).rows == 30
    digests = [[a.digest.hexdigest() for a in written.audits] for written in found]
    assert digests[0] == digests[1]


def test_of_a_task_that_ran_twice_one_file_is_left(spark, output):
    where = output("one")
    # What an earlier run of task 1 left when its executor was lost: no parquet file even.
    (where.folder / "task-1-0123456789ab.parquet").write_bytes(b"PAR1")
    (written,) = run(spark, 3, writes([where], runs=2), [where])
    assert len(written.audits) == 3
    assert sorted(path.name for path in where.folder.iterdir()) == [
        f"part-{n}.parquet" for n in range(3)
    ]
    assert numbers(where) == list(range(30))


def test_two_runs_of_a_task_at_once_write_two_files(output):
    where = output("one")
    with where.open(1) as one, where.open(1) as two:
        assert one.path != two.path
        one.write(pa.table({"n": [1]}))
        two.write(pa.table({"n": [1]}))
    assert [pq.read_table(each.path).num_rows for each in (one, two)] == [1, 1]


def test_rows_that_two_tasks_both_wrote_are_found(spark, output):
    where = output("one")

    def same(batches):
        for batch in batches:
            for task in batch["id"].to_pylist():
                with where.open(task) as writer:
                    writer.write(pa.table({"n": [4]}))
                yield where.told(task, writer.path)

    (written,) = run(spark, 2, same, [where])
    with pytest.raises(Refused, match="2 rows have n 4; a numbers row is one number"):
        audit_whole(written.audits, TABLE, where.name)


def test_a_task_that_refuses_gives_one_line(spark, output):
    where = output("one")

    def refuse(batches):
        for _ in batches:
            raise Refused("item 'x' is a candidate: it has no vector\nand more")
        yield

    with pytest.raises(Refused) as refused:
        run(spark, 2, refuse, [where])
    assert str(refused.value) == "item 'x' is a candidate: it has no vector"


def test_what_the_table_forbids_is_refused_where_it_was_written(spark, output):
    where = output("one")
    with pytest.raises(Refused) as refused:
        run(spark, 1, writes([where], first=-3), [where])
    assert str(refused.value) == (
        "numbers/of=one: n = -3 is below 0 at n -3; allowed: int64 from 0. Mend or remove that row"
    )


def test_what_is_no_refusal_stays_what_it_is(spark, output):
    def fail(batches):
        for _ in batches:
            raise ZeroDivisionError("of its own")
        yield

    with pytest.raises(PySparkException, match="ZeroDivisionError: of its own"):
        run(spark, 1, fail, [output("one")])


def test_progress_is_told_by_tenths_and_only_of_stages_of_many_tasks(monkeypatch):
    monkeypatch.setattr(spark_tasks, "LOOK_SECONDS", 0.001)
    looks = iter([0, 3, 3, 4, 39, 40])
    done = SimpleNamespace(n=0)

    class Tracker:
        def getActiveStageIds(self):
            done.n = next(looks, 40)
            return [1, 2, 3]

        def getStageInfo(self, stage):
            tasks, completed = {1: (40, done.n), 2: (9, 8), 3: (0, 0)}[stage]
            if stage == 3:
                return None
            return SimpleNamespace(numTasks=tasks, numCompletedTasks=completed)

    spark = SimpleNamespace(sparkContext=SimpleNamespace(statusTracker=Tracker))
    said = []
    with told_progress(spark, said.append):
        until = time.monotonic() + 20
        while done.n < 40 or len(said) < 3:
            assert time.monotonic() < until
            time.sleep(0.001)
    assert [words.partition(" tasks done, about ")[0] for words in said] == [
        "4 of 40", "39 of 40", "40 of 40"
    ]  # fmt: skip
    assert said[-1].endswith(", about 0 s left")
