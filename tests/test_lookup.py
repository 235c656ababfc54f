"""Where values stand among known ones: as a dict has it, for strings, long integers and nulls."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from candidate_sets import INTEGERS, STRINGS
from hypothesis import given
from hypothesis import strategies as st

from model.lookup import Lookup


@pytest.mark.parametrize(("values", "kind"), [(INTEGERS, pa.int64()), (STRINGS, pa.string())])
@given(data=st.data())
def test_positions_are_those_of_a_dict(values, kind, data):
    known = data.draw(st.lists(values, unique=True, max_size=12))
    sought = data.draw(st.lists(st.one_of(st.none(), values, *map(st.just, known))))
    place = {value: at for at, value in enumerate(known)}
    found = Lookup(pa.array(known, kind)).find(pa.array(sought, kind))
    assert found.dtype == np.int64
    assert found.tolist() == [place.get(value, -1) for value in sought]


def test_integers_that_one_float_would_stand_for_are_told_apart():
    # A null among them must not make floats of the others.
    lookup = Lookup(pa.array([2**53, 2**53 + 1, 2**63 - 1, -(2**63)]))
    sought = pa.array([2**53 + 1, None, 2**53, 2**63 - 2, 2**63 - 1, -(2**63)])
    assert lookup.find(sought).tolist() == [1, -1, 0, -1, 2, 3]


@pytest.mark.parametrize("known", [pa.array([3, 1]), pa.array(["b", "a"])])
def test_a_slice_is_read_as_a_slice(known):
    lookup = Lookup(known.slice(1))
    assert lookup.find(known).tolist() == [-1, 0]
    assert lookup.find(known.slice(1)).tolist() == [0]


def test_it_travels_without_its_table_and_answers_the_same():
    known = pa.array(range(0, 300_000, 3))
    lookup, sought = Lookup(known), pa.array([6, 7, None])
    before = pickle.dumps(lookup)
    answer = lookup.find(sought).tolist()
    assert answer == [2, -1, -1]
    # The table, once it is built, is larger than the values that it is made of.
    assert len(pickle.dumps(lookup)) == len(before) < 1.1 * known.nbytes
    assert pickle.loads(before).find(sought).tolist() == answer
