"""Teachers and policy in a profile: what contradicts is told with its line before anything runs."""

import pytest

from jobs.errors import Refused
from jobs.profile.keys import keys
from jobs.profile.load import load_profile
from model.config import PolicyConfig, TeacherConfig

HEAD = """\
name = "mine"
[fields]
item_id = "{item_id}"
item = ["brand", "kind"]
category = "{category}"
category_separator = "{separator}"
[teacher]
k = 5
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a profile of teachers and a policy, written below HEAD from line 9 on."""
    monkeypatch.chdir(tmp_path)

    def from_text(text: str, item_id: str = "int64", category: str = "kind", separator: str = ""):
        head = HEAD.format(item_id=item_id, category=category, separator=separator)
        (tmp_path / "my.toml").write_text(head + text, encoding="utf-8")
        return load_profile("my.toml")

    return from_text


def test_a_policy_and_further_teachers_are_read(load):
    profile = load(
        '[policy]\nmax_per_category = 2\nwindow = 3\nquotas = { "new books" = 1, toys = 2 }\n'
        'pinned = { 5320 = 1, -7 = 4 }\nblocked = [9]\nrelax = ["pinned", "quotas"]\n'
        '[[further_teachers]]\ndiversity_weight = 1.0\n[[further_teachers]]\nname = "dpp"\nk = 7\n'
    )
    assert profile.policy == PolicyConfig(
        max_per_category=2,
        window=3,
        quotas={"new books": 1, "toys": 2},
        pinned={"5320": 1, "-7": 4},
        blocked=(9,),
        relax=("pinned", "quotas"),
    )
    assert profile.teachers == (
        TeacherConfig(),
        TeacherConfig(diversity_weight=1.0),
        TeacherConfig(name="dpp", k=7),
    )
    assert not load("").policy.has_rules
    assert load('[policy]\nblocked = ["7"]', item_id="string").policy.has_rules


def test_quotas_beyond_k_are_fine_where_an_item_has_several_categories(load):
    text = "[policy]\nquotas = { a = 3, b = 3 }"
    assert sum(load(text, separator="|").policy.quotas.values()) > 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[policy]\nmax_per_categry = 1",
         "line 10: unknown key policy.max_per_categry; did you mean policy.max_per_category?"),
        ("[policy]\nmax_per_category = -1",
         "line 10: policy.max_per_category = -1 is not allowed; it must be at least 0"),
        ("[policy]\nwindow = 3",
         "line 10: policy.window = 3 is not allowed; it must be left out where max_per_category "
         "= 0"),
        ("[policy]\nmax_unlabelled = nan",
         "line 10: policy.max_unlabelled = nan is not allowed; it must be from 0 to 1"),
        ('[policy]\nrelax = ["quota"]',
         "line 10: policy.relax[0] = 'quota' is not allowed; it must be one of blocked, pinned, "
         "max_per_category, quotas (is 'quotas' meant?)"),
        ('[policy]\nrelax = ["pinned", "pinned"]',
         "line 10: policy.relax = ('pinned', 'pinned') is not allowed; it must be each once"),
        ("[policy.quotas]\nbooks = 0",
         "line 10: policy.quotas.books = 0 is not allowed; it must be at least 1"),
        ("[policy.quotas]\nbooks = 6",
         "line 10: policy.quotas.books = 6 is more than teacher.k = 5; lower it"),
        ("[policy.quotas]\nbooks = 3\ntoys = 3",
         "line 9: policy.quotas ask for 6 picks, teacher.k = 5 are made, and no item has two "
         "categories (fields.category_separator is not set); lower them"),
        ("[policy]\nmax_per_category = 1\nwindow = 2\nquotas = { books = 4 }",
         "line 12: policy.quotas.books = 4 is more than the 3 that policy.max_per_category leaves "
         "of teacher.k = 5; change one of the two"),
        ("[policy]\nquotas = { '' = 1 }",
         "line 10: policy.quotas has '', which is no category but none; take it out"),
        ("[policy]\npinned = { 5 = 0 }",
         "line 10: policy.pinned.5 = 0 is not allowed; it must be from 1"),
        ("[policy]\npinned = { 5 = 6 }",
         "line 10: policy.pinned.5 = 6 is not allowed; it must be up to K = 5"),
        ("[policy.pinned]\n5 = 1\n007 = 2",
         "line 11: policy.pinned.007 is no integer, and fields.item_id = 'int64' are integers"),
        ("[policy.pinned]\n5 = 1\n7 = 1",
         "line 11: policy.pinned.7 = 1 is the place of 5 already; give it another"),
        ('[policy]\nblocked = [1, "7"]',
         "line 10: policy.blocked[1] = '7' is not allowed; it must be an integer without quotes, "
         "as fields.item_id = 'int64'"),
        ("[policy]\nblocked = [\n  1,\n  9223372036854775808,\n]",
         "line 10: policy.blocked[1] = 9223372036854775808 is not allowed; it must be an integer "
         "without quotes, as fields.item_id = 'int64'"),
        ("[policy]\nblocked = [7]\npinned = { 7 = 2 }",
         "line 10: policy.blocked[0] = 7 is policy.pinned to place 2 too; keep one of the two"),
        ("[[further_teachers]]\nk = 4\n[[further_teachers]]\nk = 4",
         "line 11: further_teachers[1] is the same as further_teachers[0]; take it out, or change "
         "it"),
        ("[[further_teachers]]\nk = 5",
         "line 9: further_teachers[0] is the same as teacher; take it out, or change it"),
        ("[[further_teachers]]\nk = 4\n[[further_teachers]]\nk = 0",
         "line 12: further_teachers[1].k = 0 is not allowed; it must be at least 1"),
        ('[[further_teachers]]\nname = "mrr"',
         "line 10: further_teachers[0].name = 'mrr' is not allowed; it must be one of mmr, "),
        ('[[further_teachers]]\nname = "dpp"\ncosine_scale = 1',
         "line 11: further_teachers[0].cosine_scale = 1.0 is not allowed; it must be left out, for "
         "the teacher dpp does not read it"),
        ("[[further_teachers]]\ndiversty_weight = 1",
         "line 10: unknown key further_teachers[0].diversty_weight; did you mean "
         "further_teachers[0].diversity_weight?"),
        ("[[further_teachers]]\ndiversity_weight = nan",
         "line 10: further_teachers[0].diversity_weight = nan is not allowed; it must be from 0"),
        ("[[further_teachers]]\ncosine_scale = inf",
         "line 10: further_teachers[0].cosine_scale = inf is not allowed; it must be at least 0 "
         "and finite"),
        ("[policy.quotas]\nbooks = 4\n[[further_teachers]]\nk = 3",
         "line 10: policy.quotas.books = 4 is more than further_teachers[0].k = 3; lower it"),
    ],
)  # fmt: skip
def test_what_contradicts_is_refused_with_its_line(load, text, told):
    with pytest.raises(Refused) as refusal:
        load(text)
    assert str(refusal.value).startswith(f"profile my.toml, {told}")


@pytest.mark.parametrize(
    ("text", "fields", "told"),
    [
        ("[policy]\nblocked = [7]", {"item_id": "string"},
         "line 10: policy.blocked[0] = 7 is not allowed; it must be text in quotes, as "
         "fields.item_id = 'string'"),
        ("[policy]\nmax_per_category = 2", {"category": ""},
         "line 10: policy.max_per_category = 2 needs categories; name one of fields.item as "
         "fields.category, or take it out"),
        ("[policy]\nquotas = { a = 1 }", {"category": ""},
         "line 10: policy.quotas = {'a': 1} needs categories; name one of fields.item"),
        ("[policy.quotas]\n'a|b' = 1", {"separator": "|"},
         "line 10: policy.quotas.a|b is several categories, by fields.category_separator = '|'; "
         "give 'a' and 'b' a quota each"),
        ('[[further_teachers]]\nname = "calibrated"', {"category": ""},
         "line 10: further_teachers[0].name = 'calibrated' needs categories; name one of "
         "fields.item as fields.category, or name another teacher"),
    ],
)  # fmt: skip
def test_what_the_fields_do_not_give_is_refused(load, text, fields, told):
    with pytest.raises(Refused) as refusal:
        load(text, **fields)
    assert str(refusal.value).startswith(f"profile my.toml, {told}")


@pytest.mark.parametrize("value", ["k = 0", "k = -3", "diversity_weight = nan", 'name = "mrr"'])
def test_the_teacher_of_training_is_refused_by_its_own_name(tmp_path, value):
    path = tmp_path / "my.toml"
    path.write_text(f'name = "mine"\n[teacher]\n{value}\n')
    with pytest.raises(Refused, match=f"line 3: teacher.{value.split()[0]} = .* is not allowed"):
        load_profile(str(path))


def test_the_keys_tell_the_policy_and_that_further_teachers_are_as_the_teacher():
    text = keys("policy")
    assert text.startswith("[policy]\n")
    assert "    quotas: table of int\n" in text
    assert "    blocked: list of int or str\n" in text
    assert "    max_unlabelled: float = 0.01\n" in text
    assert "as in [teacher]: name, diversity_weight, k," in keys("further_teachers")
