"""The explanation of a pick against the kernels: the same gains, and nothing left that had more."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import batches, candidates, picked, request

from model.config import USES, TeacherConfig
from model.teachers import dpp, ssd
from model.teachers.choice import TEACHERS
from model.teachers.explain import formula, terms
from model.teachers.requests import Requests

PICK = {"dpp": dpp.pick, "ssd": ssd.pick} | TEACHERS
VARIANTS = {
    "mmr": [{}, {"cosine_scale": 2.0}],
    "one_pass": [{}, {"context": 3, "rounds": 2}, {"cosine_scale": 2.0, "rounds": 3}],
    "category_decay": [{"decay": 0.5}],
    "dpp": [{}, {"interest": True, "window": 2}],
    "ssd": [{}, {"volume": True, "window": 3}, {"add_back": True, "window": 2, "volume": True}],
}
CASES = [(name, own) for name in USES for own in VARIANTS.get(name, [{}])]


def only(requests: Requests, number: int) -> Requests:
    """Return one request of a batch."""
    of = candidates(requests)[number]
    first = requests.category_ends[of.start - 1] if of.start else 0
    ends = requests.category_ends[of.start : of.stop]
    return Requests(
        ends=np.array([len(of)]),
        row=requests.row[of.start : of.stop],
        f=requests.f[of.start : of.stop],
        table=requests.table,
        u=requests.u[number : number + 1],
        category_ends=ends - first,
        category=requests.category[first : ends[-1]],
    )


@pytest.mark.parametrize(("name", "own"), CASES, ids=str)
@given(requests=batches(max_candidates=20), k=st.integers(1, 9))
@settings(max_examples=25)
def test_the_gains_are_those_of_the_kernel_and_none_was_larger(name, own, requests, k):
    config = TeacherConfig(name=name, k=k, **own)
    picks = PICK[name](requests, config)
    for number, of in enumerate(candidates(requests)):
        one, order = only(requests, number), [i - of.start for i in picked(picks, of)]
        for step, i in enumerate(order):
            found = terms(one, config, order[:step])
            assert found.gain[i] == pytest.approx(picks.gain[of.start + i], abs=1e-6)
            left = [j for j in range(len(of)) if j not in order[:step]]
            assert found.gain[left].max() <= found.gain[i] + 1e-6


# --- what the parts say, by hand


F = [0.5, 0.4, 0.3]
E = [[1.0, 0.0], [3.0, 4.0], [0.0, 0.0]]


def parts(picks: list[int], *, categories=None, u=(1.0, 1.0), **config) -> tuple[dict, list]:
    """Return the parts to four places, and the nearest picks."""
    found = terms(request(F, E, u, categories), TeacherConfig(**config), picks)
    nearest = None if found.nearest is None else found.nearest.tolist()
    return {name: np.round(values, 4).tolist() for name, values in found.parts.items()}, nearest


def test_mmr_compares_as_the_user_sees_it():
    found, nearest = parts([0], u=(2.0, 1.0), name="mmr", diversity_weight=0.25)
    assert found["s"] == [4.0, 12.0, 0.0]
    assert found["lambda*Div"][2] == 0.125
    assert nearest == [0, 0, 0]


def test_item_level_mmr_compares_by_plain_cosines():
    found, nearest = parts([2, 0], name="mmr_item", diversity_weight=0.5)
    assert found["cos"][1] == 0.6
    assert found["lambda*Div"] == [0.0, 0.2, 0.5]
    assert nearest[1] == 0


def test_nothing_is_near_a_first_pick():
    for name in ("mmr", "mmr_item", "msd", "dpp", "ssd"):
        requests = request(F, E)
        found = terms(requests, TeacherConfig(name=name), [])
        assert found.nearest.tolist() == [-1, -1, -1]
        if name not in ("dpp", "ssd"):
            assert found.gain.tolist() == F
            assert np.isnan(next(iter(found.parts.values()))).all()


def test_decay_counts_earlier_picks_of_the_category():
    found, nearest = parts([0, 1], categories=[[0], [0, 1], [0]], name="category_decay", decay=0.5)
    assert found == {"n": [2, 2, 2], "delta^n": [0.25, 0.25, 0.25]}
    assert nearest is None
    found, _ = parts([0], categories=[[0], [1], []], name="category_decay", decay=0.5)
    assert found["n"] == [1, 0, 0]


def test_novelty_is_the_residual_of_the_vector_with_its_constant():
    # Likeness is (1 + cos) / 2 = 0.8; 1 - 0.8 ** 2 = 0.36.
    found, _ = parts([0], name="ssd")
    assert found["|rho|"][1] == 0.6
    assert found["P"] == [1.0, 1.0, 1.0]
    found, _ = parts([0], name="dpp")
    assert found["r"][1] == pytest.approx(1.001 - 0.64 / 1.001, abs=1e-4)


def test_calibration_tells_the_divergence_before_and_after():
    found, _ = parts([0], categories=[[0], [1], [0]], name="calibrated")
    assert found["KL before"][0] == found["KL"][0] == found["KL"][2]
    assert found["KL"][1] < found["KL before"][1]


def test_msd_tells_the_mean_distance():
    found, _ = parts([0, 2], name="msd")
    assert found["distance"][1] == 0.7


@pytest.mark.parametrize("name", USES)
def test_every_teacher_is_explained_in_the_words_of_its_parts(name):
    config = TeacherConfig(name=name)
    found = terms(request(F, E, categories=[[0], [1], []]), config, [0])
    for part in found.parts:
        for word in part.removeprefix("lambda*").split():
            assert word in formula(config)
    assert formula(config).endswith("delta = 0.9" if name == "category_decay" else "lambda = 0.25")


def test_one_request_at_a_time_and_no_user_where_one_is_needed():
    one = replace(request(F, E), u=None)
    two = replace(one, ends=np.array([1, 3]))
    with pytest.raises(ValueError, match="one request is explained at a time, not 2"):
        terms(two, TeacherConfig(name="msd"), [])
    with pytest.raises(ValueError, match="the request has no u"):
        terms(one, TeacherConfig(name="mmr"), [])
