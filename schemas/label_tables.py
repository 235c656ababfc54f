"""What the teachers leave: the labels of a day's requests, and the requests without any."""

from schemas.table import Column, Fields, Table

RELAXED = {
    "blocked": "Picks that are blocked.",
    "pinned": "Items not at the place they are pinned to.",
    "max_per_category": "Picks above the maximum.",
    "quotas": "Picks missing to the quotas.",
}
"""What is counted where a rule gives way, by the rule's name in a profile (model.config.RULES)."""


def relaxed_column(rule: str) -> str:
    """Return the column of teacher_labels that counts how often a rule gave way."""
    return f"relaxed_{rule}"


def teacher_labels(fields: Fields) -> Table:
    """Declare the labels: one request under one teacher, lists in the order of candidate_sets."""
    ragged: tuple[int | None, ...] = (None,)
    return Table(
        name="teacher_labels",
        row="one request under one teacher",
        key=("request_id",),
        partition=("dt", "teacher_id"),
        columns=(
            Column("request_id", fields.request_id, "The request."),
            Column("model_version", "string", "The model that gave f, e and u."),
            Column("k", "int32", "Items picked: K, or fewer where there are not so many.", low=1),
            Column(
                "relaxed",
                "int32",
                "How often the list breaks a rule of the policy that may give way, in all.",
                low=0,
            ),
            *(Column(relaxed_column(rule), "int32", what, low=0) for rule, what in RELAXED.items()),
            Column("u", "float32", "Interest vector of the user.", shape=ragged, apart=True),
            Column("item_id", fields.item_id, "The candidate.", shape=ragged),
            Column(
                "win",
                "int32",
                "1 where the teacher picked the item (Eq. 16).",
                low=0,
                high=1,
                shape=ragged,
            ),
            Column(
                "pick_order",
                "int32",
                "Step at which it was picked, from 1; null for losers.",
                low=1,
                nullable=True,
                shape=ragged,
            ),
            Column(
                "gain",
                "float64",
                "Marginal gain when picked; null for losers.",
                nullable=True,
                shape=ragged,
            ),
            Column(
                "f",
                "float32",
                "Click probability by the model, the teacher's accuracy term.",
                low=0,
                high=1,
                shape=ragged,
            ),
        ),
    )


def unlabelled(fields: Fields) -> Table:
    """Declare the requests of candidate_sets that have no labels: none of them is lost unseen."""
    return Table(
        name="unlabelled",
        row="one request that a teacher could not label",
        key=("request_id",),
        partition=("dt", "teacher_id"),
        columns=(
            Column("request_id", fields.request_id, "The request."),
            Column("reason", "string", "Which rule of the policy it cannot keep, and why."),
        ),
        may_be_empty=True,
    )
