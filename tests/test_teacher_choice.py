"""Every teacher that a profile may name exists, and refuses what it would not read."""

import pytest
from teacher_requests import request

from model.config import USES, TeacherConfig
from model.teachers.choice import TEACHERS, pick


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
