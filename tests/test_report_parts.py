"""report: its words, its orders and the places of its labels, each alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.transforms import Bbox
from shop_lake import PLAIN

from jobs.profile.load import load_profile
from jobs.report.metric_table import Method, Number, Numbers
from jobs.report.names import names_of, span
from jobs.report.place_labels import Label, place_labels, spread
from jobs.report.svg import INK, drawing
from jobs.report.wording import MINUS, interval, number, signed, verdict


def test_words_for_numbers():
    assert number(-1234.5678, 2) == f"{MINUS}1,234.57"
    assert signed(-0.0004) == "0.000"
    assert signed(0.25, 1) == "+0.2"
    assert interval(Number(1.0, None, 2.0, 3)) == ""
    touching = Number(0.1, 0.0, 0.2, 3)
    assert touching.direction == 0, "an interval that touches 0 tells nothing"
    lost = [
        {"method": "dcn", "baseline": "", "value": 0.5, "low": None, "high": None},
        {"method": "cdm", "baseline": "", "value": 0.4, "low": None, "high": None},
        {"method": "cdm", "baseline": "dcn", "value": -0.1, "low": -0.15, "high": -0.05},
    ]
    numbers = Numbers([row | {"metric": "recall", "k": 5, "n": 9} for row in lost])
    said = str(verdict(numbers, "recall", 5)).translate(PLAIN)
    assert said == "Recall@5 -20.0 % [-30.0, -10.0], lower"


def test_methods_stand_in_one_order_whatever_they_are_called():
    names = ["zebra", "cdm", "dcn", "cdm@0.1", "mmr", "cdm@0.05", "random", "a@b", "pre_ranker"]
    ordered = [m.name for m in sorted(map(Method.of, names))]
    plain = ["random", "pre_ranker", "dcn", "mmr", "cdm", "a@b", "zebra"]
    assert ordered == [*plain, "cdm@0.05", "cdm@0.1"]


@given(st.lists(st.floats(-100, 100), max_size=8), st.floats(0.1, 20))
def test_labels_are_spread_apart_in_their_order(wanted, gap):
    placed = spread(wanted, gap)
    by_wish = [placed[i] for i in sorted(range(len(wanted)), key=wanted.__getitem__)]
    assert all(np.diff(by_wish) >= gap * (1 - 1e-9))


def test_labels_of_a_crowd_stay_apart_and_inside():
    with drawing(400) as figure:
        axes = figure.subplots()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        crowd = [Label(0.5 + i / 100, 0.5, f"method {i}", INK) for i in range(6)]
        at = axes.transData.transform([[0.5, 0.5], [0.55, 0.5]])
        obstacle = Bbox([at[0] - 6, at[1] + 6])
        place_labels(axes, crowd, [obstacle])
        renderer = figure.canvas.get_renderer()
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        inside = axes.get_window_extent(renderer)
    assert len(boxes) == 6
    for i, box in enumerate(boxes):
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        for other in [obstacle, *boxes[:i]]:
            both = Bbox.intersection(box, other)
            assert both is None or both.width * both.height < 1


def test_the_greedy_lists_value_is_named_so():
    row = {"method": "dcn", "baseline": "", "metric": "value_ratio", "k": 5, "n": 9}
    row |= {"value": 0.5, "low": None, "high": None}
    greedy = names_of(load_profile("kuaishou"))
    assert Numbers([row], greedy).at_k("value_ratio", 5) == "V/V(greedy)@5"
    assert Numbers([row]).at_k("value_ratio", 5) == "V/V*@5"


def test_a_span_is_told_in_the_largest_unit_of_which_there_are_two():
    told = {1: "1 minute", 60: "60 minutes", 90: "90 minutes", 120: "2 hours", 1440: "24 hours"}
    told |= {43_200: "30 days"}
    assert {minutes: span(minutes) for minutes in told} == told
