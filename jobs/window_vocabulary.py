"""What a training window teaches about its tokens, its dense features and its items."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from model.vocabulary import Vocabulary, grown
from schemas.arrow import ARROW_TYPES
from schemas.table import Fields


def learn_vocabulary(
    requests: DataFrame, fields: Fields, min_count: int, base: Vocabulary | None = None
) -> Vocabulary:
    """Return the tokens exposed often enough, and the moments of the dense features.

    The tokens of a `base` stay, whether or not the window has them, at the indices they had.
    """
    per_item = [*fields.item_tokens, "exposed"]
    shown = requests.select(
        *fields.user_tokens, F.explode(F.arrays_zip(*per_item)).alias("item")
    ).where("item.exposed = 1")
    pairs = [(name, F.col(name)) for name in fields.user_tokens]
    pairs += [(name, F.col(f"item.{name}")) for name in fields.item_tokens]
    tokens = F.explode(
        F.array(
            *[
                F.struct(F.lit(name).alias("field"), value.cast("string").alias("token"))
                for name, value in pairs
            ]
        )
    )
    counted = shown.select(tokens.alias("t")).groupBy("t.field", "t.token").count()
    frequent = counted.where(F.col("count") >= min_count).toArrow()
    kinds = {"user_id": fields.user_id, "item_id": fields.item_id}
    learned = {}
    for name, _ in pairs:
        mine = frequent.filter(pc.equal(frequent["field"], name))["token"].combine_chunks()
        typed = mine.cast(ARROW_TYPES[kinds.get(name, "string")])
        learned[name] = typed.take(pc.sort_indices(typed))
        if base is not None:
            learned[name] = grown(base.tokens[name], learned[name])
    return Vocabulary(learned, *dense_moments(requests, fields))


def dense_moments(requests: DataFrame, fields: Fields) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each dense feature, to six digits.

    Spark adds floats in the order in which partitions arrive; six digits repeat all the same.
    """
    if not fields.dense:
        return np.zeros(0), np.ones(0)
    rows = requests.select(F.explode(F.arrays_zip(*fields.dense)).alias("d")).select("d.*")
    asked = [F.mean(n) for n in fields.dense] + [F.stddev_pop(n) for n in fields.dense]
    found = np.array([float(f"{value:.6g}") for value in rows.agg(*asked).collect()[0]])
    mean, deviation = np.split(found, 2)
    return mean, np.where(deviation > 0, deviation, 1.0)


def newest_fields(requests: DataFrame, fields: Fields) -> pa.Table:
    """Return every item of the window with its fields on the last day it was seen."""
    items = requests.select(
        "request_dt", F.explode(F.arrays_zip(*fields.item_tokens)).alias("i")
    ).select("request_dt", "i.*")
    newest = F.max(F.struct("request_dt", *fields.item)).alias("newest")
    chosen = ["item_id", *[F.col(f"newest.{name}") for name in fields.item]]
    return items.groupBy("item_id").agg(newest).select(*chosen).toArrow().sort_by("item_id")
