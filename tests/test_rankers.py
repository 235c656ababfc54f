"""The closed forms as torch functions: the order of the numba teachers, and their formulas."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from teacher_requests import batches, candidates, categories, picked, request

from model.config import TeacherConfig
from model.rankers.better import best_first, better, by_value
from model.rankers.category_decay import category_decay, earlier_of_category
from model.rankers.one_pass import one_pass_mmr
from model.runs import everyone
from model.teachers import category_decay as numba_decay
from model.teachers import one_pass as numba_one_pass
from model.teachers.requests import Requests

WEIGHTS = st.sampled_from([0.0, 0.125, 0.25, 1.0, 8.0])


class Padded:
    """Ragged requests as tensors; candidates stand by row, so that as they come is by item id."""

    def __init__(self, requests: Requests) -> None:
        self.requests = requests
        self.of = [sorted(one, key=lambda i: requests.row[i]) for one in candidates(requests)]
        n = max(map(len, self.of)) + 1
        self.each = [i for one in self.of for i in one]
        self.valid = torch.arange(n) < torch.tensor([[len(one)] for one in self.of])
        self.f = self.pad(torch.from_numpy(requests.f.copy()))
        self.e = self.pad(torch.from_numpy(requests.table[requests.row]))
        self.u = torch.from_numpy(requests.u.copy())
        codes = [[c + 1 for c in categories(requests, i)] for i in range(len(requests.f))]
        room = [(c + [0] * 4)[:4] for c in codes]
        self.category = self.pad(torch.tensor(room))

    def pad(self, values: torch.Tensor) -> torch.Tensor:
        """Return [B, N, ...] with something wild in padding."""
        room = torch.full((*self.valid.shape, *values.shape[1:]), 9, dtype=values.dtype)
        room[self.valid] = values[self.each]
        return room

    def lists(self, score: torch.Tensor) -> list[list[int]]:
        """Return each request's candidates as a score orders them."""
        order = best_first(score, self.f, self.valid).tolist()
        return [[one[i] for i in by[: len(one)]] for one, by in zip(self.of, order, strict=True)]


def assert_picks(padded: Padded, score: torch.Tensor, config: TeacherConfig, teacher) -> None:
    """The list of the teacher is the head of the score's, and its gains are the scores."""
    assert torch.isinf(score[~padded.valid]).all()
    assert torch.isfinite(score[padded.valid]).all()
    picks = teacher.pick(padded.requests, config)
    for r, (of, by) in enumerate(
        zip(candidates(padded.requests), padded.lists(score), strict=True)
    ):
        found = picked(picks, of)
        assert by[: config.k] == found
        scores = [score[r, padded.of[r].index(i)].item() for i in found]
        np.testing.assert_allclose(scores, picks.gain[found], rtol=1e-12)


@given(batches(), st.integers(1, 45), WEIGHTS, st.integers(1, 45), st.integers(1, 3))
@example(request([0.0, 0.0], [[40.0], [40.0]]), 2, 0.125, 1, 1)
@settings(max_examples=120, deadline=None)
def test_one_pass_orders_as_the_numba_teacher(requests, k, weight, context, rounds):
    padded = Padded(requests)
    score = one_pass_mmr(
        padded.f, padded.e, padded.u, padded.valid, weight, context=context, rounds=rounds
    )
    config = TeacherConfig(
        name="one_pass", k=k, diversity_weight=weight, context=context, rounds=rounds
    )
    assert_picks(padded, score, config, numba_one_pass)


def drawn(lengths: list[int], seed: int, d: int = 8, categories: int = 5) -> Padded:
    """Requests of distinct f, none of whose scores are near ties."""
    rng, total = np.random.default_rng(seed), sum(lengths)
    return Padded(
        Requests(
            ends=np.cumsum(lengths),
            row=rng.permutation(total),
            f=rng.random(total),
            table=rng.normal(size=(total, d)).astype(np.float32),
            u=rng.normal(size=(len(lengths), d)).astype(np.float32),
            category_ends=np.arange(1, total + 1),
            category=rng.integers(categories, size=total),
        )
    )


@pytest.mark.parametrize("kappa", [0.0, 4.0])
@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_pass_at_real_size_and_with_cosines(kappa, rounds, seed):
    padded = drawn([213, 1, 60], seed)
    score = one_pass_mmr(padded.f, padded.e, padded.u, padded.valid, 0.5, kappa, 20, rounds)
    config = TeacherConfig(
        name="one_pass", k=30, diversity_weight=0.5, cosine_scale=kappa, context=20, rounds=rounds
    )
    assert_picks(padded, score, config, numba_one_pass)


def test_a_zero_vector_has_the_cosine_0_with_all():
    f, e = torch.tensor([[0.9, 0.5]]), torch.tensor([[[1.0], [0.0]]])
    score = one_pass_mmr(f, e, torch.ones(1, 1), torch.ones(1, 2, dtype=torch.bool), 1.0, 4.0)
    assert score[0].tolist() == pytest.approx([1.9, 1.0])


@given(st.data(), st.sampled_from([0.5, 0.25, 1.0]), st.integers(1, 45))
@settings(max_examples=120, deadline=None)
def test_category_decay_orders_as_the_numba_teacher(data, delta, k):
    requests = data.draw(batches())
    total = len(requests.f)
    of_one = Requests(
        **{name: getattr(requests, name) for name in ("ends", "row", "f", "table", "u")},
        category_ends=np.arange(1, total + 1),
        category=np.array(data.draw(st.lists(st.integers(0, 3), min_size=total, max_size=total))),
    )
    padded = Padded(of_one)
    score = category_decay(padded.f, padded.category, padded.valid, delta)
    config = TeacherConfig(name="category_decay", k=k, decay=delta)
    assert_picks(padded, score, config, numba_decay)


@pytest.mark.parametrize("delta", [0.9, 0.7])
def test_category_decay_at_real_size(delta):
    padded = drawn([213, 1, 60], 3)
    score = category_decay(padded.f, padded.category, padded.valid, delta)
    config = TeacherConfig(name="category_decay", k=213, decay=delta)
    assert_picks(padded, score, config, numba_decay)


@given(batches())
@settings(max_examples=80, deadline=None)
def test_of_several_categories_the_fullest_counts(requests):
    padded = Padded(requests)
    order = best_first(padded.f, padded.f, padded.valid)
    found = earlier_of_category(order, padded.category)
    for r, of in enumerate(padded.of):
        by = sorted(of, key=lambda i: (-requests.f[i], requests.row[i]))
        for place, i in enumerate(by):
            before = [c for j in by[:place] for c in categories(requests, j)]
            n = max((before.count(c) for c in categories(requests, i)), default=0)
            assert found[r, of.index(i)] == n


@given(batches(), st.integers(0, 45))
@settings(max_examples=40, deadline=None)
def test_who_stands_before_whom(requests, count):
    padded = Padded(requests)
    order = best_first(padded.f, padded.f, padded.valid)
    who, before = better(order, count, everyone(padded.valid))
    for r, of in enumerate(padded.of):
        by = sorted(of, key=lambda i: (-requests.f[i], requests.row[i]))
        for i in of:
            context = by[:count] if count else by
            expected = context[: by.index(i)]
            found = who[r][before[r, of.index(i)]].tolist()
            assert [of[j] for j in found] == expected


def test_equal_scores_go_to_the_higher_f_and_then_to_the_first():
    score = torch.tensor([[1.0, 1.0, 1.0, 2.0, 5.0]])
    f = torch.tensor([[0.3, 0.5, 0.5, 0.1, 9.0]])
    valid = torch.tensor([[True, True, True, True, False]])
    assert best_first(score, f, valid).tolist() == [[3, 1, 2, 0, 4]]


def test_copies_score_the_same_to_the_bit():
    """Wherever they stand; these sizes and numbers are some that torch rounds by place."""
    f, valid = torch.full((1, 34), 0.0, dtype=torch.float64), torch.ones(1, 34, dtype=torch.bool)
    score = one_pass_mmr(f, torch.full((1, 34, 1), 0.25), torch.ones(1, 1), valid, 1.0, context=1)
    assert len(set(score[0, 1:].tolist())) == 1
    f, valid = (x.repeat(1, 22) for x in (f + 1.0, valid))
    score = category_decay(f, torch.arange(34 * 22)[None, :, None] // 22 + 1, valid, 0.95)
    assert len(set(score[0, 21::22].tolist())) == 1


def test_values_keep_their_function_and_their_places():
    x = torch.tensor([[3.0, 1.0, 3.0, 2.0], [0.0, 0.0, 5.0, -1.0]])
    torch.testing.assert_close(by_value(torch.exp, x), x.exp())


@pytest.mark.parametrize("n", [100, 3_000])
def test_no_tensor_is_as_large_as_all_pairs(n):
    """The largest that a ranker makes is N by M, or by d."""
    padded, seen = drawn([n], 0), []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            made = func(*args, **(kwargs or {}))
            several = made if isinstance(made, tuple | list) else [made]
            seen.extend(one.numel() for one in several if isinstance(one, torch.Tensor))
            return made

    with Watch():
        one_pass_mmr(padded.f, padded.e, padded.u, padded.valid, 0.5, context=16)
        category_decay(padded.f, padded.category, padded.valid, 0.9)
    assert max(seen) <= 17 * (n + 1)
