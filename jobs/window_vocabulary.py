"""What a training window teaches about its tokens, its dense features and its items."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.errors import Refused
from jobs.registry import Registry
from model import layout
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
    learned = {}
    for name, _ in pairs:
        mine = frequent.filter(pc.equal(frequent["field"], name))["token"].combine_chunks()
        typed = mine.cast(token_type(name, fields))
        learned[name] = typed.take(pc.sort_indices(typed))
        if base is not None:
            learned[name] = grown(base.tokens[name], learned[name])
    return Vocabulary(learned, *dense_moments(requests, fields))


def token_type(name: str, fields: Fields) -> pa.DataType:
    """Return the type of a token input: ids have the profile's, all others are strings."""
    return ARROW_TYPES[{"user_id": fields.user_id, "item_id": fields.item_id}.get(name, "string")]


def known_tokens(registry: Registry, version: str, fields: Fields) -> Vocabulary:
    """Return the tokens that a model version knows, to grow from; refuse those of other fields."""
    folder = registry.folder(version) / layout.VOCABULARY
    names = fields.user_tokens + fields.item_tokens
    wrong = sorted({f"no {name}" for name in names if not (folder / f"{name}.parquet").is_file()})
    if not wrong:
        vocabulary = Vocabulary.load(folder, names)
        kinds = {name: (vocabulary.tokens[name].type, token_type(name, fields)) for name in names}
        wrong = [
            f"{n} of {is_} and not {wanted}" for n, (is_, wanted) in kinds.items() if is_ != wanted
        ]
    if wrong:
        raise Refused(
            f"training.grow_vocabulary grows that of model {version}, which has "
            f"{', '.join(wrong)} as [fields] asks; set it to false until a model of these fields "
            "is promoted"
        )
    return vocabulary


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
