"""The model as it serves: scores that depend on nothing but the request."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from candidate_sets import ITEM_SIZES, batch, shape

from jobs.ranked_lists import by
from jobs.request_scores import Scores
from model.batch import CandidateBatch
from model.cdm import CDM
from model.dcn import DCN, CrossLayer, Embeddings, MatrixCrossLayer
from model.landmarks import choose_landmarks
from model.learning_config import ModelConfig

SMALL = {"embedding_width": 4, "width": 6, "hidden": (8, 8, 8), "context_size": 3}


VARIANTS = (
    {},
    {"selection": "relaxed"},
    {"selection": "straight_through"},
    {"cross": "v2"},
    {"encoder": "attention"},
    {"score_feature": True},
    {"landmarks": 4},
    {"encoder": "attention", "score_feature": True, "landmarks": 4},
    {"landmarks": 1},
)
EVERY = pytest.mark.parametrize("variant", VARIANTS, ids=str)
"""Each way to write the model; what serves must hold for all."""


def make_model(win_rate: float = 0.2, seed: int = 0, **config: object) -> CDM:
    """A small model whose embeddings are large enough for its scores to differ."""
    torch.manual_seed(seed)
    return CDM(shape(win_rate), ModelConfig(**SMALL | {"embedding_std": 0.7} | config)).eval()


def rows(source: CandidateBatch, chosen: object, columns: object = slice(None)) -> CandidateBatch:
    """The same requests in another order, or fewer; likewise their candidates."""
    per_item = ("item_tokens", "dense", "valid")
    found = {name: getattr(source, name)[chosen][:, columns] for name in per_item}
    return CandidateBatch(source.user_tokens[chosen], **found)


def both(model: CDM, scored: CandidateBatch) -> torch.Tensor:
    """Return f and y_stu as [2, B, N]."""
    return torch.stack(model.score(scored))


def same(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_scores_are_probabilities_that_differ_and_padding_gets_none():
    drawn = batch([5, 9, 2])
    f, win = make_model().score(drawn)
    for score in (f, win):
        assert ((score[drawn.valid] > 0) & (score[drawn.valid] < 1)).all()
        assert not score[~drawn.valid].any()
        assert score[1].std() > 1e-3


@EVERY
def test_padding_changes_nothing(variant):
    model, drawn = make_model(**variant), batch([5, 9, 2])
    wider = replace(
        drawn,
        item_tokens=torch.nn.functional.pad(drawn.item_tokens, (0, 0, 0, 4), value=3),
        dense=torch.nn.functional.pad(drawn.dense, (0, 0, 0, 4), value=99.0),
        valid=torch.nn.functional.pad(drawn.valid, (0, 4)),
    )
    same(both(model, wider)[..., :9], both(model, drawn))
    assert not both(model, wider)[..., 9:].any()


@EVERY
def test_permuting_candidates_permutes_scores(variant):
    model, drawn = make_model(**variant), batch([9, 9])
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    same(both(model, rows(drawn, slice(None), order)), both(model, drawn)[..., order])


@EVERY
def test_the_batch_does_not_matter(variant):
    model, drawn = make_model(**variant), batch([5, 9, 2, 7, 1, 9])
    together = both(model, drawn)
    for row, n in enumerate(drawn.valid.sum(1)):
        same(both(model, rows(drawn, [row], slice(n)))[:, 0], together[:, row, :n])


@EVERY
def test_serving_is_deterministic_even_after_training_mode(variant):
    model, drawn = make_model(dropout=0.5, **variant), batch([5, 9, 2])
    first = both(model, drawn)
    assert torch.equal(both(model.train(), drawn), first)
    torch.manual_seed(99)
    assert torch.equal(both(model, drawn), first)


@EVERY
@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_candidates_than_context_places(n, variant):
    model = make_model(context_size=10, **variant)
    f, win = model.score(batch([n]))
    assert torch.isfinite(f).all()
    assert torch.isfinite(win).all()
    assert ((win > 0) & (win < 1)).all()


@EVERY
def test_a_lone_candidate_is_judged_by_the_empty_context(variant):
    model, drawn = make_model(**variant), batch([1])
    encoder = model.student.encoder
    alone = torch.zeros(1, 1, dtype=torch.long)
    query = model.student.contexts(model.view(drawn), alone).query[0, 0]
    empty = encoder.fusion(torch.zeros(encoder.fusion[0].in_features))
    expected = torch.sigmoid(query @ empty + model.student.win_bias)
    torch.testing.assert_close(model.score(drawn)[1][0, 0], expected)


@EVERY
def test_gamma_zero_is_the_ranking_of_the_dcn(variant):
    """Of this DCN inside CDM, and of a base DCN with the same weights."""
    model, drawn = make_model(**variant), batch([40, 40, 40])
    base = make_model(win_rate=0.0, **variant)
    kept = {name: value for name, value in model.state_dict().items() if name in base.state_dict()}
    base.load_state_dict(kept)
    f, win = (score.double().numpy() for score in model.score(drawn))
    assert np.array_equal(base.score(drawn)[0].double().numpy(), f)
    moved = 0
    for request in range(3):
        about = (f[request], f[request], win[request], f[request], np.zeros((40, 1)))
        scores = Scores("r", np.arange(40), *about)

        def serve(gamma: float, of: Scores = scores) -> tuple[np.ndarray, np.ndarray]:
            return by(model.fuse(of.f, of.win, gamma), of, 20)

        picks, final = serve(0.0)
        expected, f_of_them = by(f[request], scores, 20)
        assert picks.tolist() == expected.tolist()
        assert final.tolist() == f_of_them.tolist()
        moved += serve(1.0)[0].tolist() != expected.tolist()
    assert moved, "y_stu changes no ranking, so the case tests nothing"


def test_a_base_dcn_has_no_student():
    model, drawn = make_model(win_rate=0.0), batch([3])
    assert not model.has_student
    assert model.score(drawn)[1] is None
    assert not [name for name in model.state_dict() if "student" in name or "win" in name]


@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_the_student_starts_from_the_base_rate(rate):
    model, drawn = make_model(rate), batch([5, 9])
    assert model.student.win_bias.item() == pytest.approx(math.log(rate / (1 - rate)), abs=1e-6)
    with torch.no_grad():
        model.student.encoder.query.weight.zero_()
    torch.testing.assert_close(model.score(drawn)[1], rate * drawn.valid.float())


def test_win_logits_are_query_times_context_plus_bias():
    model, drawn = make_model(), batch([5, 5])
    targets = torch.tensor([[0, 3], [4, 1]])
    contexts = model.student.contexts(model.view(drawn), targets)
    expected = torch.einsum("btd,btd->bt", contexts.query, contexts.fused) + model.student.win_bias
    torch.testing.assert_close(model.student.win_logits(contexts), expected)
    served = model.score(drawn)[1].gather(1, targets)
    torch.testing.assert_close(torch.sigmoid(expected), served)


def test_click_logits_of_some_are_those_of_all():
    model, drawn = make_model(), batch([5, 9, 2])
    some = model.click_logits(drawn, drawn.exposed)
    torch.testing.assert_close(some, model.click_logits(drawn)[drawn.exposed])


@pytest.mark.parametrize("mean_square", [4.0, 0.25])
def test_calibrated_export_has_the_mean_square_asked_for(mean_square):
    model, batches = make_model(), [batch([5, 9, 2], seed=1), batch([30], seed=2)]
    before = both(model, batches[0])
    for _ in range(2):  # calibrating again must not multiply scales
        model.calibrate_export(batches, mean_square)
    squares = [
        ((model.item_vectors(b.item_tokens) * model.user_vectors(b.user_tokens)[:, None]) ** 2)
        .sum(-1)[b.valid]
        .double()
        for b in batches
    ]
    assert torch.cat(squares).mean().item() == pytest.approx(mean_square, rel=1e-5)
    assert torch.equal(both(model, batches[0]), before), "scores moved with the export scale"


def test_exported_vectors_keep_their_angles():
    model, drawn = make_model(), batch([9])
    model.calibrate_export([drawn], 4.0)
    exported = model.item_vectors(drawn.item_tokens)
    plain = model.embeddings.item_vector(drawn.item_tokens)
    torch.testing.assert_close(
        torch.nn.functional.normalize(exported, dim=-1),
        torch.nn.functional.normalize(plain, dim=-1),
    )
    assert not torch.allclose(exported, plain)


def test_padding_embeddings_are_zero_and_stay_zero():
    torch.manual_seed(0)
    embeddings = Embeddings([4], list(ITEM_SIZES), ModelConfig(**SMALL))
    tokens = torch.tensor([[0, 0], [3, 1]])
    assert not embeddings.raw_item(tokens)[0].any()
    embeddings.raw_item(tokens).sum().backward()
    assert not embeddings.item[0].weight.grad[0].any()
    assert embeddings.item[0].weight.grad[3].any()


@pytest.mark.parametrize("landmarks", [9, 50])
@pytest.mark.parametrize("encoder", ["contrastive", "attention"])
def test_as_many_landmarks_as_candidates_are_the_full_context(landmarks, encoder):
    full, drawn = make_model(encoder=encoder), batch([5, 9, 2])
    some, few = (make_model(encoder=encoder, landmarks=m) for m in (landmarks, 3))
    for other in (some, few):
        other.load_state_dict(full.state_dict())
    assert torch.equal(both(some, drawn), both(full, drawn))
    assert not torch.equal(both(few, drawn)[1, 1], both(full, drawn)[1, 1])
    same(both(few, drawn)[1, 2], both(full, drawn)[1, 2])


def test_contexts_are_drawn_from_the_landmarks_alone():
    """Moving a candidate that is none moves nobody else."""
    model, drawn = make_model(landmarks=3), batch([9])
    chosen = choose_landmarks(model.click_logits(drawn), drawn.valid, 3)[0].tolist()
    other = next(i for i in range(9) if i not in chosen)
    e = model.embeddings.item_vector(drawn.item_tokens)
    moved = e.clone()
    moved[0, other] += 1.0
    u, everyone = model.embeddings.user_vector(drawn.user_tokens), torch.arange(9)[None]
    landmarks = torch.tensor([chosen])
    before, after = (
        model.student.encoder(x, u, drawn.valid, everyone, landmarks=landmarks).fused[0]
        for x in (e, moved)
    )
    others = [i for i in range(9) if i != other]
    assert torch.equal(after[others], before[others])
    assert not torch.equal(after[other], before[other])


def test_the_score_feature_reaches_the_student_and_teaches_f_nothing():
    model, drawn = make_model(score_feature=True, dropout=0.5).train(), batch([9])
    targets = torch.arange(9)[None]

    def win_logits(**given: torch.Tensor) -> torch.Tensor:
        return model.student.win_logits(model.student.contexts(model.view(drawn, **given), targets))

    plain = win_logits(logits=torch.zeros(1, 9))
    assert not torch.allclose(win_logits(logits=torch.linspace(-3, 3, 9)[None]), plain)
    win_logits().sum().backward()
    assert all(p.grad is None for p in model.backbone.parameters())
    assert model.backbone.training, "the mode is as it was"


def test_the_student_learns_from_the_f_that_serves():
    """No dropout in the logits that it reads, even in training."""
    model, drawn = make_model(dropout=0.5), batch([9])
    served = model.click_logits(drawn)
    assert torch.equal(model.train()._served_logits(drawn), served)
    assert not torch.equal(model.click_logits(drawn), served)


def test_matrix_cross_layer_by_hand():
    layer = MatrixCrossLayer(2)
    with torch.no_grad():
        layer.linear.weight.copy_(torch.tensor([[2.0, -1.0], [0.0, 1.0]]))
        layer.linear.bias.copy_(torch.tensor([0.5, 0.0]))
    x0, x = torch.tensor([[1.0, 3.0]]), torch.tensor([[4.0, 5.0]])
    # W x + b = (3.5, 5), so (1, 3) * (3.5, 5) + (4, 5)
    assert layer(x0, x).tolist() == [[7.5, 20.0]]
    assert type(make_model(cross="v2").backbone.cross[0]) is MatrixCrossLayer


def test_cross_layer_by_hand():
    layer = CrossLayer(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, -1.0]))
        layer.bias.copy_(torch.tensor([0.5, 0.0]))
    x0, x = torch.tensor([[1.0, 3.0]]), torch.tensor([[4.0, 5.0]])
    # x . w = 3, so 3 * (1, 3) + (.5, 0) + (4, 5)
    assert layer(x0, x).tolist() == [[7.5, 14.0]]


def test_the_backbone_has_three_hidden_relu_layers_by_default():
    backbone = DCN(10, ModelConfig())
    assert [type(part).__name__ for part in backbone.mlp] == ["Linear", "ReLU", "Dropout"] * 3
    assert len(backbone.cross) == 3
    assert backbone(torch.randn(4, 10)).shape == (4,)
