"""The simulated worlds: Table 1's ratios, the truth beside the logs, and days that repeat."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from jobs.cli import Task
from jobs.errors import Refused
from jobs.profile.config import Profile
from jobs.profile.load import load_profile
from jobs.simulate_logs import Columns, check_headroom
from jobs.world.catalogue import Catalogue
from jobs.world.config import WorldConfig
from jobs.world.requests import Day, Request, examination
from model.satiation import unit_rows
from schemas.table import Fields

FIELDS = Fields(item=("category", "brand"), context=("query",), category="category")
TINY = WorldConfig(
    requests=300,
    users=25,
    items=90,
    new_items=7,
    categories=6,
    context_values=6,
    candidates=12,
    exposed_share=0.5,
    uniform_slots=2,
    base_logit=0.0,
    wear=0.6,
)


def tiny(**changes: object) -> Catalogue:
    return Catalogue(replace(TINY, **changes), FIELDS)


def requests_of(catalogue: Catalogue, day: int = 0) -> list[Request]:
    return list(Day(catalogue, day).requests())


def columns_of(
    tmp_path: Path, profile: Profile, number: int = 0
) -> tuple[Columns, Iterator[Request]]:
    """Return the columns and requests of a day, as simulate_logs makes them."""
    world = profile.world
    date = world.first_day + timedelta(days=number)
    args = argparse.Namespace(lake=tmp_path, date=date, profile=profile, force=False)
    catalogue = Catalogue(world, profile.fields)
    day = Day(catalogue, number)
    return Columns(Task("simulate_logs", args), catalogue, day), day.requests()


def preset(name: str, requests: int, **world: object) -> Profile:
    profile = load_profile(name)
    return replace(profile, world=replace(profile.world, requests=requests, **world))


def same(one: Request, other: Request) -> bool:
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in Request.__slots__)


@pytest.mark.parametrize(
    ("name", "requests", "candidates", "share"),
    [("jingdong", 250, 213, 0.0995), ("kuaishou", 120, 500, 0.0381)],
)
def test_the_presets_have_table_1s_ratios_and_room_for_diversity(
    tmp_path, name, requests, candidates, share
):
    profile = preset(name, requests)
    columns, made = columns_of(tmp_path, profile)
    count, shown, best, plain = [], 0, 0.0, 0.0
    for request in made:
        count.append(len(request.item))
        shown += (request.shown_rank > 0).sum()
        values = columns.values(request, profile.depth)
        assert values[0] >= values[1] - 1e-12, "the best list is worse than the top K by p"
        best, plain = best + values[0], plain + values[1]
    assert np.mean(count) == pytest.approx(candidates, rel=0.04)
    assert shown / sum(count) == pytest.approx(share, rel=0.02)
    assert 1.05 <= best / plain <= 1.15
    assert check_headroom(best / plain, profile.world) == best / plain


@pytest.mark.parametrize("wear_by", ["category", "likeness"])
def test_where_nothing_wears_diversity_is_worth_exactly_nothing(tmp_path, wear_by):
    columns, made = columns_of(tmp_path, preset("jingdong", 30, wear=0.0, wear_by=wear_by))
    for request in made:
        assert (request.wear == 1.0).all()
        best, plain = columns.values(request, 5)
        assert best == plain
    assert check_headroom(1.0, columns.catalogue.config) == 1.0


@pytest.mark.parametrize("number", [0, 13, 90, 700])
def test_the_toy_world_can_be_started_on_any_day(tmp_path, number):
    profile = load_profile("toy")
    columns, requests = columns_of(tmp_path, profile, number)
    values = np.array([columns.values(request, profile.depth) for request in requests])
    best, plain = values.sum(axis=0)
    assert check_headroom(best / plain, profile.world) == best / plain


@pytest.mark.parametrize("headroom", [1.0, 1.049, 1.151])
def test_a_world_without_room_for_diversity_is_refused(headroom):
    with pytest.raises(Refused, match=rf"= {headroom:.3f} in this world, outside 1.05 to 1.15"):
        check_headroom(headroom, TINY)


def test_a_day_repeats_and_does_not_depend_on_other_days():
    catalogue = tiny(requests=40)
    second_first = requests_of(catalogue, 1), requests_of(catalogue, 0)
    in_order = requests_of(tiny(requests=40), 0), requests_of(tiny(requests=40), 1)
    assert all(map(same, second_first[0], in_order[1]))
    assert all(map(same, second_first[1], in_order[0]))
    callers = [[request.user for request in day] for day in in_order]
    assert callers[0] != callers[1], "two days share their random stream"
    other_seed = requests_of(tiny(requests=40, seed=1), 0)
    assert not any(map(same, in_order[0], other_seed))


def test_old_items_keep_their_index_when_new_ones_arrive():
    before, after = tiny().items(1), tiny().items(4)
    assert len(before.category) == 90 + 7
    assert len(after.category) == 90 + 4 * 7
    for name in ("category", "content", "quality"):
        assert np.array_equal(getattr(after, name)[:97], getattr(before, name))
    assert np.array_equal(after.field_values["brand"][:97], before.field_values["brand"])
    assert set(before.category[:90]) == set(range(6)), "a category starts without an item"
    assert tiny().users.interest.tolist() == tiny(new_items=50).users.interest.tolist()
    late = {item for request in requests_of(tiny(), 4) for item in request.item}
    assert max(late) >= 97, "what arrived later is never asked for"


def test_requests_are_whole():
    catalogue = tiny()
    made = requests_of(catalogue)
    assert len(made) == TINY.requests
    for request in made:
        n = len(request.item)
        assert 2 <= n <= 17
        assert len(set(request.item)) == n
        assert (np.diff(request.score) <= 0).all(), "candidates come by score"
        shown = request.shown_rank > 0
        places = np.sort(request.shown_rank[shown])
        assert places.tolist() == list(range(1, max(1, round(0.5 * n)) + 1))
        assert not request.clicked[~shown].any()
        assert not request.propensity[~shown].any()
        assert ((request.propensity[shown] > 0) & (request.propensity[shown] <= 1)).all()
        assert set(request.clicked) <= {0, 1}
    assert 0.05 < np.mean([request.clicked.sum() for request in made]) < 6


def test_the_truth_is_the_documented_law():
    """Of p = sigmoid(b + 2 theta_uc + p_u z_i + q_i) and delta = 1 - kappa_u (1 - theta_uc)."""
    catalogue = tiny()
    items, users = catalogue.items(0), catalogue.users
    for request in requests_of(catalogue)[:50]:
        interest = users.interest[request.user, items.category[request.item]]
        taste = items.content[request.item] @ users.taste[request.user]
        logit = 0.0 + 2.0 * interest + taste + items.quality[request.item]
        np.testing.assert_allclose(request.p, 1 / (1 + np.exp(-logit)), rtol=1e-12)
        kappa = users.kappa[request.user]
        np.testing.assert_allclose(request.wear, 1 - kappa * (1 - interest), rtol=1e-12)
        assert 0.4 <= kappa <= 0.8


def test_labels_are_known_where_exposed_and_nowhere_else(tmp_path):
    columns, made = columns_of(tmp_path, preset("jingdong", 5))
    for number, request in enumerate(made):
        log, truth = columns.log(number, request), columns.truth(number, request)
        exposed = log["exposed"].to_numpy() == 1
        assert exposed.sum() == (request.shown_rank > 0).sum()
        for column in (log["label"], log["shown_rank"]):
            assert (column.is_valid().to_numpy() == exposed).all()
        assert log["label"].drop_null().to_pylist() == request.clicked[exposed].tolist()
        assert [c is not None for c in truth["propensity"]] == exposed.tolist()
        assert truth["item_id"] == log["item_id"].to_pylist()
        assert truth["request_id"] == log["request_id"][0].as_py()
        midnight = columns.start
        assert midnight <= log["ts"][0].as_py() < midnight + timedelta(days=1)
        category = columns.items.category[request.item]
        assert log["category"].to_pylist() == [f"category{code}" for code in category]


def chances(request: Request, place: int, world: WorldConfig) -> np.ndarray:
    """The logger's law at a place: uniform now and then, else Plackett-Luce on the score."""
    places = (request.shown_rank > 0).sum()
    left = (request.shown_rank == 0) | (request.shown_rank >= place)
    uniform = min(1.0, world.uniform_slots / places)
    weight = np.where(left, np.exp(request.score / world.temperature), 0.0)
    return uniform * left / left.sum() + (1 - uniform) * weight / weight.sum()


def test_propensities_are_those_of_the_law_and_pages_follow_them():
    catalogue, seen = tiny(requests=600, uniform_slots=1, temperature=0.7), []
    for request in requests_of(catalogue):
        for place in range(1, (request.shown_rank > 0).sum() + 1):
            chance = chances(request, place, catalogue.config)
            assert chance.sum() == pytest.approx(1.0)
            shown = int(np.flatnonzero(request.shown_rank == place)[0])
            assert request.propensity[shown] == pytest.approx(chance[shown], rel=1e-9)
            left = np.flatnonzero(chance)
            seen.append((place == 1, shown == left[0], chance[left[0]]))
            seen.append((place == 1, shown == left[-1], chance[left[-1]]))
    first, hit, chance = (np.array(column) for column in zip(*seen, strict=True))
    for subset in (first, ~first, np.arange(len(hit)) % 2 == 0, np.arange(len(hit)) % 2 == 1):
        expected, spread = chance[subset].sum(), np.sqrt((chance * (1 - chance))[subset].sum())
        assert abs(hit[subset].sum() - expected) < 4 * spread


def repeats_of(request: Request, catalogue: Catalogue, items: object) -> np.ndarray:
    """How much alike was shown before each candidate on its page, one by one."""
    found, unit = np.zeros(len(request.item)), unit_rows(items.content)
    for i in np.flatnonzero(request.shown_rank):
        for j in np.flatnonzero(request.shown_rank):
            if request.shown_rank[j] >= request.shown_rank[i]:
                continue
            a, b = request.item[i], request.item[j]
            if catalogue.config.wear_by == "category":
                found[i] += items.category[a] == items.category[b]
            else:
                found[i] += max(0.0, float(unit[a] @ unit[b]))
    return found


@pytest.mark.parametrize("wear_by", ["category", "likeness"])
def test_clicks_wear_off_with_repetition(wear_by):
    """Clicks number what v_r p delta^n says, by n, and far fewer than unworn p would give."""
    catalogue = tiny(requests=900, wear_by=wear_by, examination_decay=0.3, base_logit=1.0)
    items, rows = catalogue.items(0), []
    for request in requests_of(catalogue):
        shown = np.flatnonzero(request.shown_rank)
        n = repeats_of(request, catalogue, items)[shown]
        looked = request.shown_rank[shown] ** -0.3
        unworn = looked * request.p[shown]
        worn = unworn * request.wear[shown] ** n
        rows += zip(n, unworn, worn, request.clicked[shown], strict=True)
    n, unworn, worn, clicked = np.array(rows, dtype=float).T
    for low, high in ((0, 0.5), (0.5, 1.5), (1.5, 2.5), (2.5, np.inf)):
        part = (n >= low) & (n < high)
        assert part.sum() > 150
        spread = np.sqrt((worn * (1 - worn))[part].sum())
        assert abs(clicked[part].sum() - worn[part].sum()) < 4 * spread
        if low >= 1.5:
            assert clicked[part].sum() < unworn[part].sum() - 8 * spread


def test_examination_falls_as_a_power_of_the_rank():
    assert examination(0.5, 4).tolist() == pytest.approx([1, 2**-0.5, 3**-0.5, 0.5])
    assert examination(0.0, 2).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"requests": 0}, r"world.requests = 0 is not allowed; it must be at least 1"),
        ({"exposed_share": 0.0}, r"world.exposed_share = 0.0"),
        ({"wear": 0.9}, r"world.wear = 0.9"),
        ({"wear_by": "mood"}, r"world.wear_by = 'mood'"),
        ({"categories": 91}, r"world.categories = 91 .* <= items"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
