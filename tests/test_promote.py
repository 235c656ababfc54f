"""Which model is promoted: the decision itself, at its margins."""

import pytest

from jobs.errors import Refused
from jobs.promotion_gate import judge
from model.config import PromotionConfig

CONFIG = PromotionConfig(k=5, recall_margin=0.02, diversity_margin=0.01)


def row(metric: str, low: float, k: int = 5, value: float = 0.0) -> dict:
    return {"metric": metric, "k": k, "value": value, "low": low, "high": 0.05}


def rows(recall: float, diversity: float, name: str = "ilad_category") -> list[dict]:
    """A model that would fail by every figure that must not count."""
    return [
        row("recall", recall),
        row(name, diversity),
        row("recall", -1.0, k=3),
        row(name, -1.0, k=3),
        row("ndcg", -1.0),
    ]


@pytest.mark.parametrize(
    ("recall", "diversity", "holds"),
    [
        (0.01, 0.01, True),
        (-0.02, -0.01, True),
        (-0.0201, 0.5, False),
        (0.5, -0.0101, False),
        (-0.03, -0.02, False),
        (-0.015, -0.005, True),
        (-0.005, -0.015, False),
    ],
)
@pytest.mark.parametrize("name", ["ilad_category", "ilad_reference"])
def test_the_lower_end_may_reach_the_margin_and_no_further(recall, diversity, holds, name):
    assert judge(rows(recall, diversity, name), CONFIG)[0] is holds


def test_the_interval_decides_not_the_estimate():
    better_but_uncertain = [row("recall", -0.03, value=0.04), row("ilad_category", 0.0, value=0.04)]
    worse_but_certain = [row("recall", -0.015, value=-0.01), row("ilad_category", -0.005)]
    assert not judge(better_but_uncertain, CONFIG)[0]
    assert judge(worse_but_certain, CONFIG)[0]


def test_categories_come_before_reference_vectors():
    both = [*rows(0.0, 0.0), row("ilad_reference", -0.9)]
    assert judge(both, CONFIG)[0]
    assert not judge([*rows(0.0, -0.9), row("ilad_reference", 0.0)], CONFIG)[0]


def test_without_margins_nothing_may_be_lost():
    strict = PromotionConfig(k=5, recall_margin=0.0, diversity_margin=0.0)
    assert judge(rows(0.0, 0.0), strict)[0]
    assert not judge(rows(-1e-9, 0.0), strict)[0]


def test_against_a_base_dcn_accuracy_alone_is_asked():
    holds, reason = judge(rows(-0.02, -0.9), CONFIG, against_base=True)
    assert holds
    assert reason == (
        "recall@5 +0.0000 [-0.0200, +0.0500], margin -0.02; "
        "no diversity is asked against a base DCN"
    )
    assert not judge(rows(-0.03, 0.9), CONFIG, against_base=True)[0]


def test_what_cannot_be_known_is_held():
    assert not judge(rows(float("nan"), 0.0), CONFIG)[0]


def test_the_reason_holds_the_numbers():
    found = [row("recall", -0.0123, value=-0.004), row("ilad_category", 0.001, value=0.02)]
    assert judge(found, CONFIG)[1] == (
        "recall@5 -0.0040 [-0.0123, +0.0500], margin -0.02; "
        "ilad_category@5 +0.0200 [+0.0010, +0.0500], margin -0.01"
    )


@pytest.mark.parametrize(
    ("left", "missing"),
    [
        ([row("recall", 0.0)], "no ilad_reference at k = 5"),
        ([row("ilad_category", 0.0)], "no recall at k = 5"),
        ([], "no recall and no ilad_reference at k = 5"),
        ([row("recall", 0.0, k=3), row("ilad_category", 0.0, k=3)], "no recall and no ilad"),
    ],
)
def test_a_missing_figure_is_refused_by_name(left, missing):
    with pytest.raises(Refused, match=missing):
        judge(left, CONFIG)
