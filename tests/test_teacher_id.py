"""The id of labels changes with what decides them, and with nothing else."""

import dataclasses

import pytest

from jobs.lake import SAFE_VALUE
from jobs.teacher import teacher_id, teacher_told
from model.config import USES, PolicyConfig, TeacherConfig

MMR = TeacherConfig()
POLICY = PolicyConfig(quotas={"a": 1, "b": 2}, blocked=(1, 2), relax=("quotas", "blocked"))
OTHER_VALUES = {
    "name": "mmr_item",
    "diversity_weight": 0.5,
    "k": 6,
    "cosine_scale": 1.0,
    "context": 3,
    "rounds": 2,
    "decay": 0.5,
    "interest": True,
    "window": 4,
    "volume": True,
    "add_back": True,
}


@pytest.mark.parametrize("name", USES)
def test_each_parameter_that_the_teacher_reads_makes_another_id(name):
    one = TeacherConfig(name=name, window=9) if "window" in USES[name] else TeacherConfig(name=name)
    ids = {teacher_id(one, PolicyConfig(), "m1"), teacher_id(one, PolicyConfig(), "m2")}
    for key in ("k", *USES[name]):
        other = dataclasses.replace(one, **{key: OTHER_VALUES[key]})
        ids.add(teacher_id(other, PolicyConfig(), "m1"))
    assert len(ids) == 3 + len(USES[name])
    assert all(one.startswith(f"{name}-") and SAFE_VALUE.fullmatch(one) for one in ids)


def test_a_parameter_that_the_teacher_does_not_read_is_not_hashed():
    before = teacher_id(MMR, PolicyConfig(), "m1")
    unread = TeacherConfig()
    # Past the check of the ranges, as a default that another version of the code has.
    object.__setattr__(unread, "decay", 0.5)
    assert teacher_id(unread, PolicyConfig(), "m1") == before


def test_each_rule_makes_another_id_and_what_asks_nothing_does_not():
    def of(**rules: object) -> str:
        return teacher_id(MMR, dataclasses.replace(POLICY, **rules), "m1")

    plain = teacher_id(MMR, PolicyConfig(), "m1")
    assert plain == teacher_id(MMR, PolicyConfig(relax=("quotas",), max_unlabelled=0.5), "m1")
    same = {of(), of(blocked=(2, 1)), of(quotas={"b": 2, "a": 1}), of(max_unlabelled=0.2)}
    assert len(same) == 1
    others = {
        of(quotas={"a": 1}),
        of(blocked=(1,)),
        of(pinned={"9": 1}),
        of(max_per_category=2),
        of(max_per_category=2, window=3),
        of(relax=("blocked", "quotas")),
    }
    assert len(others | same | {plain}) == 8


def test_a_teacher_is_told_by_what_it_reads():
    assert teacher_told(MMR) == "mmr, K 5, lambda 0.25"
    assert (
        teacher_told(TeacherConfig(name="category_decay", k=3)) == "category_decay, K 3, delta 0.9"
    )
    ssd = TeacherConfig(name="ssd", window=10, volume=True)
    assert teacher_told(ssd) == "ssd, K 5, lambda 0.25, window 10, volume"
