"""The losses by hand, and what must not flow into them."""

import math

import pytest
import torch
from candidate_sets import batch, shape
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import Refused
from jobs.profile.load import load_profile
from model.attention import Contexts
from model.cdm import CDM
from model.learning_config import ModelConfig
from model.losses import click_loss, contrastive_loss, distillation_loss, sample_targets

LOG3 = math.log(3.0)


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_click_loss_by_hand():
    # sigmoid(log 3) = 3/4.
    loss = click_loss(torch.tensor([LOG3, LOG3, 0.0]), torch.tensor([1.0, 0.0, 1.0]))
    expected = -(math.log(3 / 4) + math.log(1 / 4) + math.log(1 / 2)) / 3
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_click_loss_without_exposed_candidates_is_zero_and_can_be_differentiated():
    logits = torch.zeros(0, requires_grad=True)
    loss = click_loss(logits, torch.zeros(0))
    loss.backward()
    assert loss.item() == 0.0


def test_unexposed_candidates_have_no_part_in_the_click_loss():
    torch.manual_seed(0)
    model, drawn = CDM(shape(0.0), ModelConfig(embedding_width=4, width=6)), batch([9, 9])
    logits = model.click_logits(drawn)
    logits.retain_grad()
    click_loss(logits[drawn.exposed], drawn.label[drawn.exposed]).backward()
    assert not logits.grad[~drawn.exposed].any()
    assert (logits.grad[drawn.exposed] != 0).all()
    # And where only the exposed are computed at all, as training does.
    model.zero_grad()
    click_loss(model.click_logits(drawn, drawn.exposed), drawn.label[drawn.exposed]).backward()
    shown = set(drawn.item_tokens[drawn.exposed][:, 0].tolist())
    touched = model.embeddings.item[0].weight.grad.any(dim=1).nonzero()[:, 0].tolist()
    assert set(touched) == shown
    assert shown < set(drawn.item_tokens[..., 0].flatten().tolist())


def test_distillation_loss_by_hand_and_without_padding():
    logits = torch.tensor([[LOG3, 0.0, 1e4]], requires_grad=True)
    win, weight = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[1.0, 3.0, 0.0]])
    loss = distillation_loss(logits, win, weight)
    expected = (-math.log(3 / 4) - 3 * math.log(1 / 2)) / 4
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    loss.backward()
    assert logits.grad[0, 2] == 0
    torch.testing.assert_close(logits.grad[0, :2], torch.tensor([-1 / 16, 3 / 8]))


def test_distillation_loss_of_padding_alone_is_zero():
    assert distillation_loss(torch.ones(1, 2), torch.ones(1, 2), torch.zeros(1, 2)).item() == 0.0


def contexts(query: list, positive: list, negative: list) -> Contexts:
    parts = [torch.tensor([part], dtype=torch.float32) for part in (query, positive, negative)]
    return Contexts(*parts, fused=torch.zeros_like(parts[0]))


def test_contrastive_loss_is_log_2_where_both_contexts_agree():
    same = [[0.3, -2.0], [5.0, 1.0]]
    found = contrastive_loss(contexts([[1.0, 2.0], [7.0, 7.0]], same, same), torch.ones(1, 2), 0.2)
    assert found.item() == pytest.approx(math.log(2), rel=1e-6)


def test_contrastive_loss_by_hand():
    # q.C+ = 2 and q.C- = -1 at t = 3: -log(e^(2/3) / (e^(2/3) + e^(-1/3))) = log(1 + 1/e).
    found = contexts([[1.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [9.0, 9.0]], [[-1.0, 0.0], [0.0, 0.0]])
    one = contrastive_loss(found, torch.tensor([[7.0, 0.0]]), 3.0)
    assert one.item() == pytest.approx(math.log1p(math.exp(-1)), rel=1e-6)
    two = contrastive_loss(found, torch.tensor([[7.0, 0.1]]), 3.0)
    expected = (math.log1p(math.exp(-1)) + math.log1p(math.exp(-3))) / 2
    assert two.item() == pytest.approx(expected, rel=1e-6), "weights are no part of InfoNCE's mean"


def test_contrastive_loss_stays_finite_far_out():
    far = contexts([[1.0], [1.0]], [[1e6], [-1e6]], [[0.0], [0.0]])
    assert contrastive_loss(far, torch.ones(1, 2), 1.0).item() == pytest.approx(5e5)
    assert contrastive_loss(far, torch.zeros(1, 2), 1.0).item() == 0.0


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 5),
    st.integers(1, 8),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=100)
def test_sampled_targets_keep_all_winners_and_count_all_losers(lengths, winners, extra, seed):
    drawn, count = batch(lengths, seed, winners), winners + extra
    targets, weight = sample_targets(drawn.win, drawn.valid, count, draws(seed))
    assert targets.shape == weight.shape
    assert targets.shape[1] == min(count, max(lengths))
    for row, n in enumerate(lengths):
        chosen = targets[row].tolist()
        assert len(set(chosen)) == len(chosen)
        won = set(drawn.win[row].nonzero()[:, 0].tolist())
        assert won <= set(chosen)
        by_target = dict(zip(chosen, weight[row].tolist(), strict=True))
        assert all(by_target[i] == 1.0 for i in won)
        assert all(w == 0.0 for i, w in by_target.items() if i >= n)
        losers = [w for i, w in by_target.items() if i < n and i not in won]
        assert sum(losers) == pytest.approx(n - len(won))
        assert len(losers) == min(n, len(chosen)) - len(won)
        assert not losers or min(losers) == max(losers) >= 1


def test_the_weighted_mean_over_samples_is_the_mean_over_all():
    drawn, value = batch([11, 5], 3), torch.linspace(-2, 5, 22).view(2, 11)
    generator, times = draws(1), 4_000
    each = torch.zeros(times, 2)
    for draw in range(times):
        targets, weight = sample_targets(drawn.win, drawn.valid, 5, generator)
        each[draw] = (value.gather(1, targets) * weight).sum(1)
    sums = (value * drawn.valid).sum(1)
    error = each.std(0) / times**0.5
    assert error[0] > 0
    assert ((each.mean(0) - sums).abs() <= 4 * error + 1e-4).all()


@pytest.mark.parametrize("count", [0, 7, 50])
def test_all_are_targets_where_that_is_asked_for(count):
    drawn = batch([7, 3])
    targets, weight = sample_targets(drawn.win, drawn.valid, count, draws())
    assert targets.tolist() == [list(range(7))] * 2
    assert torch.equal(weight, drawn.valid.float())


def test_the_sample_is_seeded():
    drawn = batch([30, 30])
    first, again, other = (
        sample_targets(drawn.win, drawn.valid, 6, draws(seed))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("targets", [4, 5])
def test_a_profile_leaves_room_for_every_winner(tmp_path, targets):
    path = tmp_path / "shop.toml"
    path.write_text(f'name = "shop"\n[teacher]\nk = 5\n[training]\ntargets = {targets}\n')
    with pytest.raises(Refused, match=rf"training.targets = {targets} .* above teacher.k = 5"):
        load_profile(str(path))
    path.write_text('name = "shop"\n[teacher]\nk = 5\n[training]\ntargets = 6\n')
    assert load_profile(str(path)).training.targets == 6
