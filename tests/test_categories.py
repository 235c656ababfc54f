"""Categories as numbers, and the policy of a profile as the rules of a batch."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.categories import categories_of, membership, padded
from jobs.policy import policy_told, rules_of
from model.config import PolicyConfig

WORDS = st.text(st.sampled_from("ab|\N{REPLACEMENT CHARACTER}\N{GRINNING FACE}"), max_size=4)
SEPARATORS = st.sampled_from(["", "|", "a"])


def named(values: list[str], separator: str, also=()) -> list[list[str]]:
    """The names that each value's numbers stand for."""
    found = categories_of(pa.array(values, pa.string()), separator, also)
    assert found.ends.dtype == found.code.dtype == np.int64
    return [[found.names[code] for code in own] for own in np.split(found.code, found.ends)[:-1]]


@given(st.lists(WORDS), SEPARATORS)
def test_each_value_has_its_parts_once_and_in_order(values, separator):
    parts = [value.split(separator) if separator else [value] for value in values]
    assert named(values, separator) == [
        sorted({part for part in own if part}, key=str.encode) for own in parts
    ]


@given(st.lists(WORDS), st.lists(WORDS), SEPARATORS)
def test_numbers_keep_the_order_of_names_whatever_else_is_in_the_batch(values, others, separator):
    alone = categories_of(pa.array(values, pa.string()), separator)
    together = categories_of(pa.array(values + others, pa.string()), separator)
    number = [together.names.index(name) for name in alone.names]
    assert number == sorted(number)
    assert together.code[: len(alone.code)].tolist() == [number[code] for code in alone.code]


@given(st.lists(WORDS), SEPARATORS)
def test_membership_is_of_the_same_categories(values, separator):
    member = membership(pa.array(values, pa.string()), separator)
    own = named(values, separator)
    names = sorted({name for one in own for name in one}, key=str.encode)
    assert member.tolist() == [[int(name in one) for name in names] for one in own]


@given(st.lists(WORDS), SEPARATORS)
def test_padded_codes_are_those_of_each_value_and_then_0(values, separator):
    found = categories_of(pa.array(values, pa.string()), separator)
    rows = padded(found).tolist()
    assert [[found.names[c - 1] for c in row if c] for row in rows] == named(values, separator)
    assert all(sorted(row, key=lambda c: c == 0) == row for row in rows)


def test_names_that_no_value_has_get_a_number_too():
    assert categories_of(pa.array(["b"]), "", also=["c", "a"]).names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("items", "pinned", "blocked"),
    [
        (pa.array([7, -2, 2**53 + 1, 2**53]), {"7": 2, str(2**53): 1, "99": 3}, (-2, 5)),
        (pa.array(["7", "x y", "é", "z"]), {"7": 2, "z": 1, "no": 3}, ("x y", "n")),
    ],
    ids=["integers", "strings"],
)
def test_items_are_pinned_and_blocked_by_their_ids(items, pinned, blocked):
    policy = PolicyConfig(pinned=pinned, blocked=blocked, relax=("pinned",))
    rules = rules_of(policy, items, [])
    assert rules.pinned.tolist() == [2, 0, 0, 1]
    assert rules.blocked.tolist() == [False, True, False, False]
    assert rules.relax == ("pinned",)


@given(
    st.lists(st.integers(-5, 5)),
    st.dictionaries(st.integers(-5, 5), st.integers(1, 9)),
    st.lists(st.integers(-5, 5)),
)
def test_marks_are_those_of_a_loop_over_the_batch(items, pinned, blocked):
    policy = PolicyConfig(pinned={str(i): p for i, p in pinned.items()}, blocked=tuple(blocked))
    rules = rules_of(policy, pa.array(items, pa.int64()), [])
    if not pinned and not blocked:
        assert rules is None
        return
    assert rules.pinned is None or rules.pinned.tolist() == [pinned.get(i, 0) for i in items]
    assert rules.blocked is None or rules.blocked.tolist() == [i in blocked for i in items]
    assert (rules.pinned is None, rules.blocked is None) == (not pinned, not blocked)


def test_quotas_are_asked_of_the_numbers_of_their_names():
    policy = PolicyConfig(quotas={"b": 2, "c": 1}, max_per_category=3, window=4)
    rules = rules_of(policy, pa.array([1]), ["a", "b", "c"])
    assert (rules.quotas, rules.max_per_category, rules.window) == ({1: 2, 2: 1}, 3, 4)
    with pytest.raises(ValueError, match="'c' is not in list"):
        rules_of(policy, pa.array([1]), ["a", "b"])


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (PolicyConfig(), ""),
        (PolicyConfig(relax=("quotas",)), ""),
        (
            PolicyConfig(max_per_category=2, window=4, relax=("max_per_category",)),
            "at most 2 of a category in any 4 in a row; giving way in the order max_per_category",
        ),
        (
            PolicyConfig(
                max_per_category=2,
                quotas={"books": 1},
                pinned={"5320": 1},
                blocked=(1, 2, 3, 4, 5, 6),
                relax=("quotas", "pinned"),
            ),
            "at most 2 of a category in a list; at least 1 of books; item 5320 at place 1; never "
            "1, 2, 3, 4, 5 and 1 more; giving way in the order quotas, then pinned",
        ),
        (PolicyConfig(blocked=("a",)), "never a; nothing gives way"),
    ],
)
def test_a_policy_is_told_in_a_sentence(policy, words):
    assert policy_told(policy) == words
