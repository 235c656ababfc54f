"""report: what a person reads on the page and in the terminal, on small lakes made by hand."""

import hashlib
import json
import re
from datetime import date
from html.parser import HTMLParser

import pytest
from shop_lake import DAYS, HOSTILE, ORDERS, PLAIN, REAL, SIMULATED, ShopLake, metric_rows

from jobs.report.one_request import one_request
from jobs.report.teacher_picks import teacher_picks


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> ShopLake:
    lake = ShopLake(tmp_path_factory.mktemp("shop")).day_one().day_two()
    assert lake.report(DAYS[1]) == 0
    return lake


def test_the_headline_is_the_result_with_its_doubt(shop):
    text = shop.text()
    assert "CDM (gamma = 0.1) against DCN on 2026-01-02, over 2 requests: " in text
    assert "Recall@3 -5.0 % [-12.5, +2.5], no difference can be told" in text
    assert "ILAD@3 by category +50.0 % [+35.0, +65.0], higher" in text
    assert "V/V*@3 +12.0 % [+8.0, +16.0], higher" in text
    assert "0.500 in the pre-ranker's own order and 0.400 by DCN, so DCN is behind" in text
    assert "a shop of &lt;hand-made&gt; requests" in shop.page()


def test_the_table_holds_levels_differences_and_their_intervals(shop):
    text = shop.text()
    levels = text[text.index("Lists of 3") :]
    assert "CDM 0.380 [0.330, 0.430]" in levels
    assert "DCN (baseline) 0.400 [0.350, 0.450]" in levels
    below = levels[levels.index("Difference from DCN") :]
    assert "CDM -0.020 [-0.050, +0.010]" in below
    assert "Random ▼ -0.300 [-0.330, -0.270]" in below
    in_order = re.findall(r"(Random|Pre-ranker|DCN \(baseline\)|MMR|CDM) 0\.\d", levels)[:5]
    assert in_order == ["Random", "Pre-ranker", "DCN (baseline)", "MMR", "CDM"]
    assert "0.988" not in text, "the promoted model's own numbers are not the newest model's"


def test_a_metric_that_does_not_exist_is_left_out_with_one_sentence(shop, tmp_path):
    text = shop.text()
    assert "Left out: MRR, NDCG, ILAD by vectors, Category coverage, Distinct categories" in text
    assert "V/V(top p); evaluate wrote no such number on this day." in text
    assert "MRR@3" not in text
    real = ShopLake(tmp_path, category="", source=REAL).day_one()
    rows = [row | {"metric": "ilad_reference"} for row in metric_rows(("ilad_category",))]
    real.day_two([*metric_rows(("recall",)), *rows[:-1]])
    assert real.report(DAYS[1]) == 0
    text = real.text()
    assert (
        "ILAD by category, Category coverage, Distinct categories; the profile shop names" in text
    )
    # Nobody expects the true value of a list of real logs.
    assert "V/V" not in text
    assert "better for accuracy, and more varied" in text
    assert "ILAD@3 by vectors +50.0 % [+35.0, +65.0], higher" in text
    assert "There are no categories, so it is the request whose CDM list differs most" in text


def test_what_failed_in_validation_stands_on_top(shop):
    text = shop.text()
    validation = text[text.index("Between any two tables") :]
    failed = validation.index("rankings: always finite NaN at row 17 5 12")
    assert failed < validation.index("candidate_sets 2 ok 2 ok")
    assert "rankings - 1 failed , 1 ok" in validation
    assert "1 expectation failed" in text[: text.index("Methods compared")]


def test_what_was_dropped_is_listed_and_every_count_of_every_table(shop):
    text = shop.text()
    lost = text[text.index("Dropped, cut or unknown") : text.index("Rows and counts")]
    assert "candidate_sets requests_dropped 4 4" in lost
    counts = text[text.index("Rows and counts") :]
    assert "candidate_sets rows 2 2 candidates 12 12" in counts
    assert "models (cdm) epochs 3 - held_out 10 - requests 90 -" in counts


def test_versions_promotions_and_what_the_candidates_are(shop):
    text = shop.text()
    assert "2026-01-02 promoted cdm1 base0 cdm1 recall@3 +0.1 <b>" in text
    assert "derived : 2 of 12 of 2026-01-02 (16.7 %) were reconstructed" in text
    assert "are unlabelled, not negative" in text
    live = shop.lake.partition("metrics", DAYS[1]).manifest()
    assert f"metrics/dt=2026-01-02 {live.rows} {live.digest}" in text


def test_the_request_shown_is_the_one_that_changed_and_ids_are_harmless(shop):
    text, page = shop.text(), shop.page()
    assert "Request r2 of 2026-01-02" in text
    assert "CDM reorders the first 3 places of 1 of 2 requests" in text
    assert HOSTILE not in page
    assert "onmouseover=" not in re.sub(r"onmouseover=&#34;", "", page)
    assert "&lt;b onmouseover=&#34;alert(1)&#34;&gt;&amp;&#39;$x^2$" in page
    cdm = text[text.index("CDM 3 distinct categories") :]
    assert cdm.index("a ● clicked 0.250 0.750") < cdm.index("d 0.250 0.750")


def test_the_learning_curves_and_the_epoch_that_was_kept(shop):
    text = shop.text()
    assert "DCN of 2026-01-01 base0 90 10 3 2 0.5432 training 0.5000 n/a n/a" in text
    assert "CDM of 2026-01-01 cdm1 90 10 3 2 0.5432 training 0.5000 0.5000" in text


def test_what_held_out_predictions_are_worth_by_epoch(tmp_path):
    """f/clicks and y_stu/picks 1.25 and 0.8 in the kept epoch; a base DCN has no student."""
    lake = ShopLake(tmp_path).day_one()
    assert lake.report(DAYS[0]) == 0
    before = lake.text()
    assert "AUC, held-out" not in before, "models of before have no such curve"
    path = lake.lake.models / "cdm1" / "history.json"
    history = json.loads(path.read_text())
    for epoch in history:
        epoch["quality"] = {
            "click_auc": 0.7, "win_auc": 0.875, "click_calibration": 1.25, "win_calibration": 0.8,
        }  # fmt: skip
    path.write_text(json.dumps(history))
    path = lake.lake.models / "base0" / "history.json"
    for epoch in history:
        epoch["quality"] |= {"win_auc": None, "win_calibration": None, "click_auc": 0.6}
    path.write_text(json.dumps(history))
    assert lake.report(DAYS[0]) == 0
    text = lake.text()
    assert "AUC of f AUC of y_stu f / clicks y_stu / picks" in text
    assert "training 0.5000 0.700 0.875 1.250 0.800" in text
    assert "0.600 n/a 1.250 n/a" in text
    assert "AUC, held-out" in text
    assert "Predicted / observed" in text


def test_day_one_is_a_good_page_without_a_comparison(tmp_path):
    lake = ShopLake(tmp_path).day_one()
    assert lake.report(DAYS[0]) == 0
    text = lake.text()
    assert "Nothing can be compared on 2026-01-01 yet: a model is judged only on a day" in text
    assert "0.667 of the picks, mean over 2 requests" in text
    assert "CDM of 2026-01-01 cdm1" in text
    assert "Every expectation held" in text
    assert "Nothing can be compared" in (lake.root / "reports" / "summary.txt").read_text()


def test_a_day_without_metrics_shows_the_newest_day_that_has_them(tmp_path):
    lake = ShopLake(tmp_path).day_one().day_two()
    third = date(2026, 1, 3)
    lake.sets(third, ["r9"])
    assert lake.report(third) == 0
    assert "2026-01-03 itself has no metrics. What follows is of 2026-01-02" in lake.text()


def test_a_report_of_an_earlier_day_does_not_look_ahead(shop, tmp_path):
    lake = ShopLake(tmp_path).day_one().day_two()
    assert lake.report(DAYS[0]) == 0
    assert "2026-01-02" not in lake.page()
    assert (lake.root / "reports" / "2026-01-01.html").read_text() == lake.page()


def test_the_same_content_gives_the_same_bytes_anywhere(shop, tmp_path):
    elsewhere = ShopLake(tmp_path).day_one().day_two()
    assert elsewhere.report(DAYS[1]) == 0

    def bytes_of(lake: ShopLake) -> dict[str, str]:
        files = sorted((lake.root / "reports").iterdir())
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert bytes_of(elsewhere) == bytes_of(shop)
    assert sorted(bytes_of(shop)) == ["2026-01-02.html", "index.html", "summary.txt"]


class Structure(HTMLParser):
    """Collects what makes a page whole: balanced tags, ids, and what it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "link", "br", "hr", "img", "input"):
            self.open.append(tag)
        self._read(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._read(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _read(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.targets.append(value)
            self.targets += re.findall(r"url\(([^)]*)\)", value or "")


def test_the_page_is_whole_and_needs_nothing_else(shop):
    found = Structure()
    found.feed(shop.page())
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets
    assert {target.removeprefix("#") for target in found.targets} <= set(found.ids)
    assert not found.tags & {"script", "link", "img", "iframe", "object"}
    assert "http" not in shop.page()
    assert "@import" not in shop.page()


def test_pictures_speak_the_pages_colours_and_keep_their_text(shop):
    front = re.search(r'<svg [^>]*aria-label="Accuracy.*?</svg>', shop.page(), re.DOTALL)[0]
    words = front.translate(PLAIN)
    assert "var(--cdm)" in front
    assert not re.findall(r"#0[0-9a-f]0[0-9a-f]0[0-9a-f]", shop.page())
    for label in ("DCN (baseline)", "CDM, gamma 0.1", "gamma 0.05", "Random", "Recall@3", "V/V*@3"):
        assert label in words


SUMMARY = """\
shop, 2026-01-02

CDM (gamma = 0.1) against DCN on 2026-01-02, over 2 requests: Recall@3 -5.0 %
[-12.5, +2.5], no difference can be told; ILAD@3 by category +50.0 % [+35.0, +65.0],
higher; V/V*@3 +12.0 % [+8.0, +16.0], higher.

16.7 % of the candidates of 2026-01-02 were reconstructed, not logged: what others were
shown in the 60 minutes before.

For scale: Recall@3 is 0.100 by chance, 0.500 in the pre-ranker's own order and 0.400
by DCN, so DCN is behind the order that it was given.

            Recall@3                 ILAD@3 by category       V/V*@3
Random      0.100 [0.050, 0.150]     0.600 [0.550, 0.650]     0.300 [0.250, 0.350]
Pre-ranker  0.500 [0.450, 0.550]     0.100 [0.050, 0.150]     0.700 [0.650, 0.750]
DCN         0.400 [0.350, 0.450]     0.200 [0.150, 0.250]     0.750 [0.700, 0.800]
MMR         0.390 [0.340, 0.440]     0.400 [0.350, 0.450]     0.780 [0.730, 0.830]
CDM         0.380 [0.330, 0.430]     0.300 [0.250, 0.350]     0.840 [0.790, 0.890]
CDM - DCN   -0.020 [-0.050, +0.010]  +0.100 [+0.070, +0.130]  +0.090 [+0.060, +0.120]
model cdm1; 95 % intervals over requests

Percentages are of DCN's mean. A bracket is a 95 % interval over the requests of this
one day: it says nothing about other days or about training once more with another
seed.

validation of 2026-01-02: 1 of 4 expectations failed
"""


def test_the_summary_is_printed_last_with_the_pages_path(shop, capsys):
    assert shop.report(DAYS[1]) == 0
    assert (shop.root / "reports" / "summary.txt").read_text(encoding="utf-8") == SUMMARY
    assert capsys.readouterr().out == f"{SUMMARY}\n{shop.root}/reports/index.html\n"


def test_a_lake_without_a_day_and_a_damaged_history_are_refused(tmp_path, capsys):
    lake = ShopLake(tmp_path)
    assert lake.report(DAYS[0]) == 2
    assert f"report: refused: {lake.root} holds no day up to 2026-01-01" in capsys.readouterr().err
    lake.day_one()
    (lake.lake.models / "cdm1" / "history.json").write_text("[")
    assert lake.report(DAYS[0]) == 2
    assert "history.json cannot be read" in capsys.readouterr().err
    assert not (lake.root / "reports").exists()


def test_the_teachers_overlap_by_hand(shop):
    picks = teacher_picks(shop.lake, DAYS[1], shop.profile.teacher, shop.profile.policy)
    assert (picks.requests, picks.candidates, picks.winners, picks.unchanged) == (2, 12, 6, 1)
    assert picks.overlap == pytest.approx((3 / 3 + 1 / 3) / 2)


def test_the_page_tells_the_teachers_and_the_policy(tmp_path, shop):
    assert "Teacher mmr, K 3, lambda 0.25; labels mmr-" in shop.text()
    assert "Policy none: every candidate may be picked" in shop.text()
    more = '\n[policy]\nblocked = ["z"]\n[[further_teachers]]\nname = "dpp"\n[[further_teachers]]'
    lake = ShopLake(tmp_path, source=SIMULATED + more).day_one()
    assert lake.report(DAYS[0]) == 0
    told = "Beside it, for comparison dpp, K 5, lambda 0.25; mmr, K 5, lambda 0.25 "
    assert told + "Policy never z; nothing gives way" in lake.text()


def test_of_requests_that_change_as_much_the_lowest_id_is_shown(tmp_path):
    lake = ShopLake(tmp_path).day_one()
    lake.sets(DAYS[1], ["r10", "r9", "r2"])
    lake.rankings(DAYS[1], {r: ORDERS for r in ("r9", "r10", "r2")}, "cdm1")
    shown = one_request(lake.lake, lake.profile.fields, DAYS[1], "cdm1", (2, 3))
    assert shown.request_id == "r10"
    assert shown.distinct == {"pre_ranker": 1, "dcn": 1, "mmr": 2, "cdm": 3}


def test_a_request_in_which_cdm_has_fewer_categories_is_called_so(tmp_path):
    lake = ShopLake(tmp_path).day_one().day_two()
    same = ORDERS | {"cdm": ["c", "b", "a"]}
    fewer = ORDERS | {"dcn": ["a", "d", HOSTILE], "cdm": ["a", "b", "c"]}
    lake.rankings(DAYS[1], {"r1": ORDERS | {"cdm": ["a", "d", "b"]}, "r2": fewer}, "cdm1")
    assert lake.report(DAYS[1]) == 0
    assert "Request r2 of" in lake.text()
    assert "furthest apart: CDM's list has 2 fewer than DCN's" in lake.text()
    assert "more in 1, fewer in 1 and as many in 0" in lake.text()
    lake.rankings(DAYS[1], {"r1": ORDERS | {"cdm": ORDERS["dcn"]}, "r2": same}, "cdm1")
    shown = one_request(lake.lake, lake.profile.fields, DAYS[1], "cdm1", (2, 3))
    assert (shown.apart, shown.reordered) == ("", 1)
    other = ORDERS | {"dcn": ["a", "b", "d"], "cdm": ["a", "d", "c"]}
    lake.rankings(DAYS[1], {"r1": same, "r2": other}, "cdm1")
    assert lake.report(DAYS[1]) == 0
    assert "No CDM list has more or fewer categories than DCN's, so it is the" in lake.text()
    assert "Request r2 of" in lake.text()


def test_an_item_of_several_categories_counts_for_each(tmp_path):
    lake = ShopLake(tmp_path).day_one()
    lake.sets(DAYS[1], ["r1"])
    lake.rankings(DAYS[1], {"r1": {"dcn": ["a", "b"], "cdm": ["a", "e"]}}, "cdm1")
    shown = one_request(lake.lake, lake.profile.fields, DAYS[1], "cdm1", (2, 3))
    assert shown.distinct == {"dcn": 1, "cdm": 2}
    assert shown.lists["cdm"][1].category == "games, toys"


def test_the_promoted_model_is_a_row_of_its_own(tmp_path):
    rows = metric_rows(("recall", "ilad_category"))
    served = {"model_version": "base0", "method": "promoted", "metric": "recall", "k": 3, "n": 2}
    rows.append(served | {"baseline": "", "value": 0.43, "low": 0.41, "high": 0.47})
    lake = ShopLake(tmp_path).day_one().day_two(rows)
    assert lake.report(DAYS[1]) == 0
    assert "Promoted 0.430 [0.410, 0.470]" in lake.text()
    assert "what served until this day, model base0" in lake.text()
