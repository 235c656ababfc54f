"""Padded tensors from ragged requests and from rows of examples."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batch import from_examples, from_ragged, tensors
from schemas.table import Column, Fields, Table
from schemas.tables import examples

FIELDS = Fields(item=("category",), context=("query",), dense=("score", "price"))
N = 3


def ragged(lengths: list[int], fields: int = 2, dense: int = 1):
    """Requests whose every value is a number of its own, from 1 on."""
    total = sum(lengths)
    tokens = 1 + np.arange(total * fields, dtype=np.int32).reshape(total, fields)
    features = 0.5 + np.arange(total * dense, dtype=np.float32).reshape(total, dense)
    users = 1 + np.arange(len(lengths) * 2, dtype=np.int32).reshape(-1, 2)
    return from_ragged(users, tokens, features, np.array(lengths))


def test_the_picture_in_the_docstring():
    padded = ragged([5, 2], fields=1)
    assert padded.valid.tolist() == [[True] * 5, [True, True, False, False, False]]
    assert padded.item_tokens[..., 0].tolist() == [[1, 2, 3, 4, 5], [6, 7, 0, 0, 0]]
    assert padded.dense[..., 0].tolist() == [[0.5, 1.5, 2.5, 3.5, 4.5], [5.5, 6.5, 0, 0, 0]]
    assert padded.user_tokens.tolist() == [[1, 2], [3, 4]]
    assert len(padded) == 2
    assert padded.exposed is padded.label is padded.win is None
    assert padded.item_tokens.dtype == padded.user_tokens.dtype == torch.int64
    assert padded.dense.dtype == torch.float32


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(1, 3), st.integers(0, 2))
@settings(deadline=None, max_examples=40)
def test_padding_loses_and_moves_nothing(lengths, fields, dense):
    padded = ragged(lengths, fields, dense)
    assert padded.valid.sum(1).tolist() == lengths
    assert padded.valid.shape == (len(lengths), max(lengths))
    total = sum(lengths)
    tokens = 1 + np.arange(total * fields).reshape(total, fields)
    assert padded.item_tokens[padded.valid].tolist() == tokens.tolist()
    assert padded.dense[padded.valid].shape == (total, dense)
    assert not padded.item_tokens[~padded.valid].any()
    assert not padded.dense[~padded.valid].any()


def row_columns() -> dict[str, object]:
    """Two rows of examples as Petastorm gives them: flat lists, int32, and strings."""
    return {
        "request_id": np.array(["a", "b"]),
        "request_dt": torch.tensor([1, 1], dtype=torch.int32),
        "n_candidates": np.array([3, 1], np.int32),
        "user_tokens": np.array([[5, 6], [7, 8]], np.int32),
        "item_tokens": np.array([[1, 2, 3, 4, 5, 6], [9, 8, 0, 0, 0, 0]], np.int32),
        "dense": torch.arange(12, dtype=torch.float32).view(2, 6),
        "exposed": np.array([[1, 0, 1], [1, 0, 0]], np.float32),
        "label": np.array([[1, 0, 0], [0, 0, 0]], np.float32),
        "win": np.array([[0, 1, 1], [1, 0, 0]], np.float32),
        "shown_rank": np.array([[2, 0, 1], [0, 0, 0]], np.int32),
    }


def test_rows_of_examples():
    found = from_examples(examples(FIELDS, N), row_columns())
    assert found.item_tokens.tolist() == [[[1, 2], [3, 4], [5, 6]], [[9, 8], [0, 0], [0, 0]]]
    assert found.dense[0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert found.user_tokens.tolist() == [[5, 6], [7, 8]]
    assert found.valid.tolist() == [[True, True, True], [True, False, False]]
    assert found.exposed.dtype == torch.bool
    assert found.exposed.tolist() == [[True, False, True], [True, False, False]]
    assert found.label.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert found.win.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert found.shown_rank.tolist() == [[2, 0, 1], [0, 0, 0]]
    assert found.item_tokens.dtype == found.user_tokens.dtype == torch.int64


def test_without_dense_features_there_are_none():
    fields = Fields(item=("category",), context=("query",))
    columns = row_columns()
    del columns["dense"]
    assert from_examples(examples(fields, N), columns).dense.shape == (2, N, 0)


def test_rows_without_ranks_know_none():
    columns = row_columns()
    del columns["shown_rank"]
    assert from_examples(examples(FIELDS, N), columns).shown_rank is None


def test_examples_and_ragged_requests_make_the_same_batch():
    from_rows = from_examples(examples(FIELDS, N), row_columns())
    tokens = np.array([[1, 2], [3, 4], [5, 6], [9, 8]])
    dense = np.array([[0, 1], [2, 3], [4, 5], [6, 7]], np.float32)
    served = from_ragged(np.array([[5, 6], [7, 8]]), tokens, dense, np.array([3, 1]))
    assert torch.equal(from_rows.valid, served.valid)
    assert torch.equal(from_rows.item_tokens, served.item_tokens)
    assert torch.equal(from_rows.dense[from_rows.valid], served.dense[served.valid])


def test_columns_are_rendered_by_their_declaration():
    table = Table(
        name="t",
        row="one",
        key=("id",),
        columns=(
            Column(name="id", kind="string", meaning=""),
            Column(name="count", kind="int32", meaning=""),
            Column(name="grid", kind="float32", meaning="", shape=(2, 3)),
            Column(name="absent", kind="float32", meaning=""),
        ),
    )
    columns = {"id": ["a"], "count": np.array([4], np.int32), "grid": torch.arange(6.0).view(1, 6)}
    found = tensors(table, columns | {"stranger": torch.zeros(1)})
    assert set(found) == {"count", "grid"}
    assert found["count"].dtype == torch.int64
    assert found["grid"].tolist() == [[[0, 1, 2], [3, 4, 5]]]
    with pytest.raises(RuntimeError, match="shape"):
        tensors(table, {"grid": torch.zeros(1, 5)})
