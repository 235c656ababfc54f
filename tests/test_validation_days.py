"""Validation day after day: what stops, what warns, what is kept, and what a rerun changes."""

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from measured_lake import QUIET_DAYS, TABLES, MeasuredLake
from planted_lake import plant

from jobs import status
from jobs.gx_results import FILE

STRANGE = QUIET_DAYS + 1
NAN = float("nan")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory) -> MeasuredLake:
    """Days on which nothing happens. Never change it: copy it."""
    lake = MeasuredLake(tmp_path_factory.mktemp("quiet"))
    for number in range(1, QUIET_DAYS + 1):
        lake.write(number)
        assert lake.validate(number) == 0
    return lake


@pytest.fixture
def copied(quiet, tmp_path):
    """The same lake elsewhere, under a profile of its own."""

    def copy(validation: str = "") -> MeasuredLake:
        shutil.copytree(quiet.lake.root, tmp_path / "lake")
        return MeasuredLake(tmp_path, validation)

    return copy


def spoil(lake: MeasuredLake, number: int, column: str, values: dict[int, object]) -> None:
    """Put values into rows of the day's logs, past the audit that every step has to pass."""
    partition = lake.of("request_logs", number)
    rows = partition.read()
    cells = rows[column].to_pylist()
    for row, value in values.items():
        cells[row] = value
    kind = rows.schema.field(column).type
    at = rows.schema.get_field_index(column)
    plant(partition, rows.set_column(at, pa.field(column, kind), pa.array(cells, kind)))


# --- judged by the days before


def test_quiet_days_hold_and_the_first_say_that_they_know_too_little(quiet):
    for number in range(1, QUIET_DAYS + 1):
        for table in TABLES:
            assert quiet.failed(number, table) == set()
    first, last = (quiet.results(number, "candidate_sets") for number in (1, QUIET_DAYS))
    assert {row["success"] for row in first.values()} == {None}
    assert {row["success"] for row in last.values()} == {1}
    assert first["drift_score"]["expectation"] == (
        "not judged: 0 of 7 days are there to compare with"
    )
    assert last["drift_score"]["value"] < 0.1 < last["drift_score"]["high"]
    assert last["rows"]["days"] == 7
    counts = quiet.of("validations", 1, of="candidate_sets").manifest().counts
    assert counts["not_judged"] == len(first)
    assert (counts["failed"], counts["warned"]) == (0, 0)


def test_a_day_with_half_of_its_rows_missing_is_stopped_and_says_how_to_go_on(copied, capsys):
    lake = copied()
    lake.write(STRANGE, requests=20)
    assert lake.validate(STRANGE) == 2
    assert lake.failed(STRANGE, "request_logs") >= {("stop", "rows"), ("warn", "requests")}
    told = capsys.readouterr()
    assert f"validate {lake.day(STRANGE)}: FAILED request_logs.rows: expected from " in told.out
    assert f"validate {lake.day(STRANGE)}: WARNING request_logs.requests: expected" in told.out
    assert "FAILED request_logs.requests" not in told.out
    assert told.err.count("\n") == 2, "one line a table"
    assert (
        'let the profile only warn: request_logs.rows = { severity = "warn" } '
        "below [validation.limits]"
    ) in told.err


def test_the_profile_says_what_stops_and_what_warns(copied, capsys):
    lake = copied(
        "[validation.limits]\n"
        'request_logs.rows = { severity = "warn" }\n'
        'request_logs.requests = { severity = "off" }\n'
        "candidate_sets.rows = { change = 0.9 }\n"
        'candidate_sets.drift_category = { severity = "stop" }\n'
    )
    lake.write(STRANGE, requests=20, categories="uvwxyz")
    assert lake.validate(STRANGE, "request_logs") == 0
    assert ("warn", "rows") in lake.failed(STRANGE, "request_logs")
    assert "requests" not in lake.results(STRANGE, "request_logs")
    assert re.search(r" rows of request_logs, \d warn;", capsys.readouterr().out)
    assert lake.validate(STRANGE, "candidate_sets") == 2
    assert lake.failed(STRANGE, "candidate_sets") == {
        ("stop", "drift_category"),
        ("warn", "new_categories"),
        ("warn", "gone_categories"),
    }


def test_other_scores_and_fewer_clicks_warn(copied):
    lake = copied()
    lake.write(STRANGE, shift=1.0, clicked=0.03)
    assert lake.validate(STRANGE) == 0
    assert lake.failed(STRANGE, "request_logs") == {("warn", "click_rate")}
    assert lake.failed(STRANGE, "candidate_sets") == {
        ("warn", "drift_score"),
        ("warn", "without_click"),
    }


# --- broken rows


def test_broken_rows_are_kept_with_their_keys_up_to_a_number(copied, capsys, monkeypatch):
    monkeypatch.setattr("jobs.stored_rows.CELLS_AT_ONCE", 100)  # So that they are of many pieces.
    lake = copied("[validation]\nbad_rows = 12\n")
    lake.write(STRANGE)
    spoil(lake, STRANGE, "score", dict.fromkeys(range(30), NAN))
    assert lake.validate(STRANGE, "request_logs") == 2
    rows = lake.of("bad_rows", STRANGE, of="request_logs").read().to_pylist()
    assert [row["number"] for row in rows] == list(range(1, 13))
    day = lake.day(STRANGE)
    assert rows[0]["place"].startswith(f"request_id '{day}-000', item_id ")
    cells = json.loads(rows[0]["row"])
    assert (cells["request_id"], cells["exposed"], cells["query"]) == (f"{day}-000", 1, "p")
    assert cells["score"] != cells["score"]
    (result,) = [
        row
        for row in lake.of("validations", STRANGE, of="request_logs").read().to_pylist()
        if row["success"] == 0
    ]
    assert (result["column"], result["unexpected"], len(result["examples"])) == ("score", 30, 10)
    assert capsys.readouterr().err.count("nan at request_id") == 3


def test_columns_may_only_warn_but_a_wrong_type_stops(copied, capsys):
    lake = copied('[validation]\nwarn_only = ["request_logs.score"]\n')
    lake.write(STRANGE)
    spoil(lake, STRANGE, "score", {0: NAN})
    assert lake.validate(STRANGE, "request_logs") == 0
    assert lake.failed(STRANGE, "request_logs") == {("warn", "score")}
    assert "WARNING request_logs.score: expected finite numbers" in capsys.readouterr().out
    partition = lake.of("request_logs", STRANGE)
    rows = partition.read()
    words = rows["score"].cast(pa.string())
    plant(partition, rows.set_column(rows.schema.get_field_index("score"), "score", words))
    assert lake.validate(STRANGE, "request_logs") == 2
    assert lake.failed(STRANGE, "request_logs") == {("stop", "score")}
    assert lake.results(STRANGE, "request_logs") == {}, "nothing is measured of it"


# --- reruns


def published(lake: MeasuredLake, number: int) -> dict[str, object]:
    """The digests of all that validation made of a day, and the bytes of what is not a table."""
    found = {}
    for table in TABLES:
        for name in ("measures", "validations", "bad_rows"):
            partition = lake.of(name, number, of=table)
            found[partition.name] = partition.manifest().digest
        results = lake.of("validations", number, of=table)
        found[table] = (results.folder() / FILE).read_bytes()
    return found


def test_made_again_it_is_the_same(copied):
    lake = copied()
    lake.write(STRANGE, requests=20)
    assert lake.validate(STRANGE) == 2
    before = published(lake, STRANGE)
    assert lake.validate(STRANGE, force=True) == 2
    assert published(lake, STRANGE) == before


def test_a_day_of_the_past_that_changes_makes_a_rerun_and_nothing_stale(copied, capsys):
    lake = copied()
    lake.write(3, requests=90)
    assert lake.validate(3) == 0
    capsys.readouterr()
    flags = ["--lake", str(lake.lake.root), "--profile", str(lake.profile_path)]
    assert status.main([*flags, "--all"]) == 0
    told = [
        line
        for line in capsys.readouterr().out.splitlines()
        if str(lake.day(QUIET_DAYS)) in line and "validations" in line
    ]
    assert [line.split("  ")[-1] for line in told] == ["nothing", "nothing"]
    assert lake.validate(QUIET_DAYS, "request_logs") == 0
    assert "unchanged" not in capsys.readouterr().out
    assert lake.validate(QUIET_DAYS, "request_logs") == 0
    assert "unchanged" in capsys.readouterr().out


# --- the page


def test_the_page_tells_what_failed_since_when_with_examples(copied, capsys):
    lake = copied()
    for number in range(STRANGE, STRANGE + 3):
        lake.write(number, categories="uvwxyz", requests=60 if number < STRANGE + 2 else 20)
        if number == STRANGE + 2:
            spoil(lake, number, "score", {0: NAN})
        assert lake.validate(number) == (2 if number == STRANGE + 2 else 0)
    today, since = lake.day(STRANGE + 2), lake.day(STRANGE)
    capsys.readouterr()
    assert lake.report(STRANGE + 2) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(
        f"{today} is stopped: request_logs, candidate_sets are not to be read; "
    )
    assert told[1].startswith(f"STOPS since {today}: request_logs.rows: expected from ")
    assert told[2].startswith(f"STOPS since {today}: request_logs.score: expected finite numbers")
    assert any(line.startswith(f"warns since {since}: candidate_sets.drift_cat") for line in told)
    reports = lake.lake.root / "reports"
    assert told[-1] == str(reports / "validation.html")
    page = (reports / "validation.html").read_text(encoding="utf-8")
    assert page == (reports / f"validation-{today}.html").read_text(encoding="utf-8")
    assert f"<dd>{since}, 3 validated days in a row</dd>" in page
    assert f"<dd>{today}, for the first time</dd>" in page
    assert f"nan at request_id &#39;{today}-000&#39;" in page
    assert f"1 kept in <code>bad_rows/dt={today}/of=request_logs</code>" in page
    assert page.count('<svg class="trend"') > 30
    assert lake.report(STRANGE + 2) == 0
    assert page == (reports / "validation.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_links_what_is_there(copied):
    lake = copied()
    assert lake.report(QUIET_DAYS - 1) == 0
    assert lake.report(QUIET_DAYS) == 0
    reports = lake.lake.root / "reports"
    page = (reports / "validation.html").read_text(encoding="utf-8")
    assert "Nothing stops 2026-01-08: all " in page
    assert not any(sign in page for sign in ("http:", "https:", "<script", "url(", "@import"))
    targets = {part.split('"')[0] for part in page.split('href="')[1:]}
    below = {target for target in targets if not target.startswith("#")}
    assert len(below) == 1 + len(TABLES)
    assert all((reports / target).is_file() for target in below)
    anchors = {target[1:] for target in targets - below}
    assert all(f'id="{name}"' in page for name in anchors)
    index = (reports / "data_docs" / "index.html").read_text(encoding="utf-8")
    for number in (QUIET_DAYS - 1, QUIET_DAYS):
        assert f"validations/request_logs/{lake.day(number)}/" in index
    docs = sorted(Path(target) for target in below if "candidate_sets" in target)
    own = (reports / docs[0]).read_text(encoding="utf-8")
    assert "candidates_mean: from " in own
    assert "score: finite numbers" in own


def test_a_day_that_was_not_validated_is_nothing_to_do(quiet, capsys):
    assert quiet.report(STRANGE) == 99
    assert "no table of 2026-01-09 was validated; do so first: python -m jobs.validate" in (
        capsys.readouterr().out
    )
    assert not (quiet.lake.root / "reports").exists()
