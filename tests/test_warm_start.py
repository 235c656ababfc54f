"""Weights go from one model to another, and every token takes its row with it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from candidate_sets import batch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.cdm import CDM, Shape
from model.learning_config import ModelConfig
from model.vocabulary import FIRST, PADDING, UNKNOWN, Vocabulary
from model.warm_start import OtherWeights, warm_start

SMALL = ModelConfig(embedding_width=4, width=6, hidden=(8, 8), context_size=3, embedding_std=0.5)
FIELDS = ("user_id", "query", "item_id", "category")


def vocabulary(user_id: list, query: list, item_id: list, category: list) -> Vocabulary:
    tokens = dict(zip(FIELDS, (user_id, query, item_id, category), strict=True))
    kinds = (pa.int64(), pa.string(), pa.int64(), pa.string())
    typed = {n: pa.array(v, kind) for (n, v), kind in zip(tokens.items(), kinds, strict=True)}
    return Vocabulary(typed, np.zeros(2), np.ones(2))


def make(known: Vocabulary, seed: int, config: ModelConfig = SMALL, win_rate: float = 0.2) -> CDM:
    sizes = [known.size(name) for name in FIELDS]
    torch.manual_seed(seed)
    of = Shape(user_sizes=tuple(sizes[:2]), item_sizes=tuple(sizes[2:]), dense=2, win_rate=win_rate)
    return CDM(of, config).eval()


def tables(model: CDM) -> list[torch.Tensor]:
    every = [*model.embeddings.user, *model.embeddings.item]
    return [table.weight.detach() for table in every]


OLD = vocabulary([5, 7, 9], ["a", "b"], [100, 101, 102, 103], ["x"])
NEW = vocabulary([9, 4, 5], ["b", "c"], [103, 99, 100], ["w", "x", "y"])
IDS = st.lists(st.integers(0, 12), unique=True, max_size=8)


@given(IDS, IDS)
@settings(max_examples=40)
def test_every_token_takes_its_row_along(old, new):
    known, wanted = vocabulary(old, [], old, []), vocabulary(new, [], new, [])
    base, model = make(known, 1), make(wanted, 2)
    warm_start(model, wanted, base, known, FIELDS)
    for place, name in ((0, "user_id"), (2, "item_id")):
        found, rows = tables(model)[place], tables(base)[place]
        assert not found[PADDING].any()
        assert torch.equal(found[UNKNOWN], rows[UNKNOWN])
        for at, token in enumerate(wanted.tokens[name].to_pylist()):
            source = FIRST + old.index(token) if token in old else UNKNOWN
            assert torch.equal(found[FIRST + at], rows[source]), token


def test_it_scores_as_the_base_did_what_both_know_and_new_tokens_as_unknown():
    base, model = make(OLD, 1), make(NEW, 2)
    sets = {
        "user_id": pa.array([5, 9, 4]),
        "query": pa.array(["b", "zzz", "c"]),
        "item_id": pa.array([103, 100, 99] * 5),
        "category": pa.array(["x", "w", "y"] * 5),
    }

    def scores(one: CDM, known: Vocabulary) -> tuple:
        tokens = {n: torch.from_numpy(known.encode(n, values)) for n, values in sets.items()}
        drawn = replace(
            batch([5, 5, 5], seed=4),
            user_tokens=torch.stack([tokens["user_id"], tokens["query"]], -1),
            item_tokens=torch.stack([tokens["item_id"], tokens["category"]], -1).view(3, 5, 2),
        )
        return one.score(drawn)

    cold = scores(model, NEW)
    warm_start(model, NEW, base, OLD, FIELDS)
    for found, expected, before in zip(scores(model, NEW), scores(base, OLD), cold, strict=True):
        assert torch.equal(found, expected)
        assert not torch.equal(before, expected)


def test_the_base_stays_as_it_was():
    base, model = make(OLD, 1), make(NEW, 2)
    before = {name: value.clone() for name, value in base.state_dict().items()}
    warm_start(model, NEW, base, OLD, FIELDS)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(value, before[name]) for name, value in base.state_dict().items())


def test_a_base_dcn_gives_all_but_the_student():
    base, model, cold = make(OLD, 1, win_rate=0.0), make(NEW, 2), make(NEW, 2)
    warm_start(model, NEW, base, OLD, FIELDS)
    for name, value in model.state_dict().items():
        if name.startswith(("student", "win_bias")):
            assert torch.equal(value, cold.state_dict()[name]), name
        elif "embeddings.user." not in name and "embeddings.item." not in name:
            assert torch.equal(value, base.state_dict()[name]), name


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hidden": (8, 9)}, r"backbone\.head\.weight is \[1, 26\] there and \[1, 27\] here"),
        ({"embedding_width": 5}, r"backbone\.cross\.0\.bias is \[18\] there and \[22\] here"),
        ({"width": 7}, r"embeddings\.item_map\.weight is \[6, 8\] there and \[7, 8\] here"),
        ({"cross": "v2"}, r"backbone\.cross\.0\.bias is \[18\] there and absent here"),
        ({"encoder": "attention"}, r"student\.encoder\.fusion\.0\.weight is .* there and .* here"),
    ],
)
def test_other_widths_are_told_with_one_weight_as_the_witness(changed, message):
    model = make(NEW, 2, replace(SMALL, **changed))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(OtherWeights, match=message):
        warm_start(model, NEW, make(OLD, 1), OLD, FIELDS)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_settings_without_weights_may_differ():
    model = make(NEW, 2, replace(SMALL, dropout=0.5, selection="relaxed", context_size=1))
    warm_start(model, NEW, make(OLD, 1), OLD, FIELDS)
