"""What a teacher's table may say: its own parameters, in their ranges, and no other teacher's."""

import pytest

from model.config import USES, TeacherConfig


@pytest.mark.parametrize("name", sorted(USES))
def test_each_teacher_takes_its_own_parameters(name):
    values = {"cosine_scale": 2.0, "interest": True, "window": 3, "volume": True, "add_back": True}
    own = {key: value for key, value in values.items() if key in USES[name]}
    assert TeacherConfig(name=name, **own).name == name
    for key in values.keys() - own.keys():
        with pytest.raises(ValueError, match=f"{key} = .*the teacher {name} does not read it"):
            TeacherConfig(
                name=name, **{key: values[key]} | ({"window": 3} if key == "add_back" else {})
            )


def test_unknown_names_and_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"teacher.name = 'pdd' is not allowed; it must be one of"):
        TeacherConfig(name="pdd")
    with pytest.raises(ValueError, match=r"teacher.window = -1 is not allowed; it must be at leas"):
        TeacherConfig(name="ssd", window=-1)
    with pytest.raises(ValueError, match=r"teacher.add_back = True is not allowed; it must be fal"):
        TeacherConfig(name="ssd", add_back=True)
