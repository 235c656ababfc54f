"""The loop: it learns, repeats bit by bit, keeps the best epoch, and says where it diverged."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from candidate_sets import batch, shape

from model.batch import CandidateBatch
from model.cdm import CDM
from model.epochs import Epoch, Losses
from model.learning_config import ModelConfig, TrainingConfig
from model.step_losses import batch_losses
from model.training import Diverged, fit

SMALL = ModelConfig(embedding_width=4, width=6, hidden=(8, 8, 8), context_size=3, dropout=0.1)
QUICK = TrainingConfig(epochs=5, patience=5, learning_rate=0.02, targets=4, seed=3)


def learnable(seed: int, requests: int = 16) -> CandidateBatch:
    """Requests whose even items in the first field are clicked, and won by the teacher."""
    drawn = batch([8] * requests, seed)
    even = (drawn.item_tokens[..., 0] % 2 == 0).float()
    return replace(drawn, label=even * drawn.exposed, win=even)


def make_model(win_rate: float = 0.5, seed: int = 0) -> CDM:
    torch.manual_seed(seed)
    return CDM(shape(win_rate), SMALL)


def train(
    model: CDM,
    config: TrainingConfig = QUICK,
    held_out: CandidateBatch | None = None,
    report: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    batches = [learnable(seed) for seed in range(4)]
    judged = [learnable(9) if held_out is None else held_out]
    return fit(model, lambda epoch: batches, lambda: judged, config, report, 4)


def weights(model: CDM) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_every_loss_falls_on_what_can_be_learned():
    history = train(make_model(), replace(QUICK, epochs=12, patience=12))
    first, last = history[0].validation, history[-1].validation
    assert last.click < 0.5 * math.log(2)
    assert last.click < 0.7 * first.click
    assert last.distillation < 0.9 * first.distillation
    assert last.contrastive < first.contrastive
    assert history[-1].training.total(QUICK) < history[0].training.total(QUICK)
    assert [epoch.number for epoch in history] == list(range(1, 13))


def test_the_dcn_alone_learns_too_and_has_no_other_loss():
    history = train(make_model(0.0))
    assert history[-1].validation.click < history[0].validation.click
    assert {epoch.training.distillation for epoch in history} == {0.0}
    assert {epoch.training.contrastive for epoch in history} == {0.0}


def test_the_same_seed_gives_the_same_bits():
    runs = []
    for seed in (3, 3, 4):
        # Dropout draws from torch's global stream, which the caller seeds.
        model = make_model()
        history = train(model, replace(QUICK, epochs=2, seed=seed))
        runs.append((weights(model), history))
    assert equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not equal(runs[0][0], runs[2][0]), "the seed reaches neither noise nor target sampling"


def test_early_stopping_restores_the_best_epoch():
    """The held-out requests say the opposite, so learning makes each epoch worse than the first."""
    honest = learnable(9)
    opposite = replace(honest, label=(1 - honest.label) * honest.exposed, win=1 - honest.win)
    model, snapshots = make_model(), []
    config = replace(QUICK, epochs=20, patience=2)
    history = train(model, config, opposite, lambda epoch: snapshots.append(weights(model)))
    totals = [epoch.validation.total(config) for epoch in history]
    best = totals.index(min(totals))
    assert len(history) == best + 1 + 2 < 20
    assert best < len(history) - 1
    assert equal(weights(model), snapshots[best])
    assert not equal(weights(model), snapshots[-1])


def test_patience_counts_from_the_best_epoch_and_epochs_are_the_limit():
    history = train(make_model(), replace(QUICK, epochs=3, patience=1))
    assert len(history) == 3


@pytest.mark.parametrize(
    ("bad", "where"),
    [("training", "batch 3 of epoch 2"), ("held", "held-out batch 1 after epoch 1")],
)
def test_a_loss_that_is_not_finite_names_its_batch_and_what_is_in_it(bad, where):
    good = learnable(0)
    dense = good.dense.clone()
    dense[..., 1] = float("nan")
    broken = replace(good, dense=dense)

    def training(epoch: int) -> list[CandidateBatch]:
        return [good, good, broken if bad == "training" and epoch == 2 else good, good]

    held_out = [broken if bad == "held" else good]
    with pytest.raises(Diverged) as caught:
        fit(make_model(), training, lambda: held_out, QUICK, lambda epoch: None, 4)
    assert str(caught.value) == f"the loss is nan in {where}"
    assert caught.value.columns == ["dense[1]"]


def test_an_epoch_without_requests_is_refused():
    with pytest.raises(ValueError, match="no requests"):
        fit(make_model(), lambda epoch: [], lambda: [learnable(0)], QUICK, lambda epoch: None, 4)


def test_the_total_is_equation_20():
    config = TrainingConfig(beta_kd=0.5, beta_nce=0.25)
    assert Losses(1.0, 2.0, 4.0).total(config) == 1.0 + 0.5 * 2.0 + 0.25 * 4.0


def test_the_betas_reach_the_gradient():
    """Without distillation and InfoNCE the student is never touched."""
    model = make_model()
    before = weights(model)
    train(model, replace(QUICK, epochs=1, beta_kd=0.0, beta_nce=0.0))
    after = weights(model)
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert not [name for name in moved if name.startswith("student")]
    assert [name for name in moved if name.startswith("backbone")]
    train(model, replace(QUICK, epochs=1))
    assert not torch.equal(model.student.win_bias, before["student.win_bias"])


def test_losses_of_an_epoch_are_means_over_requests():
    """Batches of 12 and 3 requests: each counts by its size."""
    parts, model, expected = [learnable(1, 12), learnable(2, 3)], make_model(), []

    def report(epoch: Epoch) -> None:
        generator = torch.Generator()
        with torch.no_grad():
            found = [torch.stack(batch_losses(model, b, QUICK, generator)) for b in parts]
        expected.append((12 * found[0] + 3 * found[1]) / 15)

    fit(model, lambda epoch: parts, lambda: parts, replace(QUICK, epochs=1), report, 2)
    history = fit(model, lambda epoch: parts, lambda: parts, replace(QUICK, epochs=1), report, 2)
    judged = history[0].validation
    found = torch.tensor([judged.click, judged.distillation, judged.contrastive])
    torch.testing.assert_close(found, expected[-1])


def test_judging_uses_every_target_and_no_noise():
    model, drawn = make_model().eval(), learnable(1)
    one, other = (
        batch_losses(model, drawn, QUICK, torch.Generator().manual_seed(seed)) for seed in (1, 2)
    )
    assert [a.item() for a in one] == [b.item() for b in other]
    everyone = batch_losses(model, drawn, replace(QUICK, targets=0), torch.Generator())
    assert [a.item() for a in one] == [b.item() for b in everyone]
    model.train()
    noisy = [
        batch_losses(model, drawn, QUICK, torch.Generator().manual_seed(seed))[1].item()
        for seed in (1, 2)
    ]
    assert noisy[0] != noisy[1]


@pytest.mark.parametrize("selection", ["straight_through", "relaxed", "threshold"])
@pytest.mark.parametrize("landmarks", [0, 5])
def test_every_selection_learns(selection, landmarks):
    torch.manual_seed(0)
    chosen = replace(SMALL, selection=selection, landmarks=landmarks)
    history = train(CDM(shape(0.5), chosen), replace(QUICK, epochs=12, patience=12))
    first, last = history[0].validation, history[-1].validation
    assert last.distillation < 0.9 * first.distillation
    assert last.contrastive < first.contrastive


def test_plain_attention_learns_and_has_no_infonce():
    torch.manual_seed(0)
    plain = CDM(shape(0.5), replace(SMALL, encoder="attention", score_feature=True))
    history = train(plain)
    assert history[-1].validation.distillation < 0.9 * history[0].validation.distillation
    assert {epoch.training.contrastive for epoch in history} == {0.0}


def test_the_temperature_of_a_step_reaches_the_encoder_and_falls(monkeypatch):
    model, seen = CDM(shape(0.5), replace(SMALL, selection="relaxed")), []
    forward = model.student.encoder.forward

    def recorded(*args: object) -> object:
        seen.append(args[5])
        return forward(*args)

    monkeypatch.setattr(model.student.encoder, "forward", recorded)
    train(model, replace(QUICK, epochs=2))
    # Four steps an epoch, of eight in all, of which tau falls over 5.6; then what is held out.
    expected = [0.1 ** min(1.0, step / 5.6) for step in range(8)]
    assert seen == pytest.approx([*expected[:4], 0.0, *expected[4:], 0.0])


def test_hard_selection_knows_no_temperature():
    found = []
    for tau in (0.0, 1.0):
        model = make_model().train()
        torch.manual_seed(1)
        losses = batch_losses(model, learnable(1), QUICK, torch.Generator().manual_seed(2), tau)
        found.append([loss.item() for loss in losses])
    assert found[0] == found[1]


def test_stop_gradient_keeps_the_student_out_of_the_shared_tables():
    for stop in (False, True):
        model = make_model().train()
        config = replace(QUICK, stop_gradient=stop)
        _, *student = batch_losses(model, learnable(1), config, torch.Generator().manual_seed(2))
        sum(student).backward()
        tables = [table.weight.grad for table in model.embeddings.item]
        assert all(grad is None or not grad.any() for grad in tables) == stop
        assert model.embeddings.item_map.weight.grad.any(), "P_I belongs to the student"
