"""Shares of a context by every selection (Eq. 7-13): their limits, and who passes a gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.relaxed_top_k import MASKED, successive_top_k, threshold_top_k
from model.selection import context_shares

SOFT = {"relaxed": successive_top_k, "threshold": threshold_top_k}
EVERY = ("hard", "straight_through", *SOFT)


def scores(seed: int = 0, candidates: int = 7, requests: int = 3) -> Tensor:
    """Rows with masked places, one of them with nobody at all, one with one candidate."""
    score = torch.randn(
        requests, 2, candidates, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    score[0, 0, 4:] = MASKED
    score[0, 1] = MASKED
    score[1, 0, 1:] = MASKED
    return score


def gradient(score: Tensor, k: int, selection: str, temperature: float) -> Tensor:
    leaf = score.clone().requires_grad_()
    upstream = torch.arange(score.shape[-1], dtype=score.dtype).cos()
    (context_shares(leaf, k, selection, temperature) * upstream).sum().backward()
    return leaf.grad


@pytest.mark.parametrize("selection", SOFT)
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_relaxed_shares_are_the_mass_times_e_to_the_score(selection, temperature):
    score = scores()
    mass = SOFT[selection](score, 3, temperature)
    part = mass * torch.where(score > MASKED / 2, score, 0.0).exp()
    expected = (part / part.sum(-1, keepdim=True)).nan_to_num(0.0)
    torch.testing.assert_close(context_shares(score, 3, selection, temperature), expected)


@pytest.mark.parametrize("selection", EVERY)
@given(st.permutations([0.0, 0.7, -1.3, 2.0, 0.4, -0.6]), st.integers(1, 8))
@settings(deadline=None, max_examples=40)
def test_every_selection_tends_to_the_hard_one(selection, order, k):
    score = torch.tensor([order], dtype=torch.float64)
    hard = context_shares(score, k, "hard", 0.0)
    chosen = score[0].topk(min(k, 6)).indices
    assert torch.equal(hard[0].nonzero()[:, 0], chosen.sort().values)
    torch.testing.assert_close(hard[0, chosen], score[0, chosen].softmax(0))
    assert torch.equal(context_shares(score, k, selection, 0.0), hard), "0 is the limit itself"
    near = context_shares(score, k, selection, 0.01)
    torch.testing.assert_close(near, hard, rtol=0, atol=1e-3)


@pytest.mark.parametrize("selection", EVERY)
@pytest.mark.parametrize("k", [1, 3, 9])
def test_shares_sum_to_one_and_are_zero_where_nobody_may_stand(selection, k):
    score = scores()
    shares = context_shares(score, k, selection, 0.5)
    torch.testing.assert_close(shares.sum(-1), (score > MASKED / 2).any(-1).double())
    slope = gradient(score, k, selection, 0.5)
    for of_masked in (shares, slope):
        assert torch.isfinite(of_masked).all()
        assert not of_masked[score < MASKED / 2].any()


@pytest.mark.parametrize("selection", SOFT)
def test_gradients_match_finite_differences(selection):
    score = scores().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: context_shares(s, 3, selection, 0.5), (score,))


def test_straight_through_goes_forward_hard_and_lets_losers_learn():
    score = scores()
    hard = context_shares(score, 2, "hard", 0.5)
    torch.testing.assert_close(context_shares(score, 2, "straight_through", 0.5), hard)
    lost = (hard == 0) & (score > MASKED / 2)
    assert not gradient(score, 2, "hard", 0.5)[lost].any()
    assert (gradient(score, 2, "straight_through", 0.5)[lost] != 0).all()


def test_the_gradient_of_straight_through_is_that_of_the_threshold():
    """Omega = a e^alpha / sum, once with the hard a as a number and once through the relaxed a."""
    score, upstream = scores()[2], torch.arange(7, dtype=torch.float64).cos()
    hard = (context_shares(score, 2, "hard", 0.0) > 0).double()

    def slope_by(a: Tensor, alpha: Tensor, leaf: Tensor) -> Tensor:
        part = a * alpha.exp()
        loss = (part / part.sum(-1, keepdim=True) * upstream).sum()
        return torch.autograd.grad(loss, leaf)[0]

    alpha, a = score.clone().requires_grad_(), hard.clone().requires_grad_()
    through_weights, through_mass = slope_by(hard, alpha, alpha), slope_by(a, score, a)
    leaf = score.clone().requires_grad_()
    threshold_top_k(leaf, 2, 0.5).backward(through_mass)
    found = gradient(score, 2, "straight_through", 0.5)
    torch.testing.assert_close(found, through_weights + leaf.grad)


@pytest.mark.parametrize("selection", EVERY)
def test_far_scores_stay_finite(selection):
    score = torch.tensor([[40.0, -40.0, 39.9, 0.0, MASKED], [1e3, -1e3, 0.0, 1e3, 1e3]])
    for temperature in (0.1, 1.0):
        assert torch.isfinite(context_shares(score, 2, selection, temperature)).all()
        assert torch.isfinite(gradient(score, 2, selection, temperature)).all()
