"""Tokens to indices and back on disk; dense values in standard units."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.vocabulary import FIRST, PADDING, UNKNOWN, Vocabulary, grown

BIG = [-(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1]
WORDS = ["", "Tea", "tea", "é", "\N{GRINNING FACE}"]


def make_vocabulary(**tokens: pa.Array) -> Vocabulary:
    return Vocabulary(tokens, np.zeros(0), np.ones(0))


def test_padding_unknown_then_tokens_in_their_order():
    assert (PADDING, UNKNOWN, FIRST) == (0, 1, 2)
    vocabulary = make_vocabulary(word=pa.array(WORDS), number=pa.array(BIG))
    assert vocabulary.encode("word", pa.array(WORDS)).tolist() == [2, 3, 4, 5, 6]
    assert vocabulary.encode("number", pa.array(BIG)).tolist() == [2, 3, 4, 5, 6, 7]
    assert vocabulary.size("word") == 7
    assert vocabulary.size("number") == 8


def test_unknown_tokens_and_nulls_become_one():
    vocabulary = make_vocabulary(word=pa.array(["a", "b"]), number=pa.array([2**53]))
    words = pa.array(["b", "c", None, "B", "a"])
    assert vocabulary.encode("word", words).tolist() == [3, 1, 1, 1, 2]
    numbers = pa.array([2**53 + 1, 2**53, None], pa.int64())
    assert vocabulary.encode("number", numbers).tolist() == [1, 2, 1]
    assert vocabulary.encode("word", pa.array([], pa.string())).tolist() == []


def test_an_empty_vocabulary_knows_nothing():
    vocabulary = make_vocabulary(word=pa.array([], pa.string()))
    assert vocabulary.size("word") == FIRST
    assert vocabulary.encode("word", pa.array(["a"])).tolist() == [UNKNOWN]


@given(st.lists(st.text(max_size=2), unique=True), st.lists(st.text(max_size=2)))
@settings(deadline=None, max_examples=60)
def test_encoding_is_a_lookup(tokens, values):
    vocabulary = make_vocabulary(word=pa.array(tokens, pa.string()))
    found = vocabulary.encode("word", pa.array(values, pa.string()))
    assert found.dtype == np.int64
    expected = [tokens.index(v) + FIRST if v in tokens else UNKNOWN for v in values]
    assert found.tolist() == expected
    assert (found < vocabulary.size("word")).all()


def test_a_slice_of_a_longer_column_is_encoded_as_itself():
    vocabulary = make_vocabulary(word=pa.array(["a", "b"]))
    assert vocabulary.encode("word", pa.array(["x", "b", None, "a"]).slice(1, 2)).tolist() == [3, 1]


def test_dense_values_in_standard_units():
    vocabulary = Vocabulary({}, np.array([10.0, -1.0]), np.array([2.0, 0.5]))
    found = vocabulary.standardise(np.array([[[10.0, -1.0], [14.0, -2.0]]]))
    assert found.dtype == np.float32
    assert found.tolist() == [[[0.0, 0.0], [2.0, -2.0]]]
    assert make_vocabulary().standardise(np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("dense", [0, 2])
def test_it_comes_back_from_disk(tmp_path, dense):
    tokens = {"word": pa.array(WORDS), "number": pa.array(BIG, pa.int64())}
    moments = np.array([0.1, 1e300])[:dense], np.array([1 / 3, 1e-300])[:dense]
    Vocabulary(tokens, *moments).save(tmp_path / "vocabulary")
    loaded = Vocabulary.load(tmp_path / "vocabulary", ("word", "number"))
    assert {name: array.to_pylist() for name, array in loaded.tokens.items()} == {
        "word": WORDS,
        "number": BIG,
    }
    assert loaded.tokens["number"].type == pa.int64()
    assert loaded.dense_mean.tolist() == moments[0].tolist()
    assert loaded.dense_deviation.tolist() == moments[1].tolist()


@given(st.lists(st.integers(0, 12), unique=True), st.lists(st.integers(0, 12), unique=True))
@settings(deadline=None, max_examples=60)
def test_a_grown_list_keeps_every_index_and_appends_what_is_new(known, found):
    old, new = pa.array(known, pa.int64()), pa.array(found, pa.int64())
    assert grown(old, new).to_pylist() == known + [token for token in found if token not in known]
    assert grown(grown(old, new), new).equals(grown(old, new))


def test_only_the_fields_asked_for_are_read(tmp_path):
    make_vocabulary(word=pa.array(["a"]), other=pa.array(["b"])).save(tmp_path)
    assert set(Vocabulary.load(tmp_path, ("word",)).tokens) == {"word"}
    with pytest.raises(FileNotFoundError, match="brand"):
        Vocabulary.load(tmp_path, ("word", "brand"))
