"""The students that leave f alone: what they read, what they teach nobody, what they learn back."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from candidate_sets import batch, shape
from test_cdm import rows

from model.batch import CandidateBatch
from model.cdm import CDM
from model.learning_config import ModelConfig, TrainingConfig
from model.rankers.better import Better, better
from model.runs import everyone
from model.step_losses import batch_losses, judged_losses
from model.students import better_context
from model.students.student import CandidateView, named_alone
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


def given(e: torch.Tensor) -> dict:
    """What a view says of candidates whose e is not made from tokens."""
    return {"raw": e, "raw_item": None, "item_map": lambda e: e}


def view_of(e: list, logits: list, tokens: list | None = None, u: list | None = None):
    """One request whose candidates are all there."""
    e, n = torch.tensor([e]), len(e)
    return CandidateView(
        u=torch.ones(1, e.shape[-1]) if u is None else torch.tensor([u]),
        item_tokens=torch.zeros(1, n, 2, dtype=torch.int64) if tokens is None else tokens,
        valid=torch.ones(1, n, dtype=torch.bool),
        logits=torch.tensor([logits]),
        **given(e),
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
    targets = everyone(view.valid)
    before = model.student.score(view, targets)[0]
    after = model.student.score(replace(view, item_tokens=tokens, **given(moved)), targets)[0]
    assert torch.equal(after[order[:4]], before[order[:4]])
    assert not torch.equal(after[order[5:]], before[order[5:]])


@EVERY
def test_what_is_judged_at_once_is_what_losses_and_scores_are(variant):
    model, drawn, config = make_model(**variant), batch([9, 5]), TrainingConfig()
    losses, scores = judged_losses(model, drawn, config, torch.Generator())
    torch.testing.assert_close(losses, batch_losses(model, drawn, config, torch.Generator()))
    torch.testing.assert_close(scores, model.score(drawn))


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


@pytest.mark.parametrize("student", ["cdm", "better_context"])
def test_a_step_looks_at_targets_and_landmarks_alone(student, monkeypatch):
    """And learns what it would learn from all candidates."""
    model, drawn = make_model(student=student, landmarks=4), batch([30, 17, 3])
    config = TrainingConfig(targets=6)

    def learned() -> tuple[torch.Tensor, list[torch.Tensor]]:
        model.train().zero_grad()
        torch.manual_seed(0)
        losses = batch_losses(model, drawn, config, torch.Generator().manual_seed(1), 0.5)
        sum(losses).backward()
        return torch.stack(losses), [p.grad for p in model.parameters() if p.grad is not None]

    embedded, raw_item = [], type(model.embeddings).raw_item

    def counted(self: object, tokens: torch.Tensor) -> torch.Tensor:
        embedded.append(tokens.shape)
        return raw_item(self, tokens)

    monkeypatch.setattr(type(model.embeddings), "raw_item", counted)
    losses, gradients = learned()
    assert embedded[-1] == (3, 10, 2)
    module = f"model.students.{'paper' if student == 'cdm' else student}"
    monkeypatch.setattr(f"{module}.named_alone", lambda view, *named: (view, *named))
    expected, those = learned()
    assert embedded[-1] == (3, 30, 2)
    torch.testing.assert_close(losses, expected)
    for found, other in zip(gradients, those, strict=True):
        torch.testing.assert_close(found, other, rtol=1e-4, atol=1e-6)


def test_the_named_of_a_view_by_hand():
    """A candidate that is named twice is there once; others fill what is left of the room."""
    view = view_of([[float(i)] for i in range(9)], [9.0 - i for i in range(9)])
    few, first, second = named_alone(view, torch.tensor([[7, 2]]), torch.tensor([[2, 4, 4]]))
    assert few.e[0, :3, 0].tolist() == [2.0, 4.0, 7.0]
    assert few.valid.shape == (1, 5)
    assert (first.tolist(), second.tolist()) == ([[2, 0]], [[0, 1, 1]])
    assert few.logits[0, :3].tolist() == [7.0, 5.0, 2.0]
    same, third = named_alone(view, torch.arange(9)[None])
    assert same is view
    assert third.tolist() == [list(range(9))]
