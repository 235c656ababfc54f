"""What validation leaves of a table's day: its measures, how they were judged, and broken rows."""

from schemas.table import Column, Fields, Table

_RAGGED: tuple[int | None, ...] = (None,)


def measures(fields: Fields) -> Table:
    """Declare the measures: one number or one distribution of one table of one day."""
    return Table(
        name="measures",
        row="one measure",
        key=("part", "name"),
        partition=("dt", "of"),
        columns=(
            Column("part", "string", "A method or a teacher of the table; empty for all of it."),
            Column("name", "string", "Name of the measure (jobs.measures.catalogue)."),
            Column("value", "float64", "The number; null of a distribution.", nullable=True),
            Column(
                "n",
                "float64",
                "Rows, requests or values that it is of; of a distribution, as many independent "
                "values as those of the requests are worth.",
                low=0,
            ),
            Column(
                "spread",
                "float64",
                "1 + squared variation of the design effects of a distribution's bins.",
                low=0,
            ),
            Column("points", "float64", "Rising quantiles of numbers.", shape=_RAGGED, apart=True),
            Column("bins", "string", "Categories; empty for all the rare ones.", shape=_RAGGED),
            Column("counts", "float64", "Candidates of each of them.", low=0, shape=_RAGGED),
        ),
        may_be_empty=True,
    )


def validations(fields: Fields) -> Table:
    """Declare the validation results: one expectation on one table of one day."""
    return Table(
        name="validations",
        row="one expectation",
        key=("kind", "column", "expectation"),
        partition=("dt", "of"),
        columns=(
            Column("table", "string", "The table that was validated."),
            Column("kind", "string", "`declared`: of its rows; `measure`: of the whole day."),
            Column("column", "string", "Its column, or its measure; empty for the table."),
            Column("expectation", "string", "What was expected, in words."),
            Column("severity", "string", "`stop` where a failure stops the day, or `warn`."),
            Column(
                "success",
                "int32",
                "1 where it held; null where too little was known to judge.",
                low=0,
                high=1,
                nullable=True,
            ),
            Column("observed", "string", "What was found."),
            Column("unexpected", "int64", "Values that broke it.", low=0),
            Column("rows", "int64", "Values looked at.", low=0),
            Column("value", "float64", "What a measure was.", nullable=True),
            Column("low", "float64", "The least that it might be.", nullable=True),
            Column("high", "float64", "The most that it might be.", nullable=True),
            Column("days", "int32", "Trailing days that it was judged by.", low=0),
            Column("examples", "string", "The first that broke it, with keys.", shape=_RAGGED),
        ),
    )


def bad_rows(fields: Fields) -> Table:
    """Declare the broken rows: the first that broke an expectation, a bounded number of each."""
    return Table(
        name="bad_rows",
        row="one row that broke one expectation",
        key=("column", "expectation", "number"),
        partition=("dt", "of"),
        columns=(
            Column("column", "string", "The column that is wrong, or the key."),
            Column("expectation", "string", "What was expected, in words."),
            Column("number", "int32", "Which of its broken rows, from 1.", low=1),
            Column("part", "string", "The teacher's id where the table has one a teacher."),
            Column("place", "string", "The key by which it is found."),
            Column("row", "string", "What was looked at of it, as JSON."),
        ),
        may_be_empty=True,
    )
