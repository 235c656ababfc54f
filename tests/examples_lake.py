"""Examples of a day as build_examples leaves them, made without Spark, for tests of train."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import DAYS, World

from jobs.build_examples import ITEMS, TRAINING, VALIDATION, VOCABULARY
from jobs.lake import Partition
from jobs.publish import Publication
from jobs.teacher import WITHOUT_TEACHER, teacher_id
from model.vocabulary import Vocabulary
from schemas.arrow import arrow_schema, list_array

DAY = DAYS[0]
TOKENS = 30
PROMOTED = "0123456789ab"


class ExamplesLake(World):
    """A lake of one day's examples; clicks and picks can be learned from the first item field."""

    def flags(self, *more: str) -> list[str]:
        where = ["--lake", str(self.root), "--profile", self.profile_name]
        return [*where, "--date", DAY.isoformat(), *more]

    def put_examples(
        self,
        requests: int = 96,
        candidates: tuple[int, int] = (3, 12),
        winners: int | None = 3,
        *,
        bootstrap: bool = False,
        labels: str | None = None,
    ) -> Partition:
        """Publish the day's examples.

        `candidates` are the least and the most of a request; without `winners` all of them win.
        `labels` is the teacher_id of the labels that they are made of.
        """
        fields, name = self.profile.fields, WITHOUT_TEACHER
        if not bootstrap:
            self.promote(PROMOTED)
            name = teacher_id(self.profile.teacher, self.profile.policy, PROMOTED)
        made_from = self.lake.partition("teacher_labels", DAY, teacher_id=labels or name)
        output = Publication(
            self.lake.partition("examples", DAY, teacher_id=name),
            step="build_examples",
            inputs={} if bootstrap else {made_from.name: "digest"},
            parameters={},
        )
        with output.attempt() as folder:
            vocabulary(fields).save(folder / VOCABULARY)
            pq.write_table(items(fields), folder / ITEMS)
            for split, share in ((TRAINING, 3), (VALIDATION, 1)):
                rows = self.examples(split, requests * share // 4, *candidates, winners)
                pq.write_table(rows, folder / f"{split}-0.parquet")
            output.publish(folder, {})
        return output.partition

    def examples(
        self, split: str, requests: int, least: int, candidates: int, winners: int | None
    ) -> pa.Table:
        fields, table = self.profile.fields, self.lake.tables["examples"]
        n = self.profile.training.max_candidates
        rng = np.random.default_rng(len(split))
        counts = np.minimum(rng.integers(least, candidates + 1, requests), n)
        valid = np.arange(n) < counts[:, None]
        tokens = rng.integers(2, TOKENS, (requests, n, len(fields.item_tokens)))
        tokens *= valid[..., None]
        exposed = (rng.random(valid.shape) < 0.5) & valid
        even = (tokens[..., 0] % 2 == 0) & valid
        columns = {
            "request_id": pa.array([f"{split}-{i}" for i in range(requests)]),
            "request_dt": np.zeros(requests),
            "is_validation": np.full(requests, float(split == VALIDATION)),
            "n_candidates": counts,
            "user_tokens": rng.integers(2, TOKENS, (requests, len(fields.user_tokens))),
            "item_tokens": tokens.reshape(requests, -1),
            "dense": rng.normal(size=(requests, n * len(fields.dense))),
            "exposed": exposed,
            "shown_rank": exposed.cumsum(1) * exposed,
            "label": even & exposed,
            "win": valid if winners is None else even & (even.cumsum(1) <= winners),
        }
        schema = arrow_schema(table)
        return pa.table([column(columns[f.name], f.type) for f in schema], schema=schema)

    def promote(self, version: str) -> None:
        """Say that a model is promoted on the day, which needs not be there to be learned from."""
        columns = self.lake.tables["promotions"].columns
        row = {column.name: "" for column in columns if column.kind == "string"}
        row |= {"number": 1, "decided_at": None, "promoted_version": version}
        self.publish(self.lake.partition("promotions", DAY), [row])


def column(values: np.ndarray | pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array) or values.ndim == 1:
        return pa.array(values).cast(kind)
    return list_array(values.astype(kind.value_type.to_pandas_dtype()), kind)


def vocabulary(fields: object) -> Vocabulary:
    kinds = {"user_id": fields.user_id, "item_id": fields.item_id}
    numbers, words = pa.array(range(TOKENS)), pa.array([f"t{i:02}" for i in range(TOKENS)])
    names = fields.user_tokens + fields.item_tokens
    tokens = {name: numbers if kinds.get(name) == "int64" else words for name in names}
    return Vocabulary(tokens, np.zeros(len(fields.dense)), np.ones(len(fields.dense)))


def items(fields: object) -> pa.Table:
    numbers = pa.array(range(TOKENS))
    words = {name: pa.array([f"t{i:02}" for i in range(TOKENS)]) for name in fields.item}
    return pa.table({"item_id": numbers} | words)
