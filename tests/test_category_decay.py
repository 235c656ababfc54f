"""Category decay against the greedy rule, and against the one sort that it is."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teacher_requests import assert_greedy, batches, categories, picked, request

from model.config import TeacherConfig
from model.teachers.category_decay import pick


def decay(k: int, delta: float) -> TeacherConfig:
    return TeacherConfig(name="category_decay", k=k, decay=delta)


@given(batches(), st.integers(1, 45), st.sampled_from([0.5, 0.25, 1.0]))
@settings(max_examples=120)
def test_exactly_the_slow_greedy(requests, k, delta):
    def gain(r: int, i: int, before: list[int]) -> float:
        count = Counter(c for j in before for c in categories(requests, j))
        return requests.f[i] * delta ** max((count[c] for c in categories(requests, i)), default=0)

    assert_greedy(requests, pick(requests, decay(k, delta)), k, gain)


@given(st.data())
@settings(max_examples=60)
def test_with_one_category_an_item_it_is_one_sort(data):
    n = data.draw(st.integers(1, 60))
    of = range(n)
    f = data.draw(st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), min_size=n, max_size=n))
    category = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    requests = request(f, [[0.0]] * n, categories=[[c] for c in category])
    score = {}
    for i in of:
        better = [j for j in of if category[j] == category[i] and (-f[j], j) < (-f[i], i)]
        score[i] = f[i] * 0.5 ** len(better)
    by = sorted(of, key=lambda i: (-score[i], -f[i], i))
    assert picked(pick(requests, decay(20, 0.5)), of) == by[:20]


def test_of_several_categories_the_most_worn_one_counts():
    each = [[0], [0], [0, 1], [1], []]
    requests = request([1.0, 0.9, 0.8, 0.3, 0.28], [[0.0]] * 5, categories=each)
    picks = pick(requests, decay(5, 0.5))
    assert picks.order.tolist() == [1, 2, 5, 3, 4]
    assert picks.gain.tolist() == [1.0, 0.45, 0.2, 0.3, 0.28]


@pytest.mark.parametrize("k", [1, 3, 9])
def test_where_all_are_worth_nothing_it_still_picks(k):
    requests = request([0.0] * 4, [[0.0]] * 4, categories=[[0]] * 4, row=[3, 1, 2, 0])
    picks = pick(request([0.0] * 4, [[0.0]] * 4, categories=[[0]] * 4), decay(k, 0.5))
    assert picked(picks, range(4)) == [0, 1, 2, 3][:k]
    assert picked(pick(requests, decay(k, 0.5)), range(4)) == [3, 1, 2, 0][:k]
