"""report: what it says of logs that were imported, above all of what they do not hold."""

import pytest
from shop_lake import DAYS, ITEMS, REAL, ShopLake, metric_rows

from jobs.report.imported import readable

LOST = [
    ("logs", "a/log.csv", 9, "score is NaN or infinite", "nan"),
    ("logs", "a/log.csv", 12, "clicked but not exposed", "<i>"),
    *(("logs", "b/log.csv", row, "clicked but not exposed", "x\ny") for row in (3, 4, 5)),
    ("items[0]", "items.csv", 2, "not 3 columns", "5"),
]
COUNTS = {
    "source_rows": 1_000, "source_rows_used": 900, "source_rows_of_other_days": 40,
    "source_rows_quarantined": 5, "source_rows_outside_window": 55, "source_rows_cut": 0,
    "quarantined: score is NaN or infinite": 1, "quarantined: clicked but not exposed": 4,
    "quarantined in items[0]: not 3 columns": 1, "unknown in items[0]: price is no number": 8,
    "shown": 300, "shown_missed": 55, "clicks": 30, "clicks_missed": 0,
}  # fmt: skip
WINDOW = 'candidates = "window"\npool_size = 200\nskip_seen = true\n'
WINDOW += REAL.replace('score = "score"\n', "")
RECALL = ("recall", "ilad_category")


def derived_score(way: str) -> str:
    return REAL.replace('score = "score"', f'score = {{ derive = "{way}" }}')


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> ShopLake:
    lake = ShopLake(tmp_path_factory.mktemp("window"), source=WINDOW).day_one()
    lake.day_two([*metric_rows(RECALL)])
    lake.imported(DAYS[0], COUNTS | {"source_rows_quarantined": 1}, LOST[:1])
    lake.imported(DAYS[1], COUNTS, LOST)
    assert lake.report(DAYS[1]) == 0
    return lake


def test_the_account_of_the_rows_adds_up_by_day(window):
    text = window.text()
    assert (
        "source rows 996 1,000 used 900 900 of other days 40 40 quarantined 1 5 "
        "outside the window or the pool, or met by the user before 55 55 "
        "shown 355 355 among the candidates 300 300 not among them 55 55 "
        "clicks 30 30 among the candidates 30 30 Quarantined rows"
    ) in text


def test_quarantined_rows_are_told_by_reason_and_where_they_stand(window):
    text = window.text()
    table = text[text.index("Quarantined rows") : text.index("Between any two tables")]
    assert "stand in quarantine/dt=2026-01-02 of the lake" in table
    assert "file:row below source.path" in table
    assert "First of 2026-01-02 logs clicked but not exposed 0 4 a/log.csv:12 <i> " in table
    assert r"b/log.csv:3 x\ny b/log.csv:4 x\ny logs score" in table
    assert "logs score is NaN or infinite 1 1 a/log.csv:9 nan items[0]" in table
    assert "items[0] not 3 columns 0 1 items.csv:2 5" in table
    assert "<i>" not in window.page()


def test_what_is_told_there_is_not_told_once_more_among_the_counts(window):
    text = window.text()
    lost = text[text.index("Dropped, cut or unknown") : text.index("Rows and counts of every")]
    assert "unknown in items[0]: price is no number 8 8" in lost
    assert "quarantined" not in lost
    assert "source_rows" not in lost


def test_an_import_that_lost_nothing_says_so_and_a_simulation_nothing(tmp_path):
    lake = ShopLake(tmp_path / "real", source=REAL).day_one()
    lake.imported(DAYS[0], {"source_rows": 1, "source_rows_used": 1}, [])
    assert lake.report(DAYS[0]) == 0
    assert "No source row of the days shown was quarantined." in lake.text()
    simulated = ShopLake(tmp_path / "simulated").day_one()
    assert simulated.report(DAYS[0]) == 0
    assert "What was imported" not in simulated.text()


def test_derived_candidates_are_told_before_anything_is_compared(window):
    top = window.text().split("Methods compared")[0]
    made = "the 200 most clicked of what others were shown in the 60 minutes before"
    assert f"16.7 % of the candidates of 2026-01-02 were reconstructed, not logged: {made}" in top
    lake = ShopLake(window.root.parent / "logged", source=REAL)
    lake.sets(DAYS[0], ["r1"], derived=0)
    assert lake.report(DAYS[0]) == 0
    assert "reconstructed" not in lake.text()


@pytest.mark.parametrize(
    ("source", "label", "sentence"),
    [
        (WINDOW, "Popularity", "0.500 by others' clicks in the 60 minutes before and"),
        (derived_score("popularity"), "Popularity", "by others' clicks in the 60 minutes before"),
        (derived_score("position"), "As logged", "0.500 in the order in which they were logged"),
        (REAL, "Pre-ranker", "0.500 in the pre-ranker's own order"),
    ],
)
def test_the_first_order_is_called_what_it_is(tmp_path, source, label, sentence):
    lake = ShopLake(tmp_path, source=source).day_one().day_two([*metric_rows(RECALL)])
    assert lake.report(DAYS[1]) == 0
    text, summary = lake.text(), (lake.root / "reports" / "summary.txt").read_text()
    assert sentence in text
    assert f"{label} 0.500 [0.450, 0.550]" in text
    assert f"\n{label:<12}0.500 [0.450, 0.550]" in summary
    for other in {"Popularity", "As logged", "Pre-ranker"} - {label}:
        assert other not in text
        assert other not in summary


def test_items_of_several_and_of_unknown_categories_are_explained(tmp_path):
    rows = metric_rows(RECALL)
    rows += [r | {"metric": "distinct_categories"} for r in rows if r["metric"] == "recall"]
    lake = ShopLake(tmp_path, source=REAL).day_one().day_two(rows)
    assert lake.report(DAYS[1]) == 0
    assert "an item may have several, so there can be more of them than items" in lake.text()
    assert "unknown , which counts" not in lake.text()
    lake.sets(DAYS[1], ["r1", "r2"], ITEMS | {"b": "unknown", "e": "unknown|toys"})
    assert lake.report(DAYS[1]) == 0
    said = "2 of the day's 6 items have the category unknown , which counts as a category like any"
    assert lake.text().count(said) == 2


def test_a_value_is_one_line_that_can_be_printed():
    assert readable("C8\nnl\u202e") == r"C8\nnl\u202e"
    assert readable("Größe") == "Größe"
    assert readable("x" * 61) == "x" * 60 + "..."
