"""AUC of a request against counting pairs, and calibration by hand."""

from dataclasses import replace

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from candidate_sets import batch
from hypothesis import given
from hypothesis import strategies as st

from model.epochs import Quality
from model.held_out import HeldOut, request_auc


def slow_auc(score: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs that are in order, equal ones half."""
    pairs = [(p > q) + 0.5 * (p == q) for p in score[positive] for q in score[~positive]]
    return float(np.mean(pairs)) if pairs else float("nan")


SHAPE = st.tuples(st.integers(1, 4), st.integers(1, 12))


@given(data=st.data(), shape=SHAPE)
def test_auc_is_the_share_of_pairs_in_order(data, shape):
    # Few values, so that ties are many.
    score = data.draw(hnp.arrays(np.float32, shape, elements=st.sampled_from([0, 0.25, 0.5, 1])))
    positive = data.draw(hnp.arrays(bool, shape))
    among = data.draw(hnp.arrays(bool, shape))
    found = request_auc(*map(torch.from_numpy, (score, positive, among)))
    expected = [slow_auc(s[a], p[a]) for s, p, a in zip(score, positive, among, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_auc_is_that_of_sklearn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    score, positive = rng.random((1, 500)).round(2), rng.random((1, 500)) < 0.3
    found = request_auc(*map(torch.from_numpy, (score, positive, np.ones_like(positive))))
    assert found.item() == pytest.approx(metrics.roc_auc_score(positive[0], score[0]))


def test_quality_by_hand():
    """Two requests of three candidates; of the second one nothing was clicked."""
    drawn = replace(
        batch([3, 3]),
        exposed=torch.tensor([[True, True, False], [True, True, True]]),
        label=torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        win=torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]),
    )
    f = torch.tensor([[0.5, 0.25, 1.0], [0.25, 0.5, 0.5]])
    win = torch.tensor([[0.5, 0.5, 0.75], [0.75, 0.25, 0.25]])
    held_out = HeldOut()
    held_out.add(drawn, f, win)
    # AUC of y_stu: one tie and one pair in disorder are a quarter, one pair and a tie three.
    assert held_out.quality() == Quality(2.0 / 1, 1.0, 3.0 / 3, (0.25 + 0.75) / 2)
    held_out.add(drawn, f, win)
    assert held_out.quality() == Quality(4.0 / 2, 1.0, 6.0 / 6, 0.5)


def test_padding_and_batches_do_not_matter():
    """Three requests at once are the same three one by one, whatever stands in their padding."""
    drawn = batch([9, 4, 6], seed=5)
    generator = torch.Generator().manual_seed(1)
    f, win = (torch.rand(drawn.valid.shape, generator=generator) for _ in range(2))
    at_once, one_by_one = HeldOut(), HeldOut()
    at_once.add(drawn, f, win)
    for row in range(3):
        part = {
            name: values[row : row + 1]
            for name, values in ((n, getattr(drawn, n)) for n in drawn.__slots__)
            if values is not None
        }
        one_by_one.add(replace(drawn, **part), f[row : row + 1], win[row : row + 1])
    found, expected = at_once.quality(), one_by_one.quality()
    for name in Quality.__slots__:
        assert getattr(found, name) == pytest.approx(getattr(expected, name))


def test_a_dcn_and_a_day_without_clicks_have_nothing_to_say():
    drawn = batch([3, 4])
    held_out = HeldOut()
    held_out.add(replace(drawn, label=torch.zeros_like(drawn.label)), drawn.label * 0.5, None)
    assert held_out.quality() == Quality()
