"""The two sampled contexts of a target (Eq. 5-15): who is in them, and with which shares.

With one-hot item vectors and W_3 their inverse scale, a context *is* the shares of its candidates.
"""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from model.attention import Contexts
from model.context_encoder import ContextEncoder
from model.learning_config import ModelConfig

WIDTH = 8
LOUD = 4.0
"""Length of the one-hot item vectors; the longer, the further apart the attention weights."""


def make_encoder(context_size: int = 2, width: int = WIDTH, **config: object) -> ContextEncoder:
    torch.manual_seed(3)
    return ContextEncoder(ModelConfig(width=width, context_size=context_size, **config)).eval()


def one_hot_encoder(context_size: int = 2, **config: object) -> ContextEncoder:
    encoder = make_encoder(context_size, **config)
    with torch.no_grad():
        encoder.value.weight.copy_(torch.eye(WIDTH) / LOUD)
    return encoder


def one_hot_items(n: int, requests: int = 1) -> torch.Tensor:
    return (LOUD * torch.eye(WIDTH)[:n]).repeat(requests, 1, 1)


def everyone(requests: int, n: int) -> torch.Tensor:
    return torch.arange(n).repeat(requests, 1)


def run(encoder: ContextEncoder, e: torch.Tensor, seed: int | None = None, **rest) -> Contexts:
    requests, n = e.shape[:2]
    noise = None if seed is None else torch.Generator().manual_seed(seed)
    valid = rest.pop("valid", torch.ones(requests, n, dtype=torch.bool))
    targets = rest.pop("targets", everyone(requests, n))
    u = rest.pop("u", torch.ones(requests, e.shape[-1], dtype=e.dtype))
    with torch.no_grad():
        return encoder(e, u, valid, targets, noise)


def attention(encoder: ContextEncoder, e: torch.Tensor) -> np.ndarray:
    """Return w [N, N] of one request (Eq. 11) in float64."""
    items = e[0].double().numpy()
    query = items @ encoder.query.weight.detach().double().numpy().T
    key = items @ encoder.key.weight.detach().double().numpy().T
    return query @ key.T / np.sqrt(items.shape[1])


def softmax(x: np.ndarray) -> np.ndarray:
    weight = np.exp(x - x.max())
    return weight / weight.sum()


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("k", [1, 2, 5, 30])
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_shares_sum_to_one_over_min_k_and_the_others(n, k, seed):
    valid = torch.arange(6) < n
    contexts = run(one_hot_encoder(k), one_hot_items(6), seed, valid=valid[None])
    for shares in (contexts.positive[0, :n], contexts.negative[0, :n]):
        assert ((shares > 0).sum(1) == min(k, n - 1)).all()
        torch.testing.assert_close(shares.sum(1), torch.full((n,), float(n > 1)))
        assert not shares[:, n:].any(), "padding stands in a context"
        assert not shares[range(n), range(n)].any(), "a target stands in its own context"


def test_a_target_may_stand_in_its_own_context():
    contexts = run(one_hot_encoder(6, include_self=True), one_hot_items(6))
    assert (contexts.positive[0, :, :6] > 0).all()
    alone = run(one_hot_encoder(6, include_self=True), one_hot_items(1))
    assert alone.positive[0, 0, 0] == 1


def test_equations_12_and_13_by_hand():
    """Positive: the k most similar by e^w; negative: the k least similar, by e^-w."""
    encoder, e, k = one_hot_encoder(2).double(), one_hot_items(6).double(), 2
    contexts, w = run(encoder, e), attention(encoder, e)
    for target in range(6):
        others = np.delete(np.arange(6), target)
        for found, sign in ((contexts.positive, 1), (contexts.negative, -1)):
            chosen = others[np.argsort(-sign * w[target, others])[:k]]
            expected = np.zeros(WIDTH)
            expected[chosen] = softmax(sign * w[target, chosen])
            np.testing.assert_allclose(found[0, target], expected, rtol=1e-12)


def test_the_negative_context_favours_the_least_similar():
    encoder, e = one_hot_encoder(3), one_hot_items(6)
    negative, w = run(encoder, e).negative[0].numpy(), attention(encoder, e)
    for target in range(6):
        inside = np.flatnonzero(negative[target])
        by_share = inside[np.argsort(-negative[target, inside])]
        assert by_share.tolist() == inside[np.argsort(w[target, inside])].tolist()
        others = np.delete(w[target], target)
        assert np.allclose(np.sort(w[target, inside]), np.sort(others)[:3])


def test_fusion_weighs_both_contexts_by_the_interest():
    """Eq. 15, with its two layers written out."""
    encoder = make_encoder(2).double()
    e, u = torch.randn(1, 5, WIDTH).double(), torch.randn(1, WIDTH).double()
    contexts = run(encoder, e, u=u)
    inputs = torch.cat([u[:, None] * contexts.positive, u[:, None] * contexts.negative], -1)
    first, last = encoder.fusion[0], encoder.fusion[-1]
    hidden = (inputs @ first.weight.T + first.bias).clamp_min(0)
    torch.testing.assert_close(contexts.fused, hidden @ last.weight.T + last.bias)
    torch.testing.assert_close(contexts.query, e @ encoder.query.weight.T)


@pytest.mark.parametrize("seed", [None, 1])
def test_a_lone_candidate_has_no_context(seed):
    contexts = run(make_encoder(3), torch.randn(2, 1, WIDTH), seed)
    assert not contexts.positive.any()
    assert not contexts.negative.any()
    assert torch.isfinite(contexts.fused).all()


def test_padding_changes_nothing():
    encoder, e = make_encoder(3), torch.randn(2, 7, WIDTH)
    n = torch.tensor([4, 7])
    valid = torch.arange(7) < n[:, None]
    together = run(encoder, e.masked_fill(~valid[..., None], 50.0), valid=valid)
    for row in range(2):
        alone = run(encoder, e[row : row + 1, : n[row]])
        for name in ("query", "positive", "negative", "fused"):
            found = getattr(together, name)[row, : n[row]]
            torch.testing.assert_close(found, getattr(alone, name)[0], rtol=1e-5, atol=1e-6)


def test_permuting_candidates_permutes_contexts():
    encoder, e = make_encoder(3), torch.randn(1, 9, WIDTH)
    order = torch.randperm(9)
    before, after = run(encoder, e), run(encoder, e[:, order])
    torch.testing.assert_close(after.fused, before.fused[:, order], rtol=1e-5, atol=1e-6)


def test_targets_choose_rows():
    encoder, e = make_encoder(3), torch.randn(2, 6, WIDTH)
    targets = torch.tensor([[5, 0], [2, 2]])
    some, whole = run(encoder, e, targets=targets), run(encoder, e)
    for row in range(2):
        torch.testing.assert_close(some.fused[row], whole.fused[row, targets[row]])


def test_noise_is_seeded_and_serving_has_none():
    encoder, e = one_hot_encoder(2), one_hot_items(6, requests=8)
    first, again, other = (run(encoder, e, seed).positive for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    served = run(encoder, e).positive
    assert torch.equal(served, run(encoder.train(), e).positive)
    assert (served == served[0]).all(), "equal requests differ without noise"
    assert not (first == first[0]).all(), "requests share their noise"


@pytest.mark.parametrize(("direction", "sign"), [("positive", 1.0), ("negative", -1.0)])
def test_samples_follow_softmax_without_replacement(direction, sign):
    """One pick comes by softmax(±w); two hold an item as often as drawing twice would."""
    n, draws = 5, 20_000
    for k in (1, 2):
        encoder, e = one_hot_encoder(k), one_hot_items(n)
        p = softmax(np.delete(sign * attention(encoder, e)[0], 0))
        target = torch.zeros(draws, 1, dtype=torch.long)
        contexts = run(encoder, one_hot_items(n, draws), seed=11, targets=target)
        chosen = getattr(contexts, direction)[:, 0, 1:n].numpy() > 0
        assert p.max() / p.min() > 1.2, "the case tests nothing"
        if k == 1:
            assert chisquare(chosen.sum(0), draws * p).pvalue > 0.001
            continue
        pairs = list(itertools.combinations(range(n - 1), 2))
        expected = [p[a] * p[b] / (1 - p[a]) + p[b] * p[a] / (1 - p[b]) for a, b in pairs]
        seen = [np.sum(chosen[:, a] & chosen[:, b]) for a, b in pairs]
        assert chisquare(seen, draws * np.array(expected)).pvalue > 0.001


def test_the_two_directions_have_noise_of_their_own():
    """With equal attention, shared noise would make opposite picks, or the same ones."""
    encoder, draws = one_hot_encoder(1), 8_000
    with torch.no_grad():
        encoder.query.weight.zero_()
    target = torch.zeros(draws, 1, dtype=torch.long)
    contexts = run(encoder, one_hot_items(5, draws), seed=5, targets=target)
    same = (contexts.positive * contexts.negative).sum().item() / draws
    assert abs(same - 0.25) < 4 * (0.25 * 0.75 / draws) ** 0.5


def test_gradients_match_finite_differences():
    """The selection stays fixed within such small steps; all else must be differentiated right."""
    encoder = make_encoder(2, width=3).double()
    torch.manual_seed(1)
    e = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    u = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    valid = torch.tensor([[True] * 4, [True, True, True, False]])
    targets = torch.tensor([[0, 1, 2, 3], [0, 1, 2, 0]])
    weights = tuple(encoder.parameters())

    def forward(e: torch.Tensor, u: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, ...]:
        noise = torch.Generator().manual_seed(2)
        found = encoder(e, u, valid, targets, noise)
        return found.query, found.positive, found.negative, found.fused

    assert torch.autograd.gradcheck(forward, (e, u, *weights), fast_mode=True)


def test_extreme_attention_stays_finite():
    encoder = one_hot_encoder(3)
    with torch.no_grad():
        encoder.query.weight.mul_(1e3)
    e = one_hot_items(6).requires_grad_()
    valid, targets = torch.ones(1, 6, dtype=torch.bool), everyone(1, 6)
    assert np.abs(attention(encoder, e.detach())).max() > 1e3
    contexts = encoder(e, torch.ones(1, WIDTH), valid, targets, torch.Generator().manual_seed(0))
    contexts.fused.sum().backward()
    assert torch.isfinite(contexts.fused).all()
    assert torch.isfinite(e.grad).all()
    torch.testing.assert_close(contexts.positive.sum(-1), torch.ones(1, 6))
