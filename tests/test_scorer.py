"""The scorer under each ranker, and the exported program against the module it was made from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from candidate_sets import batch
from test_students import make_model

from jobs.errors import Refused
from jobs.profile.load import load_profile
from model.batch import CandidateBatch
from model.cdm import CDM
from model.config import RankingConfig
from model.rankers.category_decay import category_decay
from model.rankers.one_pass import one_pass_mmr
from model.scorer import Scorer, export

ONE_PASS = RankingConfig(ranker="one_pass", mmr_weight=2.0, context=3, rounds=2)
Inputs = tuple[torch.Tensor, ...]


def inputs(drawn: CandidateBatch, seed: int = 0) -> Inputs:
    """What a scorer takes: the batch, and up to two categories an item."""
    rng = np.random.default_rng(seed)
    codes = torch.from_numpy(rng.integers(0, 4, (*drawn.valid.shape, 2)))
    codes[..., 1] = torch.where(codes[..., 1] == codes[..., 0], 0, codes[..., 1])
    return drawn.user_tokens, drawn.item_tokens, drawn.dense, drawn.valid, codes


def exported_vectors(model: CDM, drawn: CandidateBatch) -> Inputs:
    return model.item_vectors(drawn.item_tokens), model.user_vectors(drawn.user_tokens)


def test_each_ranker_is_its_formula():
    model, drawn = make_model(context_size=3), batch([30, 4])
    model.calibrate_export([drawn], 4.0)
    taken = inputs(drawn)
    f, y = (score.double() for score in model.score(drawn))
    expected = {
        RankingConfig(ranker="dcn"): f,
        RankingConfig(): f + 0.1 * y,
        RankingConfig(gamma=0.4): f + 0.4 * y,
        ONE_PASS: one_pass_mmr(f, *exported_vectors(model, drawn), drawn.valid, 2.0, 2.0, 3, 2),
        RankingConfig(ranker="category_decay", decay=0.7): category_decay(
            f, taken[4], drawn.valid, 0.7
        ),
    }
    finals = [Scorer(model, replace(ONE_PASS, rounds=1))(*taken).final]
    for config, score in expected.items():
        found = Scorer(model, config)(*taken)
        assert torch.equal(found.f.double(), f)
        assert torch.equal(found.y.double(), y)
        assert found.final.dtype == torch.float64
        assert torch.equal(found.final[drawn.valid], score[drawn.valid])
        assert torch.isneginf(found.final[~drawn.valid]).all()
        finals.append(found.final)
    for i, one in enumerate(finals):
        assert not any(torch.equal(one, other) for other in finals[:i])


def test_a_base_dcn_is_ranked_by_f_or_by_a_closed_form():
    model, drawn = make_model(win_rate=0.0), batch([9, 4])
    found = Scorer(model, RankingConfig())(*inputs(drawn))
    assert found.y is None
    assert torch.equal(found.final[drawn.valid], found.f.double()[drawn.valid])
    decayed = Scorer(model, RankingConfig(ranker="category_decay"))(*inputs(drawn))
    assert not torch.equal(decayed.final, found.final)


def test_gamma_zero_is_f():
    for student in ("cdm", "better_context", "wear"):
        model, drawn = make_model(student=student), batch([9, 4])
        found = Scorer(model, RankingConfig(gamma=0.0))(*inputs(drawn))
        assert torch.equal(found.final[drawn.valid], found.f.double()[drawn.valid])


@pytest.mark.parametrize(
    ("config", "formula"),
    [
        (RankingConfig(gamma=0.2), {"cdm": "f + 0.2 * y_stu", "wear": "f * y_stu^0.2"}),
        (RankingConfig(ranker="dcn"), {"cdm": "f"}),
        (RankingConfig(ranker="one_pass"), {"cdm": "one-pass MMR, lambda = 0.1"}),
        (RankingConfig(ranker="category_decay"), {"wear": "f * 0.9^n, n better ones of the"}),
    ],
)
def test_the_formula_is_told(config, formula):
    for student, words in formula.items():
        assert Scorer(make_model(student=student), config).formula.startswith(words)
    alone = Scorer(make_model(win_rate=0.0), RankingConfig()).formula
    assert alone == "f, a base DCN without a student"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("variant", "config"),
    [
        ({"context_size": 3}, RankingConfig()),
        ({"encoder": "attention", "score_feature": True, "landmarks": 4}, RankingConfig()),
        ({"student": "better_context"}, RankingConfig()),
        ({"student": "wear", "landmarks": 3}, RankingConfig(gamma=0.7)),
        ({"win_rate": 0.0}, replace(ONE_PASS, context=5)),
        ({"win_rate": 0.0}, RankingConfig(ranker="category_decay")),
    ],
    ids=lambda one: one.ranker if isinstance(one, RankingConfig) else str(one),
)
def test_the_exported_program_gives_the_same_for_any_size(variant, config):
    scorer = Scorer(make_model(**variant), config)
    program = export(scorer, inputs(batch([5, 9, 2]))).module()
    for lengths in ([5, 9, 2], [1], [1, 1], [2], [40, 3], [4] * 7):
        drawn = batch(lengths, seed=len(lengths))
        taken = inputs(drawn)
        expected, found = scorer(*taken), program(*taken)
        for one, other in zip(found, expected, strict=True):
            assert (one is None) == (other is None)
            if other is not None:
                assert one.dtype == other.dtype
                torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('ranker = "mmr"', "ranker = 'mmr' .* one of student, dcn, one_pass, category_decay"),
        ("rounds = 4", "rounds = 4 .* from 1 to 3"),
        ("context = -1", "context = -1 .* at least 0; 0 is all"),
        ("decay = 0", "decay = 0.0 .* above 0 and at most 1"),
        (
            'ranker = "category_decay"',
            "ranker = 'category_decay' .* without categories, for fields",
        ),
    ],
)
def test_what_is_not_allowed_is_told_in_one_line(tmp_path, line, message):
    path = tmp_path / "shop.toml"
    path.write_text(f'name = "shop"\n[ranking]\n{line}\n')
    with pytest.raises(Refused, match=rf"ranking\.{message}"):
        load_profile(str(path))
