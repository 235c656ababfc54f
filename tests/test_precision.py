"""Half precision, and tensors that are made where the batch is."""

from dataclasses import fields, replace
from itertools import product
from typing import get_args

import pytest
import torch
from candidate_sets import batch, shape
from test_training import QUICK, SMALL, learnable, train

from model import training
from model.attention import TargetAttention
from model.batch import CandidateBatch
from model.cdm import CDM
from model.context_encoder import gumbel
from model.learning_config import Encoder, Selection
from model.losses import click_loss, contrastive_loss, distillation_loss, sample_targets
from model.precision import NoDevice, autocast, device_of, full, full_logits
from model.step_losses import batch_losses
from model.training import fit

CPU, META = torch.device("cpu"), torch.device("meta")
HALF = ("bfloat16", "float16")
WAYS = [
    pair
    for pair in product(get_args(Encoder), get_args(Selection))
    if pair[0] == "contrastive" or pair[1] == "hard"
]


def model_of(encoder: str, selection: str, **more: object) -> CDM:
    torch.manual_seed(0)
    return CDM(shape(0.5), replace(SMALL, encoder=encoder, selection=selection, **more))


@pytest.mark.parametrize("precision", HALF)
@pytest.mark.parametrize(("encoder", "selection"), WAYS)
def test_a_model_learns_in_half_precision(precision, encoder, selection):
    config = replace(QUICK, epochs=12, patience=12, precision=precision)
    model = model_of(encoder, selection, score_feature=True, landmarks=5)
    history = train(model, config)
    assert history[-1].validation.click < 0.8 * history[0].validation.click
    assert history[-1].validation.distillation < 0.9 * history[0].validation.distillation
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize("precision", HALF)
@pytest.mark.parametrize(("encoder", "selection"), WAYS)
def test_only_products_are_in_half_precision(precision, encoder, selection):
    """The losses are float32 and near those of float32; the heads' logits are what was halved."""
    found = []
    for chosen in ("float32", precision):
        model = model_of(encoder, selection).train()
        torch.manual_seed(1)
        with autocast(CPU, chosen):
            logits = model.click_logits(learnable(1))
            losses = batch_losses(
                model, learnable(1), QUICK, torch.Generator().manual_seed(2), tau=0.5
            )
        found.append([loss.item() for loss in losses])
        assert {loss.dtype for loss in losses} == {torch.float32}
        sum(losses).backward()
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        assert {grad.dtype for grad in grads} == {torch.float32}
        assert all(grad.isfinite().all() for grad in grads)
    assert logits.dtype == getattr(torch, precision)
    assert found[1] == pytest.approx(found[0], abs=0.02)
    assert found[1] != found[0], "nothing was computed in half precision"


@pytest.mark.parametrize("precision", HALF)
def test_attention_is_selected_in_float32(precision, monkeypatch):
    seen, attend = [], TargetAttention.attend

    def recorded(*args: object) -> object:
        found = attend(*args)
        seen.append((found.query.dtype, found.weight.dtype))
        return found

    monkeypatch.setattr(TargetAttention, "attend", recorded)
    model, drawn = model_of("contrastive", "relaxed"), learnable(1)
    with autocast(CPU, precision):
        model.student.contexts(model.view(drawn), torch.zeros(len(drawn), 1, dtype=torch.int64))
    assert seen == [(getattr(torch, precision), torch.float32)]


def test_logits_of_half_precision_are_bounded_and_others_left_alone():
    large = torch.tensor([-1e4, -3.0, 1e4, float("inf")])
    assert full_logits(large.half()).tolist() == [-40.0, -3.0, 40.0, 40.0]
    assert full_logits(large.bfloat16()).dtype == torch.float32
    for wide in (large, large.double()):
        assert full_logits(wide) is wide
        assert full(wide) is wide
    assert full(large.half()).dtype == torch.float32


def test_losses_of_overflown_logits_are_finite():
    overflown = torch.full((2, 3), float("inf"), dtype=torch.float16)
    ones = torch.ones(2, 3)
    assert click_loss(-overflown.flatten(), ones.flatten()).item() == pytest.approx(40.0)
    assert distillation_loss(-overflown, ones, ones).item() == pytest.approx(40.0)


def test_the_judgement_is_in_float32(monkeypatch):
    """What early stopping compares is what serves."""
    seen, judged = [], training.judged_losses

    def recorded(*given: object) -> object:
        found = losses, scores = judged(*given)
        seen.extend((torch.is_autocast_enabled("cpu"), one.dtype) for one in (*losses, *scores))
        return found

    monkeypatch.setattr(training, "judged_losses", recorded)
    train(model_of("contrastive", "hard"), replace(QUICK, epochs=1, precision="bfloat16"))
    assert seen == [(False, torch.float32)] * 5


# --- devices


def on(device: torch.device, drawn: CandidateBatch) -> CandidateBatch:
    return replace(drawn, **{name: values.to(device) for name, values in given(drawn).items()})


def given(drawn: CandidateBatch) -> dict[str, torch.Tensor]:
    named = {spec.name: getattr(drawn, spec.name) for spec in fields(drawn)}
    return {name: values for name, values in named.items() if values is not None}


def test_a_batch_moves_whole_and_stays_where_it_is():
    drawn = batch([3, 4])
    moved = drawn.to(META)
    assert {values.device.type for values in given(moved).values()} == {"meta"}
    assert given(moved).keys() == given(drawn).keys()
    kept = drawn.to(CPU)
    assert all(values is getattr(drawn, name) for name, values in given(kept).items())
    assert replace(drawn, win=None).to(META).win is None


@pytest.mark.parametrize(("encoder", "selection"), WAYS)
@pytest.mark.parametrize("landmarks", [0, 3])
def test_the_student_makes_its_tensors_where_the_batch_is(
    encoder, selection, landmarks, monkeypatch
):
    """On a device that holds no values and mixes with no other; the click model sees none there."""
    model = model_of(encoder, selection, landmarks=landmarks).to(META)
    drawn = on(META, batch([5, 7]))
    logits = torch.zeros(drawn.valid.shape, device=META)
    targets = torch.zeros(2, 4, dtype=torch.int64, device=META)
    contexts = model.student.contexts(model.view(drawn, logits=logits), targets)
    win, ones = model.student.win_logits(contexts), torch.ones(2, 4, device=META)
    losses = [distillation_loss(win, ones, ones), contrastive_loss(contexts, ones, 8.0)]
    assert {loss.device.type for loss in losses} == {"meta"}
    monkeypatch.setattr(model, "click_logits", lambda given, **known: logits)
    assert {scores.device.type for scores in model.score(drawn)} == {"meta"}


def test_targets_are_chosen_where_the_batch_is():
    drawn = on(META, batch([5, 7]))
    found = sample_targets(drawn.win, drawn.valid, 0, torch.Generator())
    assert {values.device.type for values in found} == {"meta"}


def test_noise_is_drawn_where_its_stream_is(monkeypatch):
    asked, rand = [], torch.rand

    def recorded(*args: object, **kwargs: object) -> torch.Tensor:
        asked.append(kwargs["device"])
        return rand(*args, **kwargs)

    monkeypatch.setattr(torch, "rand", recorded)
    stream = torch.Generator()
    gumbel(torch.Size((2, 3)), stream)
    drawn = batch([5, 7])
    sample_targets(drawn.win, drawn.valid, 3, stream)
    assert asked == [stream.device] * 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["float32", *HALF])
@pytest.mark.parametrize(("encoder", "selection"), WAYS)
def test_a_gpu_learns_the_same(precision, encoder, selection):
    batches, config = [learnable(seed) for seed in range(4)], replace(QUICK, precision=precision)
    found = [
        fit(
            model_of(encoder, selection), lambda epoch: batches, lambda: batches, config,
            lambda epoch: None, 4, device=device,
        )
        for device in (CPU, torch.device("cuda"))
    ]  # fmt: skip
    ends = [history[-1].validation.click for history in found]
    assert ends[1] == pytest.approx(ends[0], rel=0.2)


def test_a_gpu_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of("auto") == device_of("cpu") == CPU
    with pytest.raises(NoDevice, match=r"'cuda' is not available here.*use 'auto' or 'cpu'"):
        device_of("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("auto") == device_of("cuda") == torch.device("cuda")
    assert device_of("cpu") == CPU
