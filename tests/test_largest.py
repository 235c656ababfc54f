"""The k largest of each row, against sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.students.largest import GROUPS, SIDE_BY_SIDE, largest

VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e9, 1e9, width=32))


@st.composite
def rows_and_k(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    """Rows of any size, a few different values each, so that ties are common."""
    m = draw(st.integers(1, 3 * GROUPS))
    count = draw(st.sampled_from([1, 2, SIDE_BY_SIDE - 1, SIDE_BY_SIDE + 1]))
    pool = np.array(draw(st.lists(VALUES, min_size=1, max_size=m)), np.float32)
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    return rng.choice(pool, (count, m)), draw(st.integers(1, m))


@given(rows_and_k())
@settings(deadline=None, max_examples=200)
def test_they_are_those_of_a_sorted_row(drawn):
    rows, k = drawn
    places = largest(rows, k)
    assert places.shape == (len(rows), k)
    assert (np.sort(places, axis=1)[:, 1:] > np.sort(places, axis=1)[:, :-1]).all(), "twice"
    found = np.take_along_axis(rows, places, axis=1)
    assert (found == -np.sort(-rows, axis=1)[:, :k]).all()


@pytest.mark.parametrize(("m", "k"), [(128, 10), (500, 20), (33, 32), (1000, 100)])
def test_of_different_values_the_places_are_torchs(m, k):
    rng = np.random.default_rng(m)
    rows = np.stack([rng.permutation(m) for _ in range(100)]).astype(np.float32)
    assert (largest(rows, k) == np.argsort(-rows, axis=1)[:, :k]).all()


def test_the_example_of_the_docstring():
    row = np.array([[3, 9, 4, 1, 8, 2, 7, 5, 6, 0]], np.float32)
    assert largest(row, 2).tolist() == [[1, 4]]


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_what_is_no_number_still_gives_places(value):
    """A diverged training is told of by its loss: nothing may be read from wild memory before."""
    rows = np.random.default_rng(0).normal(size=(70, 200)).astype(np.float32)
    rows[::2, ::3] = value
    rows[::3] = value
    places = largest(rows, 20)
    assert ((places >= 0) & (places < 200)).all()
