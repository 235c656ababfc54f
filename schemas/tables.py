"""Every table of the lake, every column once; the sibling modules render it for each engine.

Letters used in shapes: N candidates of a request, U user and context fields, F item fields,
D dense features, d width of the item and interest vectors. `None` in a shape is a ragged axis.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int64", "int32", "float64", "float32", "timestamp"]
ID_KINDS = ("int64", "string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what it means and which values it may hold.

    `shape` is () for a scalar, (None,) for one value per candidate (ragged), (n, m) for n*m values
    stored flat in row-major order, which is the only form of a matrix that Petastorm delivers.
    `low` and `high` are inclusive; a float column never holds NaN or an infinity.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    nullable: bool = False
    shape: tuple[int | None, ...] = ()

    @property
    def length(self) -> int | None:
        """How many values one row holds: None where ragged, 1 for a scalar."""
        size = 1
        for n in self.shape:
            if n is None:
                return None
            size *= n
        return size

    @property
    def is_list(self) -> bool:
        """Whether a row holds a list of values."""
        return self.shape != ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its columns, the columns that identify a row, and the partition keys."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: tuple[str, ...] = ("dt",)

    def __getitem__(self, name: str) -> Column:
        """Return the column of that name; raise KeyError naming the known ones."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(self.names)
        raise KeyError(f"{self.name} has no column {name!r}; its columns are {known}")

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in declared order."""
        return tuple(column.name for column in self.columns)

    def per_candidate(self) -> tuple[Column, ...]:
        """The columns that hold one value per candidate."""
        return tuple(column for column in self.columns if column.shape == (None,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of one data set, as its profile names them; the tables depend on nothing else."""

    request_id: Kind = "string"
    user_id: Kind = "int64"
    item_id: Kind = "int64"
    item: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    dense: tuple[str, ...] = ()
    category: str = ""
    category_separator: str = ""

    @property
    def dense_columns(self) -> tuple[str, ...]:
        """The dense features that are columns of their own (`score` always is one)."""
        return tuple(name for name in self.dense if name != "score")

    @property
    def user_tokens(self) -> tuple[str, ...]:
        """The U categorical inputs that a request has: user, then context fields."""
        return ("user_id", *self.context)

    @property
    def item_tokens(self) -> tuple[str, ...]:
        """The F categorical inputs that a candidate has: item, then item fields."""
        return ("item_id", *self.item)


def _flag(name: str, meaning: str, **rest: object) -> Column:
    return Column(name=name, kind="int32", meaning=meaning, low=0, high=1, **rest)


def _request(fields: Fields) -> tuple[Column, ...]:
    return (
        Column(name="request_id", kind=fields.request_id, meaning="One page asked for by a user."),
        Column(name="user_id", kind=fields.user_id, meaning="Who asked."),
        Column(name="ts", kind="timestamp", meaning="When the request was made.", unit="UTC"),
        *(Column(name=c, kind="string", meaning=f"Context field {c}.") for c in fields.context),
        Column(
            name="missed_positives",
            kind="int32",
            meaning="Clicked items outside the candidates; they stay in Recall's denominator.",
            unit="items",
            low=0,
        ),
    )


def _candidate(fields: Fields, shape: tuple[int | None, ...]) -> tuple[Column, ...]:
    return (
        Column(name="item_id", kind=fields.item_id, meaning="The candidate.", shape=shape),
        *(
            Column(name=f, kind="string", meaning=f"Item field {f}.", shape=shape)
            for f in fields.item
        ),
        *(
            Column(name=f, kind="float64", meaning=f"Dense feature {f}.", shape=shape)
            for f in fields.dense_columns
        ),
        Column(name="score", kind="float64", meaning="Pre-ranking score.", shape=shape),
        _flag("exposed", "1 where the user was shown the item.", shape=shape),
        Column(
            name="shown_rank",
            kind="int32",
            meaning="Rank at which it was shown, from 1; null where not exposed or unknown.",
            low=1,
            nullable=True,
            shape=shape,
        ),
        _flag("label", "1 for a click; null where not exposed.", nullable=True, shape=shape),
        _flag("derived", "1 where the candidate was reconstructed, not logged.", shape=shape),
    )


def request_logs(fields: Fields) -> Table:
    """Declare the logs: one candidate of one request a row."""
    return Table(
        name="request_logs",
        row="one candidate of one request",
        key=("request_id", "item_id"),
        columns=(*_request(fields), *_candidate(fields, ())),
    )


def candidate_sets(fields: Fields) -> Table:
    """Declare the candidate sets: one request a row, candidates by score down, then item id."""
    count = Column(name="n_candidates", kind="int32", meaning="Length of the lists.", low=1)
    return Table(
        name="candidate_sets",
        row="one request",
        key=("request_id",),
        columns=(*_request(fields), count, *_candidate(fields, (None,))),
    )


def teacher_labels(fields: Fields) -> Table:
    """Declare the labels: one request under one teacher, lists in the order of candidate_sets."""
    ragged: tuple[int | None, ...] = (None,)
    return Table(
        name="teacher_labels",
        row="one request under one teacher",
        key=("request_id",),
        partition=("dt", "teacher_id"),
        columns=(
            Column(name="request_id", kind=fields.request_id, meaning="The request."),
            Column(name="model_version", kind="string", meaning="The model that gave f, e and u."),
            Column(name="k", kind="int32", meaning="Items picked: min(K, N).", low=1),
            Column(name="u", kind="float32", meaning="Interest vector of the user.", shape=ragged),
            Column(name="item_id", kind=fields.item_id, meaning="The candidate.", shape=ragged),
            _flag("win", "1 where the teacher picked the item (Eq. 16).", shape=ragged),
            Column(
                name="pick_order",
                kind="int32",
                meaning="Step at which it was picked, from 1; null for losers.",
                low=1,
                nullable=True,
                shape=ragged,
            ),
            Column(
                name="gain",
                kind="float64",
                meaning="Marginal gain when picked; null for losers.",
                nullable=True,
                shape=ragged,
            ),
            Column(
                name="f",
                kind="float32",
                meaning="Click probability by the model, the teacher's accuracy term.",
                low=0,
                high=1,
                shape=ragged,
            ),
        ),
    )


def _dense(fields: Fields, n: int) -> tuple[Column, ...]:
    """The dense inputs, or no column at all: parquet readers stumble over lists of length 0."""
    if not fields.dense:
        return ()
    return (
        Column(
            name="dense",
            kind="float32",
            meaning="Dense features, standardised.",
            unit="standard deviations",
            shape=(n, len(fields.dense)),
        ),
    )


def examples(fields: Fields, max_candidates: int) -> Table:
    """Declare the training rows: fixed shapes, padded to N = max_candidates, indices and floats."""
    n, f = max_candidates, len(fields.item_tokens)
    per_item = (n,)
    return Table(
        name="examples",
        row="one request, ready for torch",
        key=("request_dt", "request_id"),
        partition=("dt", "teacher_id"),
        columns=(
            Column(name="request_id", kind=fields.request_id, meaning="The request."),
            Column(name="request_dt", kind="int32", meaning="Its day, days since 1970-01-01."),
            _flag("is_validation", "1 where the user is in the early-stopping split."),
            Column(
                name="n_candidates",
                kind="int32",
                meaning="Candidates kept.",
                low=1,
                high=max_candidates,
            ),
            Column(
                name="user_tokens",
                kind="int32",
                meaning="Vocabulary indices of user and context fields; 0 is padding, 1 unknown.",
                low=0,
                shape=(len(fields.user_tokens),),
            ),
            Column(
                name="item_tokens",
                kind="int32",
                meaning="Vocabulary indices of the item fields; 0 is padding, 1 unknown.",
                low=0,
                shape=(n, f),
            ),
            *_dense(fields, n),
            Column(
                name="exposed",
                kind="float32",
                meaning="1 where the label may be learned from.",
                low=0,
                high=1,
                shape=per_item,
            ),
            Column(
                name="label",
                kind="float32",
                meaning="1 for a click; 0 where not clicked or not exposed.",
                low=0,
                high=1,
                shape=per_item,
            ),
            Column(
                name="win",
                kind="float32",
                meaning="1 where the teacher picked the item; 0 in padding and without a teacher.",
                low=0,
                high=1,
                shape=per_item,
            ),
        ),
    )


def rankings(fields: Fields) -> Table:
    """Declare the rankings: one ranked item of one request under one method."""
    return Table(
        name="rankings",
        row="one ranked item of one request under one method",
        key=("request_id", "method", "model_version", "rank"),
        columns=(
            Column(name="request_id", kind=fields.request_id, meaning="The request."),
            Column(name="method", kind="string", meaning="How the list was ranked."),
            Column(name="model_version", kind="string", meaning="The model that scored."),
            Column(name="rank", kind="int32", meaning="Place in the list, from 1.", low=1),
            Column(name="item_id", kind=fields.item_id, meaning="The ranked item."),
            Column(name="f", kind="float64", meaning="Click probability.", low=0, high=1),
            Column(
                name="win_probability",
                kind="float64",
                meaning="The student's y_stu (Eq. 17); null where the model has no student.",
                low=0,
                high=1,
                nullable=True,
            ),
            Column(name="final_score", kind="float64", meaning="What the method sorted by."),
        ),
    )


def metrics(fields: Fields) -> Table:
    """Declare the metrics: one number, with its 95 % bootstrap interval over requests."""
    return Table(
        name="metrics",
        row="one number",
        key=("model_version", "method", "baseline", "metric", "k"),
        columns=(
            Column(name="model_version", kind="string", meaning="The model that ranked."),
            Column(name="method", kind="string", meaning="The ranking method."),
            Column(
                name="baseline",
                kind="string",
                meaning="Empty, or the method from which `value` is the paired difference.",
            ),
            Column(name="metric", kind="string", meaning="Name of the metric."),
            Column(name="k", kind="int32", meaning="Length of the list judged.", low=1),
            Column(name="value", kind="float64", meaning="Mean over requests."),
            Column(name="low", kind="float64", meaning="Lower end of the interval.", nullable=True),
            Column(name="high", kind="float64", meaning="Upper end of it.", nullable=True),
            Column(name="n", kind="int64", meaning="Requests that count.", low=0),
        ),
    )


def promotions(fields: Fields) -> Table:
    """Declare the promotions: which model labels and serves from this day on, and why."""
    return Table(
        name="promotions",
        row="the decision of one day",
        key=("candidate_version",),
        columns=(
            Column(name="candidate_version", kind="string", meaning="The model under judgement."),
            Column(name="previous_version", kind="string", meaning="Promoted before; or empty."),
            Column(name="promoted_version", kind="string", meaning="Promoted from now on."),
            Column(name="decision", kind="string", meaning="promoted or held."),
            Column(name="reason", kind="string", meaning="The numbers that decided."),
        ),
    )


def validations(fields: Fields) -> Table:
    """Declare the validation results: one expectation on one table of one day."""
    return Table(
        name="validations",
        row="one expectation",
        key=("table", "column", "expectation"),
        partition=("dt", "of"),
        columns=(
            Column(name="table", kind="string", meaning="The table that was validated."),
            Column(name="column", kind="string", meaning="Its column, or empty for the table."),
            Column(name="expectation", kind="string", meaning="What was expected, in words."),
            _flag("success", "1 where it held."),
            Column(name="observed", kind="string", meaning="What was found."),
            Column(name="unexpected", kind="int64", meaning="Values that broke it.", low=0),
            Column(name="rows", kind="int64", meaning="Values looked at.", low=0),
        ),
    )


def reference_items(fields: Fields) -> Table:
    """Declare the frozen reference vectors that ILAD is measured with, never trained on."""
    return Table(
        name="reference_items",
        row="one item",
        key=("item_id",),
        columns=(
            Column(name="item_id", kind=fields.item_id, meaning="The item."),
            Column(name="vector", kind="float32", meaning="Its content vector.", shape=(None,)),
        ),
    )


def truth_requests(fields: Fields) -> Table:
    """Declare the simulator's truth, lists in the order of candidate_sets."""
    ragged: tuple[int | None, ...] = (None,)
    return Table(
        name="truth_requests",
        row="one simulated request",
        key=("request_id",),
        columns=(
            Column(name="request_id", kind=fields.request_id, meaning="The request."),
            Column(name="item_id", kind=fields.item_id, meaning="The candidate.", shape=ragged),
            Column(
                name="p",
                kind="float64",
                meaning="Click propensity p_ui at the first place, unworn.",
                low=0,
                high=1,
                shape=ragged,
            ),
            Column(
                name="wear",
                kind="float64",
                meaning="delta_uc: p falls by this factor per like item shown before.",
                low=0,
                high=1,
                shape=ragged,
            ),
            Column(
                name="propensity",
                kind="float64",
                meaning="Chance that the logger put it at its rank given the ranks before.",
                low=0,
                high=1,
                nullable=True,
                shape=ragged,
            ),
            Column(
                name="examination",
                kind="float64",
                meaning="v_r: chance that the user looks at rank r = 1, 2, ...",
                low=0,
                high=1,
                shape=ragged,
            ),
        ),
    )


def declare(fields: Fields, max_candidates: int) -> dict[str, Table]:
    """Return every table of the lake by name, in the order in which a day makes them."""
    tables = (
        request_logs(fields),
        truth_requests(fields),
        reference_items(fields),
        candidate_sets(fields),
        rankings(fields),
        metrics(fields),
        promotions(fields),
        teacher_labels(fields),
        examples(fields, max_candidates),
        validations(fields),
    )
    return {table.name: table for table in tables}
