"""The pages that we write, opened in a real browser: what a person reads; nothing else runs.

A page of ours asks for no other address and raises no error; what Great Expectations writes beside
it does ask, and is read here as it is without a network.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shop_lake
from bad_inputs import broken_rule, with_column
from browser import Page, browser
from conftest import DAYS, World
from planted_lake import plant as publish_unaudited
from shop_lake import DAYS as SHOP_DAYS
from shop_lake import HOSTILE, PLAIN, ShopLake

from jobs import validate, validation_report

DAY = DAYS[2]
SCRIPTS = (
    "<script>window.ran=1;alert(1)</script>",
    "<img src=x onerror='window.ran=2;alert(2)'>",
    "'\"></td></style><svg onload=window.ran=3>",
    "</script><script>window.ran=4//",
    "javascript:window.ran=5",
    "{{ 7 * 7 }}{% for %}",
    "$x^2$ ${y} $v__0 &lt;b&gt;",
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser") / "profile") as page:
        yield page


@pytest.fixture
def page(tab) -> Page:
    """The tab, which has heard and asked nothing yet."""
    tab.open("about:blank")
    tab.said.clear()
    tab.asked.clear()
    return tab


def shown(page: Page) -> str:
    return page.text.translate(PLAIN)


def assert_it_needs_nothing_else(page: Page, file: Path) -> None:
    assert page.said == []
    assert page.asked == [file.as_uri()]


def assert_nothing_ran(page: Page) -> None:
    # An event of an image that is not there comes late, if it comes.
    page.until("[...document.images].every(one => one.complete)", "every image")
    assert page.run("typeof window.ran") == "undefined"
    assert page.run("document.querySelectorAll('svg[onload], img[onerror]').length") == 0


# --- the report


def test_the_report_of_the_toy_days(page, toy):
    file = toy.root / "reports" / "index.html"
    page.open(file)
    assert_it_needs_nothing_else(page, file)
    assert page.texts("h1") == [f"toy, {DAY}"]
    text = shown(page)
    assert f"CDM (gamma = 0.1) against DCN on {DAY}, over 80 requests" in text
    assert page.texts("h2") == [
        "Methods compared", "Accuracy against diversity", "Over days", "Learning curves",
        "One request, before and after", "The teacher", "Validation, and what was cut", "Versions",
    ]  # fmt: skip
    methods = [row.split("\t")[0] for row in page.texts("table:first-of-type tbody tr")]
    assert methods[:6] == ["Random", "Pre-ranker", "DCN (baseline)", "MMR", "CDM", "Promoted"]
    assert "Every expectation held on every day shown." in text
    assert "20260103-00000" in text


def test_the_reports_pictures_and_links_are_there(page, toy):
    page.open(toy.root / "reports" / "index.html")
    sizes = page.run("[...document.querySelectorAll('svg, img')].map(x => x.clientWidth)")
    assert len(sizes) >= 3
    assert min(sizes) > 50, "a picture that nobody can see"
    broken = "[...document.querySelectorAll('a[href^=\"#\"]')]"
    broken += ".filter(a => !document.getElementById(a.hash.slice(1))).map(a => a.hash)"
    assert page.run(broken) == []
    assert page.run("document.documentElement.scrollWidth <= window.innerWidth"), "it is cut"


# --- the page of validation


@pytest.fixture
def validated(toy, tmp_path):
    """Validate rankings of the last toy day and write the page; return the copied lake."""

    def make(break_it=lambda world: None, rc: int = 0) -> World:
        world = toy.copy(tmp_path / "lake")
        break_it(world)
        flags = ["--lake", str(world.root), "--profile", "toy", "--date", str(DAY)]
        assert validate.main([*flags, "--table", "rankings"]) == rc
        assert validation_report.main(flags) == 0
        return world

    return make


def by_day(page: Page) -> dict[str, list[str]]:
    """Return what the first table says of each table, day by day."""
    rows = [row.translate(PLAIN).split("\t") for row in page.texts("section:has(#days) tbody tr")]
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in rows}


def test_a_day_that_passed(page, validated):
    file = validated().root / "reports" / "validation.html"
    page.open(file)
    assert_it_needs_nothing_else(page, file)
    assert page.texts("h1") == [f"toy, {DAY}: validation"]
    assert f"Nothing stops {DAY}: all " in page.text
    days = by_day(page)
    assert days["rankings"] == ["-", "✓", "✓"]
    assert set(days["request_logs"]) == {"✓"}


def test_a_day_that_failed(page, validated):
    world = validated(broken_rule, rc=2)
    page.open(world.root / "reports" / "validation.html")
    text = page.text
    assert f"{DAY} is stopped: rankings is not to be read" in text
    assert "values from 1" in text
    days = by_day(page)
    assert days["rankings"][:2] == ["-", "✓"]
    assert days["rankings"][2].startswith("■")


def test_great_expectations_own_page_of_a_table(page, validated):
    world = validated(broken_rule, rc=2)
    page.open(world.root / "reports" / "validation.html")
    links = page.run("[...document.querySelectorAll('a')].map(a => a.href)")
    (link,) = [one for one in links if one.endswith("/rankings.html") and "/validations/" in one]
    page.open(link)
    text = page.text
    assert "Expectation Suite: rankings" in text
    assert "Failed" in text
    assert "2026-01-03" in text
    index = world.root / "reports" / "data_docs" / "index.html"
    page.open(index)
    assert "Validation Results" in page.text
    assert f"{DAY}" in index.read_text(encoding="utf-8")


# --- what others wrote is text, wherever it stands


def hostile_requests(world: World) -> None:
    """Rankings that break a rule, whose examples name requests that are scripts."""
    partition = world.partition("rankings", DAY)
    rows = partition.read()
    names = [SCRIPTS[n % len(SCRIPTS)] for n in range(len(rows))]
    rows = with_column("request_id", lambda rows: names)(rows)
    publish_unaudited(partition, with_column("rank", lambda rows: [-1] * len(rows))(rows))


def test_scripts_in_ids_stay_text_on_the_pages_of_validation(page, validated):
    world = validated(hostile_requests, rc=2)
    page.open(world.root / "reports" / "validation.html")
    assert_nothing_ran(page)
    assert page.said == []
    assert SCRIPTS[0] in page.text
    seen = ""
    for file in sorted((world.root / "reports" / "data_docs").rglob("*.html")):
        page.open(file)
        assert_nothing_ran(page)
        seen += page.text
    assert all(script in seen for script in SCRIPTS[:3]), "the pages show none of them"


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stay_text_on_the_report(page, tmp_path, monkeypatch, script):
    """As an item, a category, a reason, a column, a file and a value that was quarantined."""
    monkeypatch.delitem(shop_lake.ITEMS, HOSTILE)
    monkeypatch.setitem(shop_lake.ITEMS, script, script)
    monkeypatch.setitem(shop_lake.ORDERS, "cdm", ["a", script, "d"])
    lake = ShopLake(tmp_path).day_one().day_two()
    lake.promotion(SHOP_DAYS[1], "cdm1", "base0", script)
    failed = {
        "table": "metrics", "kind": "declared", "severity": "stop", "value": None, "low": None,
        "high": None, "days": 0, "examples": [script], "rows": 12, "column": script,
        "expectation": script, "success": 0, "observed": script, "unexpected": 5,
    }  # fmt: skip
    lake.put("validations", SHOP_DAYS[1], [failed], of="metrics")
    rejects = [("logs", script, 3, "score is NaN or infinite", script)]
    lake.imported(SHOP_DAYS[1], {"source_rows": 2, "rows": 1}, rejects)
    assert lake.report(SHOP_DAYS[1]) == 0
    file = lake.root / "reports" / "index.html"
    page.open(file)
    assert_nothing_ran(page)
    assert_it_needs_nothing_else(page, file)
    assert page.text.count(script) >= 6


def test_a_script_that_does_run_is_seen(page, tmp_path):
    """Or the tests before it would prove nothing."""
    (tmp_path / "bad.html").write_text(f"<p>{SCRIPTS[1]}{SCRIPTS[2]}</p>")
    page.open(tmp_path / "bad.html")
    page.until("window.ran === 2 || window.ran === 3", "a script to run")
    with pytest.raises(AssertionError):
        assert_nothing_ran(page)
    assert page.asked != [(tmp_path / "bad.html").as_uri()]
