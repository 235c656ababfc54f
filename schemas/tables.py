"""Every table of the lake, every column once; the sibling modules render it for each engine.

Letters used in shapes: N candidates of a request, U user and context fields, F item fields,
D dense features, d width of the item and interest vectors. `None` in a shape is a ragged axis.
"""

from schemas.label_tables import teacher_labels, unlabelled
from schemas.table import Column, Fields, Table
from schemas.truth_tables import reference_items, truth_requests
from schemas.validation_tables import bad_rows, measures, validations


def _flag(name: str, meaning: str, **rest: object) -> Column:
    return Column(name, "int32", meaning, low=0, high=1, **rest)


def _request(fields: Fields) -> tuple[Column, ...]:
    return (
        Column("request_id", fields.request_id, "One page asked for by a user."),
        Column("user_id", fields.user_id, "Who asked."),
        Column("ts", "timestamp", "When the request was made.", unit="UTC"),
        *(Column(c, "string", f"Context field {c}.") for c in fields.context),
        Column(
            "missed_positives",
            "int32",
            "Clicked items outside the candidates; they stay in Recall's denominator.",
            unit="items",
            low=0,
        ),
    )


def _candidate(fields: Fields, shape: tuple[int | None, ...]) -> tuple[Column, ...]:
    return (
        Column("item_id", fields.item_id, "The candidate.", shape=shape),
        *(Column(f, "string", f"Item field {f}.", shape=shape) for f in fields.item),
        *(Column(f, "float64", f"Dense feature {f}.", shape=shape) for f in fields.dense_columns),
        Column("score", "float64", "Pre-ranking score.", shape=shape),
        _flag("exposed", "1 where the user was shown the item.", shape=shape),
        Column(
            "shown_rank",
            "int32",
            "Rank at which it was shown, from 1; null where not exposed or unknown.",
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


def quarantine() -> Table:
    """Declare the quarantine: one source row that could not become part of request_logs."""
    return Table(
        name="quarantine",
        row="one source row that could not be used",
        key=("part", "source_file", "source_row"),
        columns=(
            Column("part", "string", "The part of the profile: logs, items[0], users[0], ..."),
            Column("source_file", "string", "The raw file, below source.path."),
            Column("source_row", "int64", "Line of a text file, row of a parquet file.", low=1),
            Column("reason", "string", "What is wrong with it."),
            Column("value", "string", "The value that is wrong, where it is one."),
            Column("raw", "string", "The row as it was read; empty where another row is at fault."),
        ),
        may_be_empty=True,
    )


def candidate_sets(fields: Fields) -> Table:
    """Declare the candidate sets: one request a row, candidates by score down, then item id."""
    count = Column("n_candidates", "int32", "Length of the lists.", low=1)
    return Table(
        name="candidate_sets",
        row="one request",
        key=("request_id",),
        columns=(*_request(fields), count, *_candidate(fields, (None,))),
    )


def _dense(fields: Fields, n: int) -> tuple[Column, ...]:
    """The dense inputs, or no column at all: parquet readers stumble over lists of length 0."""
    if not fields.dense:
        return ()
    unit, shape = "standard deviations", (n, len(fields.dense))
    return (Column("dense", "float32", "Dense features, standardised.", unit=unit, shape=shape),)


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
            Column("request_id", fields.request_id, "The request."),
            Column("request_dt", "int32", "Its day, days since 1970-01-01."),
            _flag("is_validation", "1 where the user is in the early-stopping split."),
            Column("n_candidates", "int32", "Candidates kept.", low=1, high=max_candidates),
            Column(
                "user_tokens",
                "int32",
                "Vocabulary indices of user and context fields; 0 is padding, 1 unknown.",
                low=0,
                shape=(len(fields.user_tokens),),
            ),
            Column(
                "item_tokens",
                "int32",
                "Vocabulary indices of the item fields; 0 is padding, 1 unknown.",
                low=0,
                shape=(n, f),
            ),
            *_dense(fields, n),
            Column(
                "exposed",
                "float32",
                "1 where the label may be learned from.",
                low=0,
                high=1,
                shape=per_item,
            ),
            Column(
                "label",
                "float32",
                "1 for a click; 0 where not clicked or not exposed.",
                low=0,
                high=1,
                shape=per_item,
            ),
            Column(
                "win",
                "float32",
                "1 where the teacher picked the item; 0 in padding and without a teacher.",
                low=0,
                high=1,
                shape=per_item,
            ),
            Column(
                "shown_rank",
                "int32",
                "Rank at which the item was shown, from 1; 0 where not shown or unknown.",
                low=0,
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
            Column("request_id", fields.request_id, "The request."),
            Column("method", "string", "How the list was ranked."),
            Column("model_version", "string", "The model that scored."),
            Column("rank", "int32", "Place in the list, from 1.", low=1),
            Column("item_id", fields.item_id, "The ranked item."),
            Column("f", "float64", "Click probability.", low=0, high=1),
            Column(
                "win_probability",
                "float64",
                "The student's y_stu (Eq. 17); null where the model has no student.",
                low=0,
                high=1,
                nullable=True,
            ),
            Column("final_score", "float64", "What the method sorted by."),
        ),
    )


def metrics(fields: Fields) -> Table:
    """Declare the metrics: one number, with its 95 % bootstrap interval over requests."""
    return Table(
        name="metrics",
        row="one number",
        key=("model_version", "method", "baseline", "metric", "k"),
        columns=(
            Column("model_version", "string", "The model that ranked."),
            Column("method", "string", "The ranking method."),
            Column(
                "baseline",
                "string",
                "Empty, or the method from which `value` is the paired difference.",
            ),
            Column("metric", "string", "Name of the metric."),
            Column("k", "int32", "Length of the list judged.", low=1),
            Column("value", "float64", "Mean over requests."),
            Column("low", "float64", "Lower end of the interval.", nullable=True),
            Column("high", "float64", "Upper end of it.", nullable=True),
            Column("n", "int64", "Requests that count.", low=0),
        ),
    )


def promotions(fields: Fields) -> Table:
    """Declare the promotions: which model labels and serves from this day on, and why."""
    return Table(
        name="promotions",
        row="one decision; the last of a day is in force",
        key=("number",),
        columns=(
            Column("number", "int32", "Its place among the decisions of the day.", low=1),
            Column("candidate_version", "string", "The newest model that never saw the day."),
            Column("previous_version", "string", "Promoted before the day; or empty."),
            Column("promoted_version", "string", "Promoted from now on."),
            Column("decision", "string", "promoted, held or rolled back."),
            Column("reason", "string", "The numbers that decided, or why a person did."),
            Column("decided_by", "string", "the gate, or the person who decided by hand."),
            Column(
                "decided_at",
                "timestamp",
                "When, as the caller said; null where it did not.",
                unit="UTC",
                nullable=True,
            ),
        ),
    )


def declare(fields: Fields, max_candidates: int) -> dict[str, Table]:
    """Return every table of the lake by name, in the order in which a day makes them."""
    tables = (
        request_logs(fields),
        truth_requests(fields),
        reference_items(fields),
        quarantine(),
        candidate_sets(fields),
        rankings(fields),
        metrics(fields),
        promotions(fields),
        teacher_labels(fields),
        unlabelled(fields),
        examples(fields, max_candidates),
        measures(fields),
        validations(fields),
        bad_rows(fields),
    )
    return {table.name: table for table in tables}
