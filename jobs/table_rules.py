"""What the tables promise beyond their columns: the day, the order, the labels, the ranks.

One short list a table. A rule reads the columns of its view (see jobs.table_views); a suite is the
declaration's expectations and then these.
"""

from collections.abc import Iterator
from datetime import date, datetime

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column as Where

from jobs.profile.config import Profile
from jobs.table_views import LIST_KEY
from schemas.expectations import ROWS, TABLE, Subject, expectation_suite, parallel_lists
from schemas.table import Table

Rules = Iterator[gxe.Expectation]
SHARES = ("recall", "mrr", "ndcg", "category_coverage")
"""Metrics that lie within 0 and 1 by definition; their differences do not."""


def suite_of(table: Table, profile: Profile, day: date) -> gx.ExpectationSuite:
    """Return everything that a day's partition of the table is held to."""
    declared = expectation_suite(table)
    # Adding to a suite that has been made would look for a project to save it in.
    expectations = [*declared.expectations, *rules_of(table, profile.bounds(day))]
    return gx.ExpectationSuite(name=table.name, expectations=expectations)


def view_of(table: Table, name: str) -> str:
    """Return the view that has the elements of a list column."""
    for first, columns in parallel_lists(table).items():
        if table[name] in columns:
            return first
    raise KeyError(f"{table.name}.{name} is no list")


def rules_of(table: Table, bounds: tuple[datetime, datetime]) -> Rules:
    """Yield the table's rules."""
    match table.name:
        case "request_logs":
            yield from within_day(*bounds)
            yield from labels_where_exposed(ROWS)
            yield Subject(TABLE, "exposed").expect(
                gxe.ExpectColumnMeanToBeBetween,
                "a share above 0",
                column="exposed",
                min_value=0,
                strict_min=True,
            )
        case "candidate_sets":
            candidates = view_of(table, "item_id")
            yield from within_day(*bounds)
            yield same_count("n_candidates", "length_of_item_id", "the length of the lists")
            yield from labels_where_exposed(candidates)
            yield once_a_list(candidates, "item_id")
            yield never("misplaced", Subject(candidates, "score"), "score down, then item_id up")
        case "truth_requests":
            yield once_a_list(view_of(table, "item_id"), "item_id")
        case "teacher_labels":
            candidates = view_of(table, "item_id")
            yield once_a_list(candidates, "item_id")
            yield same_count("k", "wins", "as many as there are winners")
            yield same_count("relaxed", "relaxations", "as many as the rules have in all")
            for name in ("pick_order", "gain"):
                yield from null_unless(candidates, name, "win")
            yield once_a_list(candidates, "pick_order")
            yield not_below(Subject(candidates, "pick_order"), "k", "pick_order", "up to k")
        case "examples":
            for name in ("item_tokens", "exposed", "label", "win", "shown_rank"):
                yield zero_in_padding(view_of(table, name), name)
            learned = Subject(view_of(table, "label"), "label")
            yield not_below(learned, "exposed", "label", "0 where nothing may be learned")
        case "rankings":
            yield never("after_gap", Subject(TABLE, "rank"), "1, 2, ... in each list, no gap")
            yield Subject(TABLE, "item_id").expect(
                gxe.ExpectCompoundColumnsToBeUnique,
                "each once a list",
                reads=[*LIST_KEY, "item_id"],
                column_list=[*LIST_KEY, "item_id"],
                ignore_row_if="any_value_is_missing",
            )
        case "metrics":
            yield shares_within_1()
            yield not_below(Subject(ROWS, "high"), "high", "low", "not below low")
        case "promotions":
            yield Subject(ROWS, "decision").expect(
                gxe.ExpectColumnValuesToBeInSet,
                "promoted, held or rolled back",
                column="decision",
                value_set=["promoted", "held", "rolled back"],
            )


def within_day(start: datetime, end: datetime) -> Rules:
    """Expect no request of another day: a model would be judged on what it has learned from."""
    yield Subject(ROWS, "ts").expect(
        gxe.ExpectColumnValuesToBeBetween,
        f"from {start:%Y-%m-%d %H:%M} until {end:%Y-%m-%d %H:%M} UTC",
        column="ts",
        min_value=start,
        max_value=end,
        strict_max=True,
    )


def null_unless(view: str, name: str, flag: str) -> Rules:
    """Expect a value exactly where the flag is 1."""
    for kind, state, value in (
        (gxe.ExpectColumnValuesToBeNull, "null", 0),
        (gxe.ExpectColumnValuesToNotBeNull, "no null", 1),
    ):
        yield Subject(view, name).expect(
            kind,
            f"{state} where {flag} is {value}",
            reads=[name, flag],
            column=name,
            row_condition=Where(flag) == value,
        )


def labels_where_exposed(view: str) -> Rules:
    """Expect labels of what was shown alone; a rank may be unknown there, but never elsewhere."""
    yield from null_unless(view, "label", "exposed")
    yield next(null_unless(view, "shown_rank", "exposed"))


def same_count(name: str, other: str, words: str) -> gxe.Expectation:
    """Expect a count to be what can be counted."""
    return Subject(ROWS, name).expect(
        gxe.ExpectColumnPairValuesToBeEqual,
        words,
        reads=[name, other],
        column_A=name,
        column_B=other,
        ignore_row_if="either_value_is_missing",
    )


def not_below(subject: Subject, larger: str, smaller: str, words: str) -> gxe.Expectation:
    """Expect one column to be at least the other wherever both have a value."""
    return subject.expect(
        gxe.ExpectColumnPairValuesAToBeGreaterThanB,
        words,
        reads=[larger, smaller],
        column_A=larger,
        column_B=smaller,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    )


def never(flag: str, subject: Subject, words: str) -> gxe.Expectation:
    """Expect a derived flag nowhere."""
    return subject.expect(
        gxe.ExpectColumnValuesToBeInSet, words, reads=[flag], column=flag, value_set=[0]
    )


def once_a_list(view: str, name: str) -> gxe.Expectation:
    """Expect no value twice in one row's list."""
    return Subject(view, name).expect(
        gxe.ExpectCompoundColumnsToBeUnique,
        "each once a list",
        reads=["row", name],
        column_list=["row", name],
        ignore_row_if="any_value_is_missing",
    )


def zero_in_padding(view: str, name: str) -> gxe.Expectation:
    """Expect nothing to learn from where no candidate is."""
    return Subject(view, name).expect(
        gxe.ExpectColumnValuesToBeInSet,
        "0 in padding",
        reads=[name, "is_padding"],
        column=name,
        value_set=[0],
        row_condition=Where("is_padding") == 1,
    )


def shares_within_1() -> gxe.Expectation:
    """Expect shares to be shares."""
    return Subject(ROWS, "value").expect(
        gxe.ExpectColumnValuesToBeBetween,
        f"from 0 to 1 for {', '.join(SHARES)}",
        reads=["value", "metric", "baseline"],
        column="value",
        min_value=0,
        max_value=1,
        row_condition=Where("metric").is_in(list(SHARES)) & (Where("baseline") == ""),
    )
