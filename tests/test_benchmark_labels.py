"""What the benchmark of labelling says of runs; the runs themselves are the benchmark."""

import pytest

from benchmarks.labels_at_size import WAYS, Run, slope, table
from benchmarks.labels_picture import PANELS, picture
from benchmarks.readme_block import renew

RUNS = {
    "label": [Run(1_000, 30.0, 1_500.0), Run(2_000, 36.0, 1_510.0), Run(5_000, 50.0, 1_600.0)],
    "label alone": [Run(1_000, 10.0, 500.0), Run(5_000, 26.0, 500.0)],
    "build": [Run(1_000, 40.0, 1_500.0), Run(5_000, 62.5, 1_500.0)],
}


def test_a_further_request_costs_what_the_largest_day_takes_more_than_the_smallest():
    assert slope(RUNS["label"]) == pytest.approx(5.0)
    assert slope(RUNS["label alone"]) == pytest.approx(4.0)


def test_runs_become_a_table_and_the_bars_that_they_speak_of():
    assert table(RUNS) == (
        "| way | requests | CPU s | ms a further request | off a line | MiB at most |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| label job | 1,000 / 2,000 / 5,000 | 30 / 36 / 50 | 5.00 | 2% | 1,500 / 1,510 / 1,600 |\n"
        "| one process, same model | 1,000 / 5,000 | 10 / 26 | 4.00 | 0% | 500 / 500 |\n"
        "| build and label jobs | 1,000 / 5,000 | 40 / 62 | 5.62 | 0% | 1,500 / 1,500 |\n"
        "\n"
        "| slope of | ratio | wanted |\n"
        "| --- | ---: | ---: |\n"
        "| label job / one process, same model | 1.25 | at most 1.5 |\n"
        "\n"
        "On paper a day of 8,000,000 such requests (KuaiShou's) takes 12.5 hours of one core to "
        "build and label, 8 minutes of 100 cores.\n"
    )


def test_the_picture_is_the_same_for_the_same_runs_and_shows_each_way_once():
    names = {name: way.name for name, way in WAYS.items()}
    shown = picture(RUNS, names)
    assert shown == picture(RUNS, names)
    assert shown.count(">label job<") == 1
    assert {way for ways in PANELS.values() for way in ways} == set(WAYS)


def test_a_block_of_the_readme_is_renewed_and_one_that_is_not_there_is_named(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- labels -->\nold\n<!-- /labels -->\nb\n")
    renew(readme, "labels", "new \\1")
    assert readme.read_text() == "a\n<!-- labels -->\n\nnew \\1\n<!-- /labels -->\nb\n"
    with pytest.raises(ValueError, match=r"has no block <!-- others --> ... <!-- /others -->"):
        renew(readme, "others", "new")
