"""Rules under every teacher: the slow greedy that keeps them, and an account that hides nothing."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import batches, candidates, categories, picked, request
from test_category_decay import decay
from test_mmr import gain_by, mmr

from model.config import USES, TeacherConfig
from model.teachers.category_decay import pick as pick_by_decay
from model.teachers.choice import pick
from model.teachers.mmr import pick as pick_by_mmr
from model.teachers.requests import Picks, Requests
from model.teachers.rules import RULES, Rules, unmet


@st.composite
def ruled(draw: st.DrawFn, max_candidates: int = 25) -> tuple[Requests, Rules]:
    """Draw requests and rules for them; only quotas may ask for more than there is."""
    requests = draw(batches(max_candidates))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = len(requests.f)
    blocked = rng.random(size) < draw(st.sampled_from([0.0, 0.3, 0.9]))
    pinned = np.zeros(size, np.int64)
    for of in candidates(requests):
        for place in rng.choice(12, size=draw(st.integers(0, 3)), replace=False) + 1:
            at = int(rng.choice(of))
            if not blocked[at] and not pinned[at]:
                pinned[at] = place
    most = draw(st.integers(0, 3))
    order = draw(st.permutations(RULES))
    return requests, Rules(
        max_per_category=most,
        window=draw(st.integers(0, 6)) if most else 0,
        quotas=draw(st.dictionaries(st.integers(0, 4), st.integers(0, 3), max_size=3)),
        pinned=pinned,
        blocked=blocked,
        relax=tuple(order[: draw(st.integers(0, 4))]),
    )


def broken(requests, rules, of, before, i, last) -> set[str]:
    """Which rules candidate i would break as the next pick, from their definitions."""
    step, own = len(before) + 1, set(categories(requests, i))
    found = set()
    if rules.blocked[i]:
        found.add("blocked")
    waiting = {
        int(rules.pinned[j]): j for j in of if step <= rules.pinned[j] <= last and j not in before
    }
    if waiting.get(step, i) != i or (i in waiting.values() and waiting.get(step) != i):
        found.add("pinned")
    seen = before[max(0, step - rules.window) :] if rules.window else before
    count = Counter(c for j in seen for c in categories(requests, j))
    if rules.max_per_category and any(count[c] >= rules.max_per_category for c in own):
        found.add("max_per_category")
    there = Counter(c for j in of if not rules.blocked[j] for c in categories(requests, j))
    safe = [*before, *waiting.values()]
    have = Counter(c for j in safe for c in categories(requests, j))
    missing = {c: max(0, min(q, there[c]) - have[c]) for c, q in rules.quotas.items()}
    free = sum(place not in waiting for place in range(step + 1, last + 1))
    left = sum(missing.values())
    if i not in waiting.values():
        left -= sum(missing.get(c, 0) > 0 for c in own)
    if waiting.get(step) != i and left > max(free, sum(missing.values()) - 1):
        found.add("quotas")
    return found


def assert_ruled(requests: Requests, picks: Picks, k: int, rules: Rules, gain_of) -> None:
    for r, of in enumerate(candidates(requests)):
        found, last = picked(picks, of), min(k, len(of))
        for step in range(last):
            before = found[:step]
            rest = [i for i in of if i not in before]
            allowed = []
            for level in range(len(rules.relax) + 1):
                yielding = set(rules.relax[:level])
                allowed = allowed or [
                    i for i in rest if broken(requests, rules, of, before, i, last) <= yielding
                ]
            if not allowed:
                assert len(found) == step, "a place was filled against a rule that never yields"
                break
            gain = {i: gain_of(r, i, before) for i in allowed}
            best = min(allowed, key=lambda i: (-gain[i], -requests.f[i], requests.row[i]))
            assert found[step] == best


def breaches(requests: Requests, picks: Picks, k: int, rules: Rules) -> list[list[int]]:
    """Count on the finished lists alone."""
    rows = []
    for of in candidates(requests):
        found, last = picked(picks, of), min(k, len(of))
        own = [set(categories(requests, i)) for i in found]
        above = 0
        for step in range(len(found)):
            first = max(0, step + 1 - rules.window) if rules.window else 0
            count = Counter(c for one in own[first:step] for c in one)
            if rules.max_per_category:
                above += any(count[c] >= rules.max_per_category for c in own[step])
        have = Counter(c for one in own for c in one)
        rows.append(
            [
                int(sum(rules.blocked[i] for i in found)),
                sum(0 < p <= last and picks.order[i] != p for i in of for p in [rules.pinned[i]]),
                above,
                sum(max(0, q - have[c]) for c, q in rules.quotas.items()),
            ]
        )
    return rows


@given(ruled(), st.integers(1, 15))
@settings(max_examples=200)
def test_mmr_is_the_slow_greedy_of_what_is_allowed(drawn, k):
    requests, rules = drawn
    config = mmr(k, 1.0)
    picks = pick_by_mmr(requests, config, rules)
    assert_ruled(requests, picks, k, rules, gain_by(requests, config))


@given(ruled(), st.integers(1, 15))
@settings(max_examples=100)
def test_category_decay_is_the_slow_greedy_of_what_is_allowed(drawn, k):
    requests, rules = drawn

    def gain(r: int, i: int, before: list[int]) -> float:
        count = Counter(c for j in before for c in categories(requests, j))
        return requests.f[i] * 0.5 ** max((count[c] for c in categories(requests, i)), default=0)

    picks = pick_by_decay(requests, decay(k, 0.5), rules)
    assert_ruled(requests, picks, k, rules, gain)


@pytest.mark.parametrize("name", USES)
@given(drawn=ruled(), k=st.integers(1, 15))
@settings(max_examples=60)
def test_no_teacher_breaks_a_rule_uncounted_or_one_that_never_yields(name, drawn, k):
    requests, rules = drawn
    picks = pick(requests, TeacherConfig(name=name, k=k), rules)
    assert picks.relaxed.tolist() == breaches(requests, picks, k, rules)
    for rule in ("blocked", "max_per_category"):
        if rule not in rules.relax:
            assert not picks.relaxed[:, RULES.index(rule)].any()
    kept = [RULES.index(rule) for rule in RULES if rule not in rules.relax]
    lists = [picked(picks, of) for of in candidates(requests)]
    broken = {r for r, found in enumerate(lists) if picks.relaxed[r, kept].any() or not found}
    assert unmet(rules, requests, picks, k).keys() == broken


@pytest.mark.parametrize("name", USES)
@given(requests=batches(), k=st.integers(1, 30))
@settings(max_examples=30)
def test_rules_that_ask_nothing_change_nothing(name, requests, k):
    config = TeacherConfig(name=name, k=k)
    bare, ruled_picks = pick(requests, config), pick(requests, config, Rules())
    assert bare.relaxed is None
    assert not ruled_picks.relaxed.any()
    np.testing.assert_array_equal(bare.order, ruled_picks.order)
    np.testing.assert_array_equal(bare.gain, ruled_picks.gain)


def five(**rules) -> tuple[list[int], list[int]]:
    """Pick four of five by f alone: categories 0, 0, 0, 1, 1."""
    requests = request([0.9, 0.8, 0.7, 0.6, 0.5], np.eye(5), categories=[[0], [0], [0], [1], [1]])
    picks = pick(requests, mmr(4, 0.0), Rules(**rules))
    return picks.order.tolist(), picks.relaxed[0].tolist()


@pytest.mark.parametrize(
    ("rules", "order", "relaxed"),
    [
        ({"max_per_category": 2}, [1, 2, 0, 3, 4], [0, 0, 0, 0]),
        ({"max_per_category": 1, "window": 2}, [1, 3, 0, 2, 4], [0, 0, 0, 0]),
        ({"max_per_category": 1}, [1, 0, 0, 2, 0], [0, 0, 0, 0]),
        (
            {"max_per_category": 1, "relax": ("max_per_category",)},
            [1, 3, 4, 2, 0],
            [0, 0, 2, 0],
        ),
        ({"quotas": {1: 2}}, [1, 2, 0, 3, 4], [0, 0, 0, 0]),
        ({"quotas": {1: 3}, "relax": ("quotas",)}, [1, 2, 0, 3, 4], [0, 0, 0, 1]),
        ({"pinned": np.array([0, 0, 0, 0, 2])}, [1, 3, 4, 0, 2], [0, 0, 0, 0]),
        ({"pinned": np.array([3, 0, 0, 0, 0])}, [3, 1, 2, 4, 0], [0, 0, 0, 0]),
        ({"pinned": np.array([0, 0, 0, 0, 9])}, [1, 2, 3, 4, 0], [0, 0, 0, 0]),
        ({"blocked": np.array([1, 0, 0, 0, 1], bool)}, [0, 1, 2, 3, 0], [0, 0, 0, 0]),
        (
            {"blocked": np.array([1, 0, 0, 0, 1], bool), "relax": ("blocked",)},
            [4, 1, 2, 3, 0],
            [1, 0, 0, 0],
        ),
        (
            {"max_per_category": 1, "pinned": np.array([0, 2, 0, 0, 0]), "relax": ("pinned",)},
            [1, 0, 0, 2, 0],
            [0, 1, 0, 0],
        ),
        (
            {
                "max_per_category": 1,
                "pinned": np.array([0, 2, 0, 0, 0]),
                "relax": ("max_per_category", "pinned"),
            },
            [1, 2, 4, 3, 0],
            [0, 0, 2, 0],
        ),
    ],
)  # fmt: skip
def test_by_hand(rules, order, relaxed):
    assert five(**rules) == (order, relaxed)


def test_a_place_whose_pinned_item_came_early_is_free_for_the_others():
    # Behind the second item only the pinned first one keeps the maximum, so its pin gives way.
    each = [[0], [1, 3], [1], [2, 3]]
    requests = request([0.9, 0.8, 0.7, 0.1], np.eye(4), categories=each)
    rules = Rules(
        max_per_category=1,
        window=2,
        quotas={2: 1},
        pinned=np.array([4, 0, 0, 0]),
        relax=("pinned", "max_per_category"),
    )
    picks = pick(requests, mmr(4, 0.0), rules)
    assert picks.order.tolist() == [2, 1, 3, 4]
    assert picks.relaxed.tolist() == [[0, 1, 0, 0]]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"pinned": np.array([-1, 0, 0, 0, 0])}, "pinned places count from 1"),
        ({"blocked": np.zeros(4, bool)}, "one value for each of 5 candidates"),
        ({"relax": ("quota",)}, r"relax = \('quota',\) is not some of \('blocked', "),
        ({"relax": ("quotas", "quotas")}, "each once"),
        ({"window": 3}, "window = 3 without max_per_category asks nothing"),
        ({"max_per_category": -1}, "must be at least 0"),
    ],
)
def test_what_is_no_rule_is_refused(rules, message):
    with pytest.raises(ValueError, match=message):
        five(**rules)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"quotas": {1: 3}}, "a quota of 3 of category 1 cannot be kept with 2 such items and 4 "),
        ({"quotas": {7: 1}}, "a quota of 1 of category 7 cannot be kept with 0 such items and 4 "),
        ({"pinned": np.array([2, 0, 2, 0, 0])}, "two items are pinned to one place"),
        (
            {"pinned": np.array([2, 0, 0, 0, 0]), "blocked": np.array([1, 0, 0, 0, 0], bool)},
            "an item is both pinned and blocked",
        ),
        ({"blocked": np.ones(5, bool)}, "no candidate may be picked"),
        (
            {"max_per_category": 1, "pinned": np.array([0, 0, 0, 4, 0])},
            "2 of 4 places could be filled, and items are not at their places (1)",
        ),
        (
            {"max_per_category": 1, "quotas": {0: 2}},
            "2 of 4 places could be filled, and picks are missing to the quotas (1)",
        ),
    ],
)
def test_a_request_that_cannot_keep_its_rules_is_told_and_the_others_are_not(rules, reason):
    one = request([0.9, 0.8, 0.7, 0.6, 0.5], np.eye(5), categories=[[0], [0], [0], [1], [1]])
    config = mmr(4, 0.0)
    asked = Rules(**rules)
    told = unmet(asked, one, pick(one, config, asked), 4)
    assert told.keys() == {0}
    assert told[0].startswith(reason)
    free = Rules(relax=RULES, **rules)
    left = unmet(free, one, pick(one, config, free), 4)
    assert left == ({} if "pinned" not in reason or "places" in reason else told)


def test_categories_have_their_names_in_reasons():
    one, asked = request([0.9], np.eye(1), categories=[[0]]), Rules(quotas={1: 1})
    told = unmet(asked, one, pick(one, mmr(1, 0.0), asked), 1, ["books", "toys"])
    assert told[0].startswith("a quota of 1 of category 'toys' cannot be kept with 0 such items")
