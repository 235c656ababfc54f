"""The row of the unknown: hidden tokens reach it, and without them nothing may."""

from dataclasses import replace

import pytest
import torch
from candidate_sets import batch, shape
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batch import CandidateBatch
from model.cdm import CDM
from model.learning_config import ModelConfig, TrainingConfig
from model.training import fit
from model.unknown_tokens import hide_tokens
from model.vocabulary import PADDING, UNKNOWN

SMALL = ModelConfig(embedding_width=4, width=6, hidden=(8, 8), context_size=3)


def known(requests: int, seed: int) -> CandidateBatch:
    """Requests of known tokens only, some shorter than others."""
    drawn = batch([8, 5] * requests, seed)
    return replace(
        drawn,
        user_tokens=drawn.user_tokens.clamp_min(UNKNOWN + 1),
        item_tokens=torch.where(drawn.item_tokens == UNKNOWN, UNKNOWN + 1, drawn.item_tokens),
    )


@given(st.floats(0, 0.99), st.integers(0, 99))
@settings(max_examples=40)
def test_what_is_hidden_becomes_unknown_and_nothing_else_changes(share, seed):
    whole = known(4, seed)
    found = hide_tokens(whole, share, torch.Generator().manual_seed(seed))
    for name in ("user_tokens", "item_tokens"):
        before, after = getattr(whole, name), getattr(found, name)
        assert ((after == before) | (after == UNKNOWN)).all()
        assert torch.equal(after == PADDING, before == PADDING)
    assert found.win is whole.win
    assert found.dense is whole.dense


def test_the_share_is_that_of_the_tokens():
    whole = known(400, 0)
    found = hide_tokens(whole, 0.1, torch.Generator().manual_seed(1))
    for name in ("user_tokens", "item_tokens"):
        rate = (getattr(found, name) == UNKNOWN).sum() / (getattr(whole, name) != PADDING).sum()
        assert rate == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_row_of_the_unknown_moves_where_tokens_are_hidden_and_only_there(share):
    torch.manual_seed(0)
    model = CDM(shape(), SMALL)
    tables = [*model.embeddings.user, *model.embeddings.item]
    before = [table.weight.detach().clone() for table in tables]
    config = TrainingConfig(epochs=1, targets=4, seed=3, unknown_share=share)
    batches = [known(4, seed) for seed in range(3)]
    fit(model, lambda epoch: batches, lambda: [known(4, 9)], config, lambda epoch: None, 3)
    for table, was in zip(tables, before, strict=True):
        assert torch.equal(table.weight[UNKNOWN], was[UNKNOWN]) == (share == 0)
        assert not torch.equal(table.weight[UNKNOWN + 1], was[UNKNOWN + 1])
        assert not table.weight[PADDING].any()


def test_a_model_that_is_judged_sees_every_token():
    """Or early stopping would judge by chance."""
    model, learned, judged = CDM(shape(), SMALL), [known(4, 0)], [known(4, 9)]
    found = []
    for seed in (1, 2):
        config = TrainingConfig(
            epochs=1, targets=4, seed=seed, unknown_share=0.9, learning_rate=1e-12
        )
        found += fit(model, lambda _: learned, lambda: judged, config, lambda _: None, 1)
    assert found[0].validation.click == pytest.approx(found[1].validation.click, abs=1e-6)
    assert found[0].training.click != pytest.approx(found[1].training.click, abs=1e-6)
