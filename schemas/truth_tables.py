"""What is judged by and never learned from: reference vectors, and the simulator's truth."""

from schemas.table import Column, Fields, Table


def reference_items(fields: Fields) -> Table:
    """Declare the frozen reference vectors that ILAD is measured with, never trained on."""
    return Table(
        name="reference_items",
        row="one item",
        key=("item_id",),
        columns=(
            Column("item_id", fields.item_id, "The item."),
            Column("vector", "float32", "Its content vector.", shape=(None,), apart=True),
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
            Column("request_id", fields.request_id, "The request."),
            Column("item_id", fields.item_id, "The candidate.", shape=ragged),
            Column(
                "p",
                "float64",
                "Click propensity p_ui at the first place, unworn.",
                low=0,
                high=1,
                shape=ragged,
            ),
            Column(
                "wear",
                "float64",
                "delta_uc: p falls by this factor per like item shown before.",
                low=0,
                high=1,
                shape=ragged,
            ),
            Column(
                "propensity",
                "float64",
                "Chance that the logger put it at its rank given the ranks before.",
                low=0,
                high=1,
                nullable=True,
                shape=ragged,
            ),
            Column(
                "examination",
                "float64",
                "v_r: chance that the user looks at rank r = 1, 2, ...",
                low=0,
                high=1,
                shape=ragged,
                apart=True,
            ),
        ),
    )
