"""One Spark session, the same on a laptop and on a cluster, with its settings chosen on purpose."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from jobs.java import java_home
from jobs.lake import Partition
from schemas.spark import spark_schema
from schemas.table import Table

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # A string partition or id must never turn into a date or a number on its own.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # A record may be a log row of a hundred bytes or a request of ten thousand.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16384",
    "spark.sql.execution.arrow.maxBytesPerBatch": "8m",
    "spark.sql.shuffle.partitions": "64",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
LOCAL_SETTINGS = {
    # On one machine nothing has to be reached from outside.
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    # A step on one machine is seconds of JVM work: the second compiler and the parallel collector
    # cost more than they save (a first write took 9 s of CPU with these, 21 to 27 without).
    # A heap that is not told to begin small takes a 64th of the machine's memory at once.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms64m "
    f"-Dlog4j2.configurationFile={LOG_SETTINGS.as_uri()}",
    "spark.sql.shuffle.partitions": "8",
}


def is_submitted() -> bool:
    """Whether spark-submit runs this process."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


@contextmanager
def spark_session(step: str, master: str | None) -> Iterator[SparkSession]:
    """Give a session; stop it at the end unless it was running before."""
    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    settings = SETTINGS
    if is_submitted():
        # spark-submit has started Spark's driver and knows its Java, its Python and its master.
        if master is not None:
            settings = settings | {"spark.master": master}
    else:
        master = master or "local[*]"
        home = java_home()
        if home is not None:
            os.environ["JAVA_HOME"] = str(home)
        os.environ["PYSPARK_PYTHON"] = sys.executable
        local = LOCAL_SETTINGS if master.startswith("local") else {}
        settings = settings | {"spark.master": master} | local
    builder = SparkSession.builder.appName(step)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def read_partition(spark: SparkSession, partition: Partition) -> DataFrame:
    """Return the live rows; only files that the manifest names, compared with their checksums."""
    paths = [str(path) for path in partition.files()]
    return spark.read.schema(spark_schema(partition.table)).parquet(*paths)


def write_version(frame: DataFrame, table: Table, folder: Path) -> None:
    """Write the frame's columns of the table into a fresh version folder as part-<n>.parquet."""
    write_files(frame.select(*table.names), folder, {"part": "*.parquet"})


def write_files(
    frame: DataFrame, folder: Path, names: dict[str, str], by: tuple[str, ...] = ()
) -> None:
    """Write a frame, partitioned by some columns, and give its files short names.

    `names` maps a prefix to the pattern, below Spark's output, of the files that get it.
    """
    staged = folder / "spark"
    frame.write.partitionBy(*by).parquet(str(staged))
    for prefix, pattern in names.items():
        for number, path in enumerate(sorted(staged.glob(pattern))):
            path.rename(folder / f"{prefix}-{number}.parquet")
    shutil.rmtree(staged)
