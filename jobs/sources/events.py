"""Requests where a source has events alone: what a user did in one go, or in one part of time."""

from datetime import UTC, datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.sources.config import DAY_MINUTES, MICROSECONDS_A_MINUTE, SourceConfig

MICROSECONDS_A_DAY = DAY_MINUTES * MICROSECONDS_A_MINUTE


def with_requests(events: DataFrame, source: SourceConfig) -> DataFrame:
    """Return the events with request_id, and as ts the time of their request.

    `_at` is when the event itself was: what others did in a visit that goes on is not known yet.
    """
    if source.user_days:
        return _user_days(events, source)
    pause = source.session_minutes * MICROSECONDS_A_MINUTE
    of_user = Window.partitionBy("user_id").orderBy("ts", "item_id")
    begins = F.coalesce(F.col("ts") - F.lag("ts").over(of_user) >= pause, F.lit(True))
    session = F.sum(F.when(begins, 1).otherwise(0)).over(of_user)
    sessions = events.withColumn("_session", session)
    start = F.min("ts").over(Window.partitionBy("user_id", "_session"))
    sessions = sessions.withColumns({"_at": F.col("ts"), "ts": start})
    return _named(sessions, F.col("ts"))


def _user_days(events: DataFrame, source: SourceConfig) -> DataFrame:
    """Cut each user's events into so many parts; part n is one request of day n.

    The users' order inside a day is that of the true times of their parts.
    """
    of_user = Window.partitionBy("user_id").orderBy("ts", "item_id")
    parts = events.withColumn("_session", F.ntile(source.user_days).over(of_user) - 1)
    start = F.min("ts").over(Window.partitionBy("user_id", "_session"))
    order = Window.partitionBy("_session").orderBy("_start", "user_id")
    first = datetime.combine(source.first_day, datetime.min.time(), UTC)
    moment = (
        F.lit(int(first.timestamp()) * 1_000_000)
        + F.col("_session") * MICROSECONDS_A_DAY
        + (F.percent_rank().over(order) * (MICROSECONDS_A_DAY - 1)).cast("long")
    )
    placed = parts.withColumn("_start", start).withColumn("ts", moment).drop("_start")
    return _named(placed.withColumn("_at", F.col("ts")), F.col("_session"))


def _named(requests: DataFrame, number: F.Column) -> DataFrame:
    name = F.concat_ws("-", F.col("user_id").cast("string"), number.cast("string"))
    return requests.withColumn("request_id", name).drop("_session")
