"""DPP and SSD against log-determinants and projections computed afresh at every step."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_novelty import WEIGHTS, Request, batches, check_greedy, clustered, likeness, of_one

from model.config import TeacherConfig
from model.teachers import dpp, ssd
from model.teachers.lazy_greedy import pick_by
from model.teachers.novelty import LENGTH, LOG, Novelty
from model.teachers.requests import Picks

TEACHERS = {"dpp": dpp.pick, "ssd": ssd.pick}
DPP = Novelty(LOG, 0.25, constant=dpp.CONSTANT, jitter=dpp.JITTER)
SSD = Novelty(LENGTH, 0.25, constant=ssd.CONSTANT)
CONFIGS = st.builds(
    lambda name, window, volume, add_back, **same: TeacherConfig(
        name=name,
        window=window,
        volume=volume and name == "ssd",
        add_back=add_back and name == "ssd" and window > 0,
        **same,
    ),
    name=st.sampled_from(sorted(TEACHERS)),
    diversity_weight=WEIGHTS,
    k=st.integers(1, 12),
    interest=st.booleans(),
    window=st.sampled_from([0, 1, 2, 3, 20]),
    volume=st.booleans(),
    add_back=st.booleans(),
)


def novelty_of(config: TeacherConfig) -> Novelty:
    return (DPP if config.name == "dpp" else SSD)._replace(
        weight=config.diversity_weight,
        volume=config.volume,
        window=config.window,
        add_back=config.add_back,
    )


def in_order(picks: Picks) -> list[int]:
    return np.argsort(picks.order)[(picks.order == 0).sum() :].tolist()


@given(batches(), CONFIGS)
@settings(deadline=None, max_examples=150)
def test_every_pick_is_a_best_one(requests, config):
    picks = TEACHERS[config.name](requests, config)
    check_greedy(requests, picks, novelty_of(config), config.k, interest=config.interest)


def test_a_copy_that_rounding_makes_newer_than_new_beats_none_of_a_lower_row():
    """The window forgets all but the opposite of the copies, which is no likeness at all."""
    requests = of_one(np.array([0, 0.25, 0, 0]), np.array([[1], [3], [1], [-40]]), np.array([3]))
    requests = replace(requests, row=np.array([2, 1, 0, 3]))
    teacher = TeacherConfig(name="dpp", diversity_weight=0.05, k=3, interest=True, window=1)
    assert dpp.pick(requests, teacher).order.tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize("name", sorted(TEACHERS))
@pytest.mark.parametrize(
    "own", [{}, {"window": 5}, {"interest": True}, {"interest": True, "window": 12}]
)
def test_every_pick_of_a_larger_request_is_a_best_one(name, own):
    requests = clustered(150, 12, seed=3)
    for weight in (0.02, 0.5):
        config = TeacherConfig(name=name, k=25, diversity_weight=weight, **own)
        picks = TEACHERS[name](requests, config)
        check_greedy(requests, picks, novelty_of(config), 25, interest=config.interest)


@pytest.mark.parametrize("own", [{"add_back": True}, {"volume": True}])
def test_so_is_every_pick_of_the_variants_of_ssd(own):
    requests = clustered(120, 10, seed=5)
    config = TeacherConfig(name="ssd", k=20, window=4, **own)
    check_greedy(requests, ssd.pick(requests, config), novelty_of(config), 20)


@given(batches(), CONFIGS)
@settings(deadline=None, max_examples=60)
def test_without_diversity_it_is_top_k_by_f(requests, config):
    config = replace(config, diversity_weight=0.0)
    picks = TEACHERS[config.name](requests, config)
    start = 0
    for end in requests.ends:
        best = start + np.lexsort((requests.row[start:end], -requests.f[start:end]))[: config.k]
        assert picks.order[best].tolist() == list(range(1, len(best) + 1))
        assert picks.gain[best].tolist() == requests.f[best].tolist()
        start = end


@given(batches(), CONFIGS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_the_order_in_which_candidates_come_does_not_matter(requests, config, random):
    at, start = [], 0
    for end in requests.ends:
        at += random.sample(range(start, end), int(end - start))
        start = end
    shuffled = replace(requests, row=requests.row[at], f=requests.f[at])
    picks = TEACHERS[config.name](requests, config)
    others = TEACHERS[config.name](shuffled, config)
    assert others.order.tolist() == picks.order[at].tolist()
    np.testing.assert_array_equal(others.gain, picks.gain[at])


@given(batches(), CONFIGS, st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_a_smaller_k_is_a_prefix(requests, config, k):
    whole = TEACHERS[config.name](requests, replace(config, k=12)).order
    fewer = TEACHERS[config.name](requests, replace(config, k=k)).order
    assert fewer.tolist() == np.where(whole <= k, whole, 0).tolist()


@given(batches(), CONFIGS)
@settings(deadline=None, max_examples=60)
def test_a_window_that_no_pick_leaves_is_none(requests, config):
    whole = TEACHERS[config.name](requests, replace(config, window=0, add_back=False))
    wide = TEACHERS[config.name](requests, replace(config, window=config.k, add_back=False))
    assert wide.order.tolist() == whole.order.tolist()
    np.testing.assert_array_equal(wide.gain, whole.gain)


@pytest.mark.parametrize("seed", range(3))
def test_adding_back_is_exact_until_a_second_pick_leaves(seed):
    requests = clustered(100, 12, seed)
    exact = TeacherConfig(name="ssd", window=6, k=7, diversity_weight=1.0)
    both = [ssd.pick(requests, replace(exact, add_back=way)) for way in (False, True)]
    assert both[0].order.tolist() == both[1].order.tolist()
    later = [ssd.pick(requests, replace(exact, k=40, add_back=way)).gain for way in (False, True)]
    assert not np.allclose(*later, equal_nan=True), "the case cannot tell them apart"


@given(batches(max_candidates=8), st.integers(1, 4), WEIGHTS)
@settings(deadline=None, max_examples=60)
def test_never_above_the_best_of_all_subsets(requests, k, weight):
    picks = dpp.pick(requests, TeacherConfig(name="dpp", k=k, diversity_weight=weight))
    start = 0
    for end in requests.ends:
        f, vectors = requests.f[start:end], requests.table[requests.row[start:end]].astype(float)
        gram = likeness(vectors, dpp.CONSTANT, dpp.JITTER)
        values = [
            f[list(part)].sum() + weight * np.linalg.slogdet(gram[np.ix_(part, part)])[1]
            for part in itertools.combinations(range(end - start), min(k, end - start))
        ]
        found = np.nansum(picks.gain[start:end])
        assert found <= max(values) + 1e-9
        assert any(abs(found - value) < 1e-9 for value in values), "gains are no log-determinant"
        start = end


@pytest.mark.parametrize("name", sorted(TEACHERS))
@pytest.mark.parametrize("width", [1, 3, 8, 11, 16, 33, 64])
def test_copies_are_taken_in_the_order_of_their_rows(name, width):
    """Wherever they stand and whenever they were last looked at, equal rows have equal bits."""
    rng = np.random.default_rng(width)
    for count in (2, 9, 33, 70):
        vectors = np.concatenate([np.tile(rng.normal(size=width), (count, 1))] * 2)
        vectors[count:] = rng.normal(size=(count, width))
        requests = of_one(np.full(2 * count, 0.5), vectors)
        at = rng.permutation(2 * count)
        requests = replace(requests, row=requests.row[at])
        picked = requests.row[in_order(TEACHERS[name](requests, config_of(name, 2 * count)))]
        copies = picked[picked < count]
        assert copies.tolist() == list(range(count))


def config_of(name: str, k: int, **own) -> TeacherConfig:
    return TeacherConfig(name=name, k=k, **own)


def test_a_copy_is_worth_nothing_new():
    requests = of_one([0.9, 0.9, 0.1], [[3.0, 4.0], [6.0, 8.0], [4.0, -3.0]])
    picks = ssd.pick(requests, config_of("ssd", 3))
    assert in_order(picks) == [0, 1, 2]
    np.testing.assert_allclose(picks.gain[1], 0.9, atol=1e-7)
    picks = ssd.pick(requests, config_of("ssd", 3, diversity_weight=1.0))
    assert in_order(picks) == [0, 2, 1]
    # [1, 0, 1] and [0, 1, 1] over root 2 share a half; a second copy of the first has nothing left.
    np.testing.assert_allclose(picks.gain, [1.9, 0.9, 0.1 + np.sqrt(0.75)], atol=1e-7)
    picks = dpp.pick(requests, config_of("dpp", 3, diversity_weight=0.1))
    left = 1.001 - 1.0 / 1.001
    np.testing.assert_allclose(picks.gain[1], 0.9 + 0.1 * np.log(left), atol=1e-3)


@pytest.mark.parametrize("name", sorted(TEACHERS))
def test_zero_vectors_are_like_nothing(name):
    vectors = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.9, 0.1]])
    requests = of_one([0.5, 0.5, 0.5, 0.5], vectors)
    picks = TEACHERS[name](requests, config_of(name, 4))
    assert in_order(picks) == [0, 1, 2, 3]
    shared = likeness(vectors, 1.0, 0.0)
    assert shared[1].tolist() == [0.5, 1.0, 0.5, 0.5]
    assert np.isfinite(picks.gain).all()


@pytest.mark.parametrize("name", sorted(TEACHERS))
@pytest.mark.parametrize("own", [{}, {"window": 3}])
def test_past_the_rank_f_decides(name, own):
    """Two dimensions and a constant are spanned by three picks; the rest is in the order of f."""
    rng = np.random.default_rng(0)
    f = rng.permutation(40) / 40
    requests = of_one(f, rng.normal(size=(40, 2)))
    novelty = DPP if name == "dpp" else SSD
    picks = pick_by(
        novelty._replace(jitter=0.0, window=own.get("window", 0)), requests, 40, interest=False
    )
    order = in_order(picks)
    assert sorted(order) == list(range(40))
    if not own:
        assert order[3:] == sorted(order[3:], key=lambda i: -f[i])


@pytest.mark.parametrize("name", sorted(TEACHERS))
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e15])
def test_only_the_direction_of_a_vector_counts(name, scale):
    requests = clustered(60, 8, seed=1)
    scaled = replace(requests, table=(requests.table * np.float32(2.0**40 if scale > 1 else scale)))
    config = config_of(name, 20, interest=True, diversity_weight=0.1)
    expected = TEACHERS[name](requests, config)
    found = TEACHERS[name](scaled, config)
    if scale > 1:
        assert found.order.tolist() == expected.order.tolist()
    np.testing.assert_allclose(np.sort(found.gain), np.sort(expected.gain), rtol=1e-4)


@pytest.mark.parametrize("name", sorted(TEACHERS))
def test_f_may_be_equal_tiny_or_extreme(name):
    rng = np.random.default_rng(2)
    for f in (np.zeros(70), np.full(70, 1.0), rng.random(70) * 1e-300, np.eye(70)[3]):
        requests = of_one(f, rng.normal(size=(70, 5)))
        config = config_of(name, 10, window=4)
        check_greedy(requests, TEACHERS[name](requests, config), novelty_of(config), 10)


def test_without_u_interest_is_refused():
    requests = of_one([0.5], [[1.0]])
    message = "interest = True needs u, one vector a request; these requests have none"
    with pytest.raises(ValueError, match=message):
        dpp.pick(requests, config_of("dpp", 1, interest=True))


def test_the_slow_reference_by_hand():
    request = Request(np.zeros(2), np.arange(2), np.array([[1.0, 0.0], [0.0, 2.0]]))
    np.testing.assert_allclose(likeness(request.vectors, 1.0, 0.0), [[1, 0.5], [0.5, 1]])
    np.testing.assert_allclose(
        request.gains([0], SSD._replace(weight=1.0)), [0, np.sqrt(0.75)], atol=1e-7
    )
    np.testing.assert_allclose(
        request.gains([0], DPP._replace(weight=1.0, jitter=0.0))[1], np.log(0.75)
    )
