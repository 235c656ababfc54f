"""Wear: its closed form by hand, the pages it is learned from, and that it is learned back."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from candidate_sets import DENSE, ITEM_SIZES, batch
from test_students import given, make_model, view_of

from model.batch import CandidateBatch
from model.learning_config import ModelConfig, TrainingConfig
from model.runs import everyone
from model.step_losses import batch_losses
from model.students.repeats import likeness, repeats
from model.students.student import CandidateView
from model.students.wear import PLACES, Wear, pages


def test_likeness_by_hand():
    tokens = torch.tensor([[[5, 7], [5, 1], [0, 1]]])
    e = torch.tensor([[[3.0, 0.0], [1.0, 1.0], [-1.0, 0.0]]])
    found = likeness(tokens, e, tokens, e, torch.tensor([0.5, 0.25, 0.25]))[0]
    cosine = math.sqrt(0.5)
    assert found[0].tolist() == pytest.approx([1.0, 0.5 + 0.25 * cosine, 0.0])
    # Unknown (1) and padding (0) are like nothing, not even themselves.
    assert found[1].tolist() == pytest.approx([0.5 + 0.25 * cosine, 0.75, 0.0])
    assert found[2].tolist() == pytest.approx([0.0, 0.0, 0.25])


@pytest.mark.parametrize("context", [0, 2])
def test_repeats_count_who_is_better_and_alike(context):
    generator = torch.Generator().manual_seed(0)
    f, e = torch.rand(2, 7, generator=generator), torch.randn(2, 7, 3, generator=generator)
    tokens = torch.randint(0, 4, (2, 7, 2), generator=generator)
    valid, share = torch.arange(7) < torch.tensor([[7], [4]]), torch.tensor([0.5, 0.2, 0.3])
    found = repeats(f, tokens, e, valid, share, everyone(valid), context)
    alike = likeness(tokens, e, tokens, e, share)
    for row, n in enumerate((7, 4)):
        by = sorted(range(n), key=lambda i: -f[row, i].item())
        for place, i in enumerate(by):
            above = (by[:context] if context else by)[:place]
            expected = sum(alike[row, i, j].item() for j in above if j != i)
            assert found[row, i].item() == pytest.approx(expected, abs=1e-6)


def test_the_wear_student_serves_f_worn_by_what_is_better_and_alike():
    model, drawn = make_model(student="wear"), batch([9, 4])
    f, y = model.score(drawn)
    with torch.no_grad():
        view = model.view(drawn, logits=model.click_logits(drawn))
        wear = model.student.rate(view.e, view.u, view.logits)
        targets, share = everyone(drawn.valid), model.student.share
        n = repeats(view.logits, view.item_tokens, view.e, view.valid, share, targets)
    expected = (f * torch.exp(-0.5 * wear * n))[drawn.valid]
    torch.testing.assert_close(model.fuse(f, y, 0.5)[drawn.valid], expected)
    best = f.argmax(1, keepdim=True)
    assert y.gather(1, best).tolist() == [[1.0], [1.0]]


def test_a_page_is_what_was_shown_in_its_order():
    exposed = torch.tensor([[1, 1, 0, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]]).bool()
    rank = torch.tensor([[3, 1, 2, 0, 70], [0, 9, 0, 0, 0], [4, 0, 0, 0, 0]])
    logits = torch.tensor([[9.0, 1, 2, 3, 4], [0.0, 9, 2, 1, 9], [0.0, 0, 0, 0, 0]])
    drawn = replace(batch([5, 5, 5]), exposed=exposed, shown_rank=rank)
    who, place, shown = pages(drawn, logits)
    # The first knows ranks of three that were exposed, the second knows none, so f decides.
    assert [w[s].tolist() for w, s in zip(who, shown, strict=True)] == [[1, 0, 4], [2, 3, 0], []]
    assert [p[s].tolist() for p, s in zip(place, shown, strict=True)] == [[1, 3, 70], [1, 2, 3], []]
    unknown = pages(replace(drawn, shown_rank=None), logits)
    assert unknown[0][0].tolist() == [0, 4, 3, 1]


def test_the_loss_of_a_page_by_hand():
    student = Wear(ModelConfig(width=2), 2)
    with torch.no_grad():
        student.log_scale.fill_(0.1)
        student.raw_examination.copy_(torch.linspace(-1, 1, PLACES - 1))
    logits = [0.4, -0.2, 1.0]
    tokens = torch.tensor([[[4, 2], [5, 2], [4, 3]]])
    e = [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]
    drawn = CandidateBatch(
        user_tokens=torch.zeros(1, 1),
        item_tokens=tokens,
        dense=torch.zeros(1, 3, 0),
        valid=torch.ones(1, 3, dtype=torch.bool),
        exposed=torch.tensor([[True, True, True]]),
        label=torch.tensor([[1.0, 0.0, 1.0]]),
        win=torch.zeros(1, 3),
        shown_rank=torch.tensor([[2, 5, 1]]),
    )
    loss, _ = student.losses(
        view_of(e, logits, tokens), drawn, TrainingConfig(), torch.Generator(), 0.0
    )
    w = math.log1p(math.exp(-2.25))
    # Shown: 2, 0, 1. Shares are a third each; 0 and 2 share a token, 0 and 1 another.
    n = {2: 0.0, 0: (1 + math.sqrt(0.5)) / 3, 1: (1 + math.sqrt(0.5)) / 3}
    total = 0.0
    for i, place in ((2, 1), (0, 2), (1, 5)):
        free = student.raw_examination[place - 2].item() if place > 1 else -math.inf
        examined = math.exp(0.1 - math.log1p(math.exp(free)))
        p = examined / (1 + math.exp(-logits[i])) * math.exp(-w * n[i])
        total -= math.log(p if drawn.label[0, i] else 1 - p)
    assert loss.item() == pytest.approx(total / 3, rel=1e-5)


def test_a_batch_without_exposure_is_no_loss():
    model = make_model(student="wear").train()
    drawn = replace(batch([4, 2]), exposed=torch.zeros(2, 4, dtype=torch.bool))
    _, own, _ = batch_losses(model, drawn, TrainingConfig(), torch.Generator(), 0.0)
    own.backward()
    assert own.item() == 0.0


def test_wear_is_learned_back():
    """Pages drawn from the student's own law: the first field wears, the second does not."""
    rng, places, requests, wear = np.random.default_rng(5), 12, 4_000, 0.5
    tokens = torch.from_numpy(rng.integers(2, (6, 9), size=(requests, places, 2)))
    e = torch.from_numpy(rng.normal(size=(requests, places, 4)).astype(np.float32))
    logits = torch.from_numpy(rng.normal(-0.5, 0.5, size=(requests, places)).astype(np.float32))
    order = torch.from_numpy(rng.permuted(np.tile(np.arange(places), (requests, 1)), axis=1))
    above = order[:, None, :] < order[:, :, None]
    n = ((tokens[:, :, None, 0] == tokens[:, None, :, 0]) & above).sum(-1)
    p = torch.sigmoid(logits) * (order + 1.0) ** -0.3 * torch.exp(-wear * n)
    everyone = torch.ones(requests, places, dtype=torch.bool)
    drawn = CandidateBatch(
        user_tokens=torch.zeros(requests, 1),
        item_tokens=tokens,
        dense=torch.zeros(requests, places, DENSE),
        valid=everyone,
        exposed=everyone,
        label=(torch.from_numpy(rng.random((requests, places))) < p).float(),
        win=torch.zeros(requests, places),
        shown_rank=order + 1,
    )
    view = CandidateView(torch.zeros(requests, 4), tokens, everyone, logits, **given(e))
    torch.manual_seed(0)
    student = Wear(ModelConfig(width=4), len(ITEM_SIZES))
    optimizer = torch.optim.Adam(student.parameters(), lr=0.1)
    for _ in range(150):
        loss, _ = student.losses(view, drawn, TrainingConfig(), torch.Generator(), 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        rate = student.rate(e, view.u, logits).mean()
        found = (rate * student.share).tolist()
        examined = student.log_examination[:places].exp()
    assert found[0] == pytest.approx(wear, abs=0.1), "what a repeat of the first field costs"
    assert max(found[1:]) < 0.1, f"neither the second field nor the cosine wears: {found}"
    expected = torch.arange(1, places + 1) ** -0.3
    assert (examined / expected - 1).abs().max() < 0.2
