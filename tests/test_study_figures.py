"""The study's figures: fronts at equal recall, fidelity, choice, and intervals over seeds."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.categories import Categories
from jobs.features import Encoded
from jobs.study.arena import Requests
from jobs.study.choice import at_equal_recall, by_value
from jobs.study.equal_recall import most_at
from jobs.study.evidence import Sample
from jobs.study.fidelity import auc, fidelity
from jobs.study.outputs import Outputs, places_of
from jobs.study.propensity import click_weights


def requests(lengths, **given):
    """Make requests of which only some columns are of interest."""
    count = sum(lengths)
    columns = {
        "encoded": Encoded(
            given.pop("users", np.ones((len(lengths), 1), np.int64)),
            np.ones((count, 1), np.int64),
            np.zeros((count, 0)),
            np.array(lengths),
        ),
        "item": pa.array(range(count)),
        "categories": Categories(np.arange(1, count + 1), np.zeros(count, np.int64), ["a"]),
        **{name: np.zeros(count) for name in ("pre_rank", "exposed", "label", "shown_rank")},
    }
    return Requests(**(columns | given))


def test_a_front_is_read_between_its_points():
    recall, varied = np.array([[1.0], [0.8], [0.4]]), np.array([[0.1], [0.3], [0.5]])
    assert most_at(recall, varied, np.array([0.8])) == pytest.approx([0.3])
    assert most_at(recall, varied, np.array([0.6])) == pytest.approx([0.4])
    assert most_at(recall, varied, np.array([0.2])) == pytest.approx([0.5])
    assert np.isnan(most_at(recall, varied, np.array([1.1]))).all()


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6),
    st.floats(0, 1),
)
def test_a_front_read_between_its_points_is_what_fine_steps_along_it_find(points, least):
    x, y = np.array(points).T[..., None]
    steps = np.linspace(0, 1, 2001)
    along = [
        (x0 + steps * (x1 - x0), y0 + steps * (y1 - y0))
        for (x0, y0), (x1, y1) in itertools.pairwise(points)
    ]
    kept = [b for line in along for a, b in zip(*line, strict=True) if a >= least]
    found = most_at(x, y, np.array([least]))[0]
    if kept:
        assert found >= max(kept) - 1e-9
        # Between two steps the line may rise by so much.
        assert found <= max(kept) + 1e-3
    elif not np.isnan(found):
        assert least == pytest.approx(x.max(), abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_order(pairs):
    score, positive = np.array([s for s, _ in pairs], float), np.array([p for _, p in pairs])
    won = [
        1.0 if a > b else 0.5 if a == b else 0.0 for a in score[positive] for b in score[~positive]
    ]
    assert auc(score, positive) == pytest.approx(np.mean(won) if won else np.nan, nan_ok=True)


def test_swap_auc_judges_what_the_teacher_changed_alone():
    # By f the top two are 0 and 1; the teacher takes 0 and 3.
    order = np.array([1, 0, 0, 2])
    f = np.array([0.9, 0.8, 0.7, 0.6])
    said = Outputs(f, np.array([0.0, 0.2, 0.9, 0.5]), np.zeros((1, 1)), np.zeros((4, 1)), None)
    found = fidelity(requests([4]), said, order)
    assert (found["swap_auc"], found["swap_auc_of_f"]) == (1.0, 0.0)
    assert found["auc"] == auc(said.win, order > 0)
    assert found["calibration"] == pytest.approx(1.6 / 2)


def test_weights_are_chosen_by_recall_and_diversity_or_by_value():
    front = {
        "0.1": {"recall": 0.50, "ilad_category": 0.6, "value_ratio": 0.7},
        "0.2": {"recall": 0.49, "ilad_category": 0.7, "value_ratio": 0.8},
        "0.4": {"recall": 0.40, "ilad_category": 0.9, "value_ratio": 0.6},
    }
    assert at_equal_recall(front, 0.49) == "0.2"
    assert at_equal_recall(front, 0.6) == "0.1"
    assert by_value(front) == "0.2"


def test_lists_of_picks_end_where_a_request_has_no_more():
    order = np.array([2, 1, 0, 1])
    assert places_of(order, np.array([3, 4]), 2).tolist() == [[1, 0], [3, -1]]


def test_a_click_weighs_more_where_the_user_was_seldom():
    # One user met category a three times and b once; another user's exposures do not count.
    page = requests(
        [4, 1],
        users=np.array([[2], [3]]),
        exposed=np.ones(5),
        label=np.array([1.0, 0, 0, 1.0, 0]),
        categories=Categories(np.arange(1, 6), np.array([0, 0, 0, 1, 1]), ["a", "b"]),
    )
    weight = click_weights(page)
    raw = np.array([(4 / 6) ** -0.5, (2 / 6) ** -0.5])
    assert weight[[0, 3]] == pytest.approx(raw / raw.mean())
    assert weight[[1, 2, 4]].tolist() == [1, 1, 1]


def test_differences_are_paired():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=1000)
    one, other = Sample(np.array(0.5), 0.5 + noise), Sample(np.array(0.4), 0.4 + noise)
    assert one.figure().sign == 0
    assert (one - other).figure() == pytest.approx((0.1, 0.1, 0.1))
