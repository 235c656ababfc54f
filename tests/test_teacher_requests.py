"""A request that is wrong is refused by its number before a kernel sees it."""

from dataclasses import replace

import numpy as np
import pytest
from teacher_requests import request

from model.teachers.requests import Requests, check_vectors


def two() -> dict:
    return {
        "ends": np.array([2, 5]),
        "row": np.array([0, 1, 3, 2, 0]),
        "f": np.full(5, 0.5),
        "table": np.ones((4, 2), np.float32),
        "u": np.ones((2, 2), np.float32),
        "category_ends": np.array([1, 1, 2, 2, 3]),
        "category": np.array([4, 0, 4]),
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("f", np.array([0.5, 0.5, 0.5, np.nan, 0.5]), r"request 1: f is not finite at its can.* 1"),
        ("f", np.array([0.5, np.inf, 0.5, 0.5, 0.5]), r"request 0: f is not finite at its can.* 1"),
        ("f", np.full(4, 0.5), "request 1: it ends at 5, but f at 4"),
        ("f", np.full(5, 0.5, np.float32), "f is not a list of float64"),
        ("row", np.array([0, 1, 4, 2, 0]), "request 1: row is outside of the table of 4 items"),
        ("row", np.array([-1, 1, 3, 2, 0]), "request 0: row is outside of the table of 4 items"),
        ("row", np.array([0, 1, 3]), "request 1: it ends at 5, but row at 3"),
        ("ends", np.array([0, 5]), "request 0: it has no candidates"),
        ("ends", np.array([5, 5]), "request 1: it has no candidates"),
        ("ends", np.array([2, 5], np.int32), "ends is not a list of int64"),
        ("u", np.ones((3, 2), np.float32), r"u has shape \(3, 2\), not \(2, 2\)"),
        ("u", np.array([[1, 1], [np.inf, 1]], np.float32), "request 1: u is not finite"),
        ("u", np.ones((2, 2)), "u is float64, not float32"),
        ("table", np.ones((4, 2)), "table is not float32"),
        ("table", np.ones((2, 4), np.float32).T, "table is not C-contiguous"),
        ("category_ends", np.array([1, 0, 2, 2, 3]), "request 0: category_ends falls at its candi"),
        ("category_ends", np.array([1, 1, 2, 2, 2]), "category_ends ends at 2, category at 3"),
        ("category_ends", np.array([3]), "request 1: it ends at 5, but category_ends at 1"),
        ("category", np.array([4, -1, 4]), "category holds numbers below 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(name, value, message):
    Requests(**two())
    with pytest.raises(ValueError, match=message):
        Requests(**two() | {name: value})


def test_a_vector_that_is_not_finite_is_found_where_it_is_used():
    table = np.ones((4, 2), np.float32)
    table[3, 1] = np.nan
    requests = Requests(**two() | {"table": table})
    with pytest.raises(
        ValueError, match=r"request 1: the item vector is not finite at its can.* 0"
    ):
        check_vectors(requests)
    check_vectors(replace(requests, row=np.array([0, 1, 2, 2, 0])))
    check_vectors(request([0.5], [[1.0]]))
