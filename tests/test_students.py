"""The students that leave f alone: what they read, what they teach nobody, what they learn back."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from candidate_sets import DENSE, ITEM_SIZES, batch, shape
from test_cdm import rows

from model.batch import CandidateBatch
from model.cdm import CDM
from model.learning_config import ModelConfig, TrainingConfig
from model.rankers.better import Better, better
from model.rankers.learned_wear import learned_wear, likeness, repeats
from model.step_losses import batch_losses
from model.students import better_context
from model.students.student import CandidateView
from model.students.wear import PLACES, Wear, pages
from model.training import fit

SMALL = {"embedding_width": 4, "width": 6, "hidden": (8, 8, 8)}
DETACHED = pytest.mark.parametrize("student", ["better_context", "wear"])
EVERY = pytest.mark.parametrize(
    "variant",
    [
        {"student": "cdm"},
        {"student": "better_context"},
        {"student": "better_context", "landmarks": 3},
        {"student": "wear"},
        {"student": "wear", "landmarks": 3},
    ],
    ids=str,
)


def make_model(win_rate: float = 0.2, **config: object) -> CDM:
    """A small model, its student moved off the values at which parts of it stand still."""
    torch.manual_seed(0)
    model = CDM(shape(win_rate), ModelConfig(**SMALL | {"embedding_std": 0.7} | config)).eval()
    if win_rate and config.get("student") == "wear":
        with torch.no_grad():
            for parameter in model.student.parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape))
    return model


def view_of(e: list, logits: list, tokens: list | None = None, u: list | None = None):
    """One request whose candidates are all there."""
    e, n = torch.tensor([e]), len(e)
    return CandidateView(
        e=e,
        u=torch.ones(1, e.shape[-1]) if u is None else torch.tensor([u]),
        item_tokens=torch.zeros(1, n, 2, dtype=torch.int64) if tokens is None else tokens,
        valid=torch.ones(1, n, dtype=torch.bool),
        logits=torch.tensor([logits]),
    )


@EVERY
@pytest.mark.parametrize("array", [np.asarray, torch.tensor])
def test_gamma_zero_is_exactly_f(variant, array):
    f, y = array([0.3, 0.0, 0.7]), array([0.2, 0.5, 0.0])
    model = make_model(**variant)
    assert model.fuse(f, y, 0.0).tolist() == f.tolist()
    assert model.fuse(f, y, 0.5).tolist() != f.tolist()


def test_how_y_joins_f():
    f, y = np.array([0.5]), np.array([0.25])
    assert make_model(student="better_context").fuse(f, y, 0.5).tolist() == [0.625]
    assert make_model(student="wear").fuse(f, y, 0.5).tolist() == [0.25]
    assert make_model(win_rate=0.0).fuse(f, None, 0.5).tolist() == [0.5]


@EVERY
def test_permuting_candidates_permutes_y(variant):
    model, drawn = make_model(**variant), batch([9, 9])
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    found = model.score(rows(drawn, slice(None), order))[1]
    torch.testing.assert_close(found, model.score(drawn)[1][:, order], rtol=0, atol=1e-6)
    assert found.std() > 1e-4


@EVERY
def test_padding_and_the_batch_change_nothing(variant):
    model, drawn = make_model(**variant), batch([5, 9, 2, 1])
    together = model.score(drawn)[1]
    assert not together[~drawn.valid].any()
    for row, n in enumerate(drawn.valid.sum(1)):
        alone = model.score(rows(drawn, [row], slice(n)))[1][0]
        torch.testing.assert_close(alone, together[row, :n], rtol=0, atol=1e-6)


@EVERY
def test_as_many_landmarks_as_candidates_are_all(variant):
    model, drawn = make_model(**variant), batch([5, 9, 2])
    other = make_model(**variant | {"landmarks": 9})
    few = make_model(**variant | {"landmarks": 1})
    if model.student.landmarks == 0:
        assert torch.equal(other.score(drawn)[1], model.score(drawn)[1])
    assert not torch.equal(few.score(drawn)[1], other.score(drawn)[1])


@DETACHED
def test_only_a_higher_f_can_matter(student):
    """Moving a candidate moves those of a lower f, and nobody else."""
    model, drawn = make_model(student=student), batch([9])
    logits = model.click_logits(drawn)
    view = model.view(drawn, logits=logits)
    order = logits[0].argsort(descending=True).tolist()
    moved = view.e.clone()
    moved[0, order[4]] = -moved[0, order[4]] + 0.5
    tokens = view.item_tokens.clone()
    tokens[0, order[4]] = tokens[0, order[8]]
    before = model.student.score(view)[0]
    after = model.student.score(replace(view, e=moved, item_tokens=tokens))[0]
    assert torch.equal(after[order[:4]], before[order[:4]])
    assert not torch.equal(after[order[5:]], before[order[5:]])


@DETACHED
def test_nothing_flows_into_what_f_shares(student):
    model, drawn = make_model(student=student).train(), batch([9, 5])
    _, own, contrast = batch_losses(model, drawn, TrainingConfig(), torch.Generator(), 0.0)
    (own + contrast).backward()
    touched = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert touched == {"student"}
    still = [n for n, p in model.student.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still, f"no gradient reaches {still}"
    assert contrast.item() == 0.0


@DETACHED
def test_f_trains_as_a_dcn_alone_to_the_bit(student):
    batches, config = [batch([9, 5, 7], seed) for seed in range(4)], TrainingConfig(seed=3)
    config = replace(config, epochs=3, patience=3, learning_rate=0.02, targets=4)
    found = []
    for win_rate in (0.2, 0.0):
        torch.manual_seed(0)
        chosen = ModelConfig(**SMALL | {"dropout": 0.5, "student": student})
        model = CDM(shape(win_rate), chosen)
        start = {name: value.clone() for name, value in model.state_dict().items()}
        # Judged by what it learns from, so that both keep the same, the last epoch.
        history = fit(model, lambda _: batches, lambda: batches, config, lambda _: None, 4)
        found.append({n: v for n, v in model.state_dict().items() if "student" not in n})
        assert [epoch.validation.total(config) for epoch in history] == sorted(
            [epoch.validation.total(config) for epoch in history], reverse=True
        )
        assert not torch.equal(start["backbone.head.weight"], model.backbone.head.weight)
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        assert torch.equal(value, found[1][name]), name


@DETACHED
def test_what_only_the_cdm_student_reads_is_refused(student):
    for key, value in (("selection", "relaxed"), ("score_feature", True), ("context_size", 3)):
        with pytest.raises(ValueError, match=f"model.{key} = .*the student {student} does not"):
            ModelConfig(student=student, **{key: value})


def test_the_better_context_by_hand():
    """Three candidates; what reaches the head is computed in plain loops."""
    model, seen = make_model(student="better_context").student, []
    model.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0]))
    e = [[1.0, 0.0, 0, 0, 0, 0], [0.6, 0.8, 0, 0, 0, 0], [0.0, -2.0, 0, 0, 0, 1]]
    logits, u = [-1.0, 2.0, 9.0], [2.0, 1.0, 1, 1, 1, 0.5]
    view = view_of(e, logits, u=u)
    with torch.no_grad():
        model.compare.weight.copy_(torch.eye(6))
        model.null.fill_(0.25)
        model.win_logits(view, torch.tensor([[0, 1, 2]]))

    def cosine(i: int, j: int, scale: np.ndarray) -> float:
        a, b = np.array(e[i]) * scale, np.array(e[j]) * scale
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    for i, above in enumerate([[2, 1], [2], []]):
        plain = {j: cosine(i, j, np.ones(6)) for j in above}
        lead = {j: min(logits[j] - logits[i], 5.0) for j in above}
        w = {j: 4.0 * plain[j] + lead[j] for j in above}
        total = math.exp(0.25) + sum(map(math.exp, w.values()))
        context = sum((math.exp(w[j]) / total * np.array(e[j]) for j in above), np.zeros(6))
        redundancy = max((cosine(i, j, np.array(u)) for j in above), default=-1.0)
        expected = [
            *e[i],
            *context,
            *(np.array(e[i]) * context),
            *(math.log(total), max(plain.values(), default=-1.0), redundancy, logits[i]),
        ]
        assert seen[0][i].tolist() == pytest.approx(expected, abs=1e-5)


def test_the_redundancy_does_not_move_with_the_export_scale():
    model, drawn = make_model(student="better_context"), batch([9])
    before = model.score(drawn)[1]
    model.calibrate_export([drawn], 400.0)
    assert torch.equal(model.score(drawn)[1], before)


@pytest.mark.parametrize("blind", [False, True])
def test_the_better_context_learns_what_f_does_not_say(blind, monkeypatch):
    """Winners have a first field that no better candidate has; the blind one cannot see those."""
    if blind:

        def nobody(*args: object) -> Better:
            found = better(*args)
            return found._replace(before=torch.zeros_like(found.before))

        monkeypatch.setattr(better_context, "better", nobody)
    torch.manual_seed(0)
    chosen = {"student": "better_context", "width": 16, "embedding_std": 0.7}
    model = CDM(shape(0.25), ModelConfig(**SMALL | chosen))

    def known(seed: int) -> CandidateBatch:
        drawn = batch([12] * 64, seed)
        kinds = drawn.item_tokens[..., 0] % 3 + 2
        drawn = replace(drawn, item_tokens=torch.stack([kinds, drawn.item_tokens[..., 1]], -1))
        worth = drawn.dense[..., 0]
        same = kinds[:, :, None] == kinds[:, None, :]
        first = ~(same & (worth[:, None, :] > worth[:, :, None])).any(-1)
        clicked = (torch.sigmoid(4 * worth) > 0.5).float()
        return replace(drawn, win=first.float(), label=clicked, exposed=drawn.valid)

    config = TrainingConfig(epochs=10, patience=10, learning_rate=0.01, targets=0)
    batches, judged = [known(seed) for seed in range(8)], [known(99)]
    history = fit(model, lambda _: batches, lambda: judged, config, lambda _: None, 8)
    loss = history[-1].validation.distillation
    assert loss > 0.3 if blind else loss < 0.15


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
    found = repeats(f, tokens, e, valid, share, context)
    alike = likeness(tokens, e, tokens, e, share)
    for row, n in enumerate((7, 4)):
        by = sorted(range(n), key=lambda i: -f[row, i].item())
        for place, i in enumerate(by):
            above = (by[:context] if context else by)[:place]
            expected = sum(alike[row, i, j].item() for j in above if j != i)
            assert found[row, i].item() == pytest.approx(expected, abs=1e-6)


def test_learned_wear_by_hand():
    f, wear, n = (torch.tensor([[x, 0.5]], dtype=torch.float64) for x in (0.8, 0.5, 2.0))
    valid = torch.tensor([[True, False]])
    score = learned_wear(f, wear, n, valid, 0.5)
    assert score[0].tolist() == pytest.approx([0.8 * math.exp(-0.5), -math.inf])
    assert learned_wear(f, wear, n, valid, 0.0)[0, 0] == f[0, 0]


def test_learned_wear_has_the_gradient_it_should():
    values = [torch.rand(2, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    valid = torch.ones(2, 4, dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda f, w, n: learned_wear(f, w, n, valid, 0.7), values)


def test_the_wear_student_serves_the_closed_form():
    model, drawn = make_model(student="wear"), batch([9, 4])
    f, y = model.score(drawn)
    with torch.no_grad():
        view = model.view(drawn, logits=model.click_logits(drawn))
        wear = model.student.rate(view.e, view.u, view.logits)
        n = repeats(view.logits, view.item_tokens, view.e, view.valid, model.student.share)
    expected = learned_wear(f, wear, n, drawn.valid, 0.5)[drawn.valid]
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
    view = CandidateView(e, torch.zeros(requests, 4), tokens, everyone, logits)
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
