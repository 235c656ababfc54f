"""Landmarks: even ranks by f, the same ones in whatever order and beside whatever padding."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.landmarks import choose_landmarks


def by_hand(f: list[float], count: int) -> list[int]:
    """Cut the ranking by f into `count` runs, as even as can be, and take each run's first."""
    order = sorted(range(len(f)), key=lambda i: -f[i])
    starts = [-(-run * len(f) // count) for run in range(count)]
    return sorted({order[start] for start in starts if start < len(f)})


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=12, unique=True), st.integers(1, 14))
@settings(deadline=None, max_examples=200)
def test_they_are_the_first_of_even_runs_of_the_ranking(f, count):
    n, pad = len(f), 3
    logits = torch.tensor([[float(x) for x in f] + [999.0] * pad])
    valid = torch.arange(n + pad)[None] < n
    found = choose_landmarks(logits, valid, count)[0].tolist()
    assert len(found) == min(count, n + pad)
    kept = [i for i in found if i < n]
    assert kept == by_hand(f, count)
    assert len(kept) == min(count, n)
    assert found[: len(kept)] == kept, "padding comes last"


def test_the_example_of_the_docstring():
    logits = torch.linspace(3, -3, 10)[None]
    letters = [chr(97 + i) for i in choose_landmarks(logits, logits < 9, 4)[0]]
    assert letters == ["a", "d", "f", "i"]


def test_they_follow_the_items():
    logits = torch.randn(1, 20, generator=torch.Generator().manual_seed(0))
    valid, order = torch.arange(20)[None] < 17, torch.arange(19, -1, -1)
    before = set(choose_landmarks(logits, valid, 6)[0].tolist())
    after = choose_landmarks(logits[:, order], valid[:, order], 6)[0]
    assert set(order[after].tolist()) == before


def test_padding_comes_last_wherever_it_stands():
    logits = torch.tensor([[9.0, 1.0, 9.0, 3.0, 2.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    valid = torch.tensor([[False, True, False, True, True], [True] * 5])
    assert choose_landmarks(logits, valid, 4).tolist() == [[1, 3, 4, 0], [0, 1, 2, 4]]
