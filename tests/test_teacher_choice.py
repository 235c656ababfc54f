"""Every teacher that a profile may name exists, and refuses what it would not read."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import batches, candidates, categories, request

from model.config import USES, TeacherConfig
from model.teachers.choice import TEACHERS, pick
from model.teachers.lazy_greedy import _pick_all


@pytest.mark.parametrize("name", USES)
def test_every_name_is_a_teacher(name):
    requests = request([0.2, 0.5, 0.4], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], categories=[[0]] * 3)
    picks = pick(requests, TeacherConfig(name=name, k=2))
    assert sorted(picks.order) == [0, 1, 2]
    assert picks.order[1] == 1
    assert USES.keys() == TEACHERS.keys()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "mmrr"}, "teacher.name = 'mmrr' is not allowed; it must be one of mmr, mmr_item"),
        ({"name": "mmr", "decay": 0.8}, "teacher.decay = 0.8 .*left out, for the teacher mmr does"),
        ({"name": "msd", "cosine_scale": 2.0}, r"teacher.cosine_scale = 2.0 .*the teacher msd"),
        ({"name": "category_decay", "diversity_weight": 1.0}, "teacher.diversity_weight = 1.0"),
        ({"name": "mmr", "rounds": 2, "context": 9}, "teacher.context = 9 (.|\n)*rounds = 2"),
        ({"name": "one_pass", "rounds": 4}, "teacher.rounds = 4 .*from 1 to 3"),
        ({"name": "one_pass", "context": -1}, "teacher.context = -1 .*at least 0"),
        ({"name": "category_decay", "decay": 0.0}, "teacher.decay = 0.0 .*above 0 and at most 1"),
    ],
)
def test_what_a_teacher_does_not_read_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TeacherConfig(**settings)


def test_all_that_a_teacher_reads_may_be_set():
    TeacherConfig(name="one_pass", context=9, rounds=3, cosine_scale=2.0, diversity_weight=0.5)
    TeacherConfig(name="category_decay", decay=0.5, k=20)


def shuffled(requests, order):
    """Return the requests with their candidates in another order."""
    each = [categories(requests, i) for i in order]
    return replace(
        requests,
        row=requests.row[order],
        f=requests.f[order],
        category_ends=np.cumsum([len(c) for c in each]),
        category=np.array([c for one in each for c in one], np.int64),
    )


@pytest.mark.parametrize("name", USES)
@given(requests=batches(max_candidates=25), k=st.integers(1, 12), data=st.data())
@settings(max_examples=30, deadline=None)
def test_picks_depend_on_the_request_alone(name, requests, k, data):
    """Neither on the order of its candidates nor on what else is in the batch."""
    config = TeacherConfig(name=name, k=k)
    picks = pick(requests, config)
    order = [i for of in candidates(requests) for i in data.draw(st.permutations(of))]
    other = pick(shuffled(requests, order), config)
    np.testing.assert_array_equal(other.order, picks.order[order])
    np.testing.assert_allclose(other.gain, picks.gain[order], rtol=1e-12, atol=1e-12)
    for r, of in enumerate(candidates(requests)):
        alone = request(
            requests.f[of],
            requests.table,
            requests.u[r],
            [categories(requests, i) for i in of],
            requests.row[of],
        )
        found = pick(alone, config)
        np.testing.assert_array_equal(found.order, picks.order[of])
        np.testing.assert_allclose(found.gain, picks.gain[of], rtol=1e-12, atol=1e-12)


def test_a_mapped_table_is_not_compiled_for_again(tmp_path):
    requests = request([0.2, 0.5, 0.4], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    expected = pick(requests, TeacherConfig(k=2))
    known = len(_pick_all.signatures)
    np.save(tmp_path / "table.npy", requests.table)
    mapped = replace(requests, table=np.load(tmp_path / "table.npy", mmap_mode="r"))
    assert pick(mapped, TeacherConfig(k=2)).order.tolist() == expected.order.tolist()
    assert len(_pick_all.signatures) == known
