"""Relaxed top-k: its limits, its sums, its gradients beside plain autograd, and what it stores."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.relaxed_top_k import MASKED, successive_top_k, threshold_top_k

BOTH = pytest.mark.parametrize("top_k", [successive_top_k, threshold_top_k])


def naive_successive(score: Tensor, k: int, temperature: float) -> Tensor:
    """Eq. 7-10 as they are printed, for rows that are all open."""
    alpha, mass = score, torch.zeros_like(score)
    for _ in range(min(k, score.shape[-1])):
        p = torch.softmax(alpha / temperature, dim=-1)
        mass = mass + p
        alpha = alpha + torch.log(1 - p)
    return mass


def naive_threshold(score: Tensor, k: int, temperature: float) -> Tensor:
    """sigmoid((alpha - theta) / tau); autograd sees theta through one exact Newton step."""
    low, high = score.min().item() - 50, score.max().item() + 50
    for _ in range(200):
        middle = (low + high) / 2
        too_much = torch.sigmoid((score.detach() - middle) / temperature).sum() > k
        low, high = (middle, high) if too_much else (low, middle)
    fixed = torch.sigmoid((score.detach() - low) / temperature)
    slope = (fixed * (1 - fixed)).sum() / temperature
    theta = low + (torch.sigmoid((score - low) / temperature).sum() - k) / slope
    return torch.sigmoid((score - theta) / temperature)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Tensor, int, float]:
    """Draw a row of scores with masked places, ties among them; k; and a temperature."""
    values = st.one_of(st.sampled_from([0.0, 1.0, -40.0, 40.0, MASKED]), st.floats(-40, 40))
    row = draw(st.lists(values, min_size=1, max_size=9))
    temperature = draw(st.sampled_from([0.05, 0.1, 0.5, 1.0, 3.0]))
    return torch.tensor([row]), draw(st.integers(1, 11)), temperature


def gradient(top_k: object, score: Tensor, k: int, temperature: float) -> Tensor:
    """Return d<c, a>/dscore for some fixed uneven c."""
    leaf = score.clone().requires_grad_()
    upstream = torch.linspace(-1, 2, score.shape[-1], dtype=score.dtype).sin()
    (top_k(leaf, k, temperature) * upstream).sum().backward()
    return leaf.grad


@BOTH
@given(rows())
@settings(deadline=None, max_examples=150)
def test_a_row_sums_to_k_and_masked_entries_take_no_part(top_k, case):
    score, k, temperature = case
    is_open = score > MASKED / 2
    mass = top_k(score, k, temperature)
    torch.testing.assert_close(
        mass.sum(-1), is_open.sum(-1).clamp_max(k).float(), rtol=0, atol=1e-4 * k
    )
    assert (mass >= 0).all()
    assert not mass[~is_open].any()
    slope = gradient(top_k, score, k, temperature)
    assert torch.isfinite(slope).all()
    assert not slope[~is_open].any()


@BOTH
@given(rows())
@settings(deadline=None, max_examples=100)
def test_masked_entries_change_nothing_for_the_others(top_k, case):
    score, k, temperature = case
    is_open = score > MASKED / 2
    assume(is_open.any())
    alone = top_k(score[is_open][None], k, temperature)[0]
    torch.testing.assert_close(top_k(score, k, temperature)[is_open], alone, rtol=1e-4, atol=1e-5)


@BOTH
@given(st.permutations(list(range(9))), st.integers(1, 8))
@settings(deadline=None, max_examples=60)
def test_a_low_temperature_is_the_hard_top_k(top_k, order, k):
    score = torch.tensor([order], dtype=torch.float32)
    hard = torch.zeros_like(score).scatter(1, score.topk(k).indices, 1.0)
    torch.testing.assert_close(top_k(score, k, 0.02), hard, rtol=0, atol=1e-4)


def test_a_pick_that_rounds_to_certain_is_still_excluded():
    """P_1 = 1 - e^-80 - e^-81: log(1 - P) is -79.7, where 1 - P in floats is 0."""
    mass = successive_top_k(torch.tensor([[40.0, -40.0, -41.0]]), 2, 1.0)
    left = 40 + torch.tensor([-80.0, -81.0]).logsumexp(0)
    expected = torch.tensor([1.0, 0, 0]) + torch.stack([left, *torch.tensor([-40.0, -41])]).softmax(
        0
    )
    torch.testing.assert_close(mass[0], expected)


def test_dividing_by_the_temperature_before_the_update_has_another_limit():
    """Why tau stands inside the softmax only: the other variant does not tend to top-k."""
    score = torch.tensor([[2.0, 1.0, 0.0]], dtype=torch.float64)
    wrong = naive_successive(score / 0.1, 2, 1.0)
    right = successive_top_k(score, 2, 0.1)
    assert (right - torch.tensor([1.0, 1.0, 0.0])).abs().max() < 1e-3
    assert (wrong - right).abs().max() > 0.3


@pytest.mark.parametrize(
    ("top_k", "naive"), [(successive_top_k, naive_successive), (threshold_top_k, naive_threshold)]
)
@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=8),
    st.integers(1, 7),
    st.sampled_from([0.3, 0.5, 1.0, 2.0]),
)
@settings(deadline=None, max_examples=100)
def test_values_and_gradients_are_those_of_plain_autograd(top_k, naive, row, k, temperature):
    score, k = torch.tensor([row], dtype=torch.float64), min(k, len(row) - 1)
    expected = naive(score, k, temperature)
    torch.testing.assert_close(top_k(score, k, temperature), expected, rtol=1e-6, atol=1e-8)
    slope = gradient(naive, score, k, temperature)
    if torch.isfinite(slope).all():
        found = gradient(top_k, score, k, temperature)
        torch.testing.assert_close(found, slope, rtol=1e-5, atol=1e-6)


@BOTH
@pytest.mark.parametrize("k", [1, 3, 5])
def test_gradients_match_finite_differences(top_k, k):
    torch.manual_seed(0)
    score = torch.randn(3, 2, 6, dtype=torch.float64)
    score[0, 0, 4:] = MASKED
    score[1, 1] = MASKED
    score.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: top_k(s, k, 0.4), (score,))


@BOTH
@pytest.mark.parametrize("temperature", [0.02, 0.1, 1.0])
def test_single_precision_stays_near_double(top_k, temperature):
    torch.manual_seed(1)
    score = (20 * torch.randn(16, 30)).clamp(-40, 40)
    for k in (1, 5):
        found = gradient(top_k, score, k, temperature)
        expected = gradient(top_k, score.double(), k, temperature).float()
        torch.testing.assert_close(found, expected, rtol=2e-2, atol=1e-3)


@BOTH
def test_what_is_stored_for_backward_does_not_grow_with_k(top_k):
    def stored(k: int) -> int:
        sizes = []
        score = torch.randn(4, 40, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: (sizes.append(t.numel()), t)[1], lambda t: t
        ):
            top_k(score, k, 0.5)
        return sum(sizes)

    assert stored(1) == stored(30) == 4 * 40
