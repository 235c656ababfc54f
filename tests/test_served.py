"""The student that serves, its maps folded into each other, against its equations."""

import numpy as np
import pytest
import torch
from candidate_sets import batch
from test_cdm import make_model, rows

from model import cdm, dcn
from model.batch import CandidateBatch
from model.cdm import CDM
from model.runs import AtOnce, everyone
from model.students import paper, served
from model.students.context_kernel import context_products
from model.students.served import ServedContexts

VARIANTS = (
    {},
    {"include_self": True},
    {"score_feature": True},
    {"landmarks": 4},
    {"landmarks": 4, "score_feature": True, "include_self": True},
    {"landmarks": 1},
    {"selection": "relaxed", "context_size": 12},
)


def by_equations(model: CDM, drawn: CandidateBatch) -> torch.Tensor:
    """Return y_stu [B, N] by Eq. 5 to 17, one after the other."""
    with torch.no_grad():
        view = model.view(drawn)
        contexts = model.student.contexts(view, everyone(view.valid))
        return torch.sigmoid(model.student.win_logits(contexts)) * drawn.valid


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("block", [3, 1024])
def test_it_says_what_the_equations_say(variant, block, monkeypatch):
    """Also where a request is cut, and where requests have one or two candidates."""
    monkeypatch.setattr(served, "CANDIDATES", block)
    model, drawn = make_model(**variant), batch([40, 1, 9, 2, 75])
    expected = by_equations(model, drawn)
    assert expected[drawn.valid].std() > 0.01
    torch.testing.assert_close(model.score(drawn)[1], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("landmarks", [0, 4, 8])
def test_padding_may_stand_anywhere(landmarks):
    drawn = batch([9, 9])
    valid = torch.arange(9)[None].expand(2, 9) % 4 > 0
    with_nobody = CandidateBatch(
        drawn.user_tokens, drawn.item_tokens, drawn.dense, drawn.valid & False
    )
    assert not make_model(landmarks=landmarks).score(with_nobody)[1].any()
    model, sparse = (
        make_model(landmarks=landmarks),
        CandidateBatch(drawn.user_tokens, drawn.item_tokens, drawn.dense, valid),
    )
    found = model.score(sparse)[1]
    torch.testing.assert_close(found, by_equations(model, sparse), rtol=0, atol=1e-6)
    kept = valid[0].nonzero()[:, 0]
    alone = model.score(rows(sparse, slice(None), kept))[1]
    torch.testing.assert_close(found[:, kept], alone, rtol=0, atol=1e-6)


def test_it_is_asked_where_it_is_written(monkeypatch):
    """Not where something is learned, in another number format, or by another encoder."""
    asked = []

    def recorded(*args: object) -> ServedContexts:
        asked.append(args)
        return ServedContexts(*args)

    monkeypatch.setattr(paper, "ServedContexts", recorded)
    drawn = batch([5, 9])
    make_model().score(drawn)
    assert len(asked) == 1
    model = make_model()
    model.student.scoring(model.view(drawn))(everyone(drawn.valid)).sum().backward()
    for other in (make_model(encoder="attention"), make_model(encoder="alone")):
        other.score(drawn)
    wide = CandidateBatch(drawn.user_tokens, drawn.item_tokens, drawn.dense.double(), drawn.valid)
    make_model().double().score(wide)
    assert len(asked) == 1


def slow_products(products, target, k, table, bias):
    """The same in float64 by sorting, a target at a time."""
    found, size = [], len(bias)
    for t, row in enumerate(products.astype(np.float64)):
        read, base, weight = row[:size], row[size], row[size + 1 :]
        others = [j for j in range(len(weight)) if target[j] != t]
        hidden = bias.astype(np.float64)
        for side, sign in enumerate((1, -1)):
            chosen = sorted(others, key=lambda j: -sign * weight[j])[:k]
            share = np.exp(sign * weight[chosen] - max(sign * weight[chosen], default=0.0))
            hidden = hidden + share @ table[chosen, side] / max(share.sum(), 1e-300)
        found.append(np.maximum(hidden, 0.0) @ read + base)
    return np.array(found)


@pytest.mark.parametrize(
    ("t", "m", "k"), [(70, 50, 10), (3, 1, 4), (130, 7, 3), (64, 100, 23), (5, 0, 2)]
)
def test_the_kernel_is_its_formula(t, m, k):
    rng = np.random.default_rng(t)
    drawn = (rng.normal(size=s).astype(np.float32) for s in ((t, 13 + m), (m, 2, 12), (12,)))
    products, table, bias = drawn
    target = rng.choice(2 * t + m, m, replace=False) - t // 2
    expected = slow_products(products, target, k, table, bias)
    found = np.empty(t, np.float32)
    context_products(products, target, k, table, bias, found)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_targets_may_be_any(variant):
    model, drawn = make_model(**variant), batch([40, 1, 9, 2, 75])
    targets = torch.stack([torch.randperm(75)[:20] for _ in range(5)])
    with torch.no_grad():
        found = model.student.scoring(model.view(drawn))(targets)
    is_there = drawn.valid.gather(1, targets)
    assert is_there.any(1).sum() > 2
    expected = by_equations(model, drawn).gather(1, targets)
    torch.testing.assert_close(found[is_there], expected[is_there], rtol=0, atol=1e-6)


def test_blocks_change_nothing(monkeypatch):
    model, drawn = make_model(), batch([9, 4, 30, 7, 1])
    f = model.score(drawn)[0]
    monkeypatch.setattr(dcn, "CANDIDATES", 40)
    rows, logits = [], type(model.backbone)._logits

    def counted(self: object, x0: torch.Tensor) -> torch.Tensor:
        rows.append(len(x0))
        return logits(self, x0)

    monkeypatch.setattr(type(model.backbone), "_logits", counted)
    torch.testing.assert_close(model.score(drawn)[0], f, rtol=1e-6, atol=1e-6)
    assert rows == [40, 40, 40, 30]
    model.click_logits(drawn)
    assert rows[4:] == [5], "what is learned from is not cut"


def test_what_the_student_reads_of_f_in_a_step_is_cut_too(monkeypatch):
    model, drawn = make_model(landmarks=4).train(), batch([9, 4, 30, 7, 1])
    expected = model._served_logits(drawn)
    monkeypatch.setattr(cdm, "READ", AtOnce(candidates=35))
    asked, raw_item = [], type(model.embeddings).raw_item

    def counted(self: object, tokens: torch.Tensor) -> torch.Tensor:
        asked.append(tokens.shape[1])
        return raw_item(self, tokens)

    monkeypatch.setattr(type(model.embeddings), "raw_item", counted)
    torch.testing.assert_close(model._served_logits(drawn), expected, rtol=1e-6, atol=1e-6)
    assert asked == [7, 7, 7, 7, 2]


@pytest.mark.parametrize("name", ["query", "key", "value", "fusion.0", "fusion.3", "item_map"])
@pytest.mark.parametrize("way", ["in place", "loaded", "data", "another"])
def test_a_weight_that_changes_is_folded_again(name, way):
    model, drawn = make_model(landmarks=4), batch([9, 30])
    before = model.score(drawn)[1]
    owner = model.embeddings if name == "item_map" else model.student.encoder
    layer = owner.get_submodule(name)
    changed = layer.weight.detach() * -1.5
    with torch.no_grad():
        if way == "in place":
            layer.weight.copy_(changed)
        elif way == "loaded":
            layer.load_state_dict(layer.state_dict() | {"weight": changed})
        elif way == "data":
            layer.weight.data = changed
        else:
            layer.weight = torch.nn.Parameter(changed)
    after = model.score(drawn)[1]
    torch.testing.assert_close(after, by_equations(model, drawn), rtol=0, atol=1e-6)
    assert (after - before).abs().max() > 1e-3
