"""A request in runs of candidates: the scores of the whole, and no tensor of all its pairs."""

import pytest
import torch
from candidate_sets import batch
from test_scorer import inputs
from test_students import make_model

from model import dcn
from model.config import RankingConfig
from model.runs import ALL, AtOnce
from model.scorer import Scorer

ONE_PASS = RankingConfig(ranker="one_pass", mmr_weight=2.0, context=0, rounds=2)
EVERY = pytest.mark.parametrize(
    ("variant", "config"),
    [
        ({"context_size": 3}, RankingConfig()),
        ({"encoder": "attention", "score_feature": True}, RankingConfig()),
        ({"landmarks": 4}, RankingConfig()),
        ({"encoder": "alone"}, RankingConfig()),
        ({"student": "better_context"}, RankingConfig()),
        ({"student": "better_context", "landmarks": 3}, RankingConfig()),
        ({"student": "wear"}, RankingConfig()),
        ({"win_rate": 0.0}, ONE_PASS),
        ({"win_rate": 0.0}, RankingConfig(ranker="category_decay")),
    ],
    ids=lambda one: one.ranker if isinstance(one, RankingConfig) else str(one),
)


class Watch(torch.utils._python_dispatch.TorchDispatchMode):
    """Notes the largest tensor that is made."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        several = made if isinstance(made, tuple | list) else [made]
        sizes = [one.numel() for one in several if isinstance(one, torch.Tensor)]
        self.largest = max(self.largest, *sizes, 0)
        return made


@EVERY
@pytest.mark.parametrize("lengths", [[30], [30, 4, 17], [1], [2, 1]], ids=str)
def test_runs_give_the_scores_of_the_whole(variant, config, lengths):
    model, taken = make_model(**variant), inputs(batch(lengths))
    whole = Scorer(model, config)(*taken)
    for at_once in (AtOnce(candidates=7, pairs=61), AtOnce(candidates=1, pairs=1)):
        found = Scorer(model, config, at_once)(*taken)
        for one, other in zip(found, whole, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


@EVERY
def test_no_tensor_is_as_large_as_all_pairs(variant, config, monkeypatch):
    """Nor as large as all candidates in the click model's widest layer, be that cut for speed."""
    monkeypatch.setattr(dcn, "CANDIDATES", 10_000)
    n, wide = 1_500, {"hidden": (100,)} | variant
    model, taken = make_model(**wide), inputs(batch([n]))
    sizes = {}
    for at_once in (AtOnce(candidates=100, pairs=20_000), ALL):
        with Watch() as watch:
            Scorer(model, config, at_once)(*taken)
        sizes[at_once] = watch.largest
    bounded, whole = sizes.values()
    assert bounded <= 30 * n < 100 * n <= whole


def test_how_many_are_taken_at_once():
    assert (ALL.of_candidates(3), ALL.of_pairs(3, 9)) == (0, 0)
    some = AtOnce(candidates=100, pairs=1_000)
    assert (some.of_candidates(1), some.of_candidates(8)) == (100, 12)
    assert (some.of_pairs(1, 50), some.of_pairs(2, 64)) == (20, 7)
    assert (some.of_candidates(500), some.of_pairs(1, 5_000)) == (1, 1)
