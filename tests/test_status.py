"""jobs.status: what is live, and what has changed under it."""

import os
import re
from dataclasses import replace

import pytest
from conftest import DAYS, World

from jobs import lineage, status
from jobs.lease import HOLDER, held
from jobs.manifest import FILE_NAME


@pytest.fixture
def shown(capsys):
    """The page as what has changed since, by live folder."""

    def show(world: World, *flags: str) -> dict[str, str]:
        assert status.main(["--lake", str(world.root), "--profile", "toy", *flags]) == 0
        rows = [re.split(r" {2,}", text.strip()) for text in capsys.readouterr().out.splitlines()]
        return {row[0]: row[-1] for row in rows if "/" in row[0]}

    return show


def test_the_status_names_what_is_there_and_what_has_changed_since(toy, tmp_path, shown):
    world = toy.copy(tmp_path / "lake")
    live = world.manifests()
    changed = shown(world, "--all")
    assert len(changed) == len(live)
    assert set(changed.values()) == {"nothing"}
    for name, manifest in live.items():
        if manifest.table != "models":
            assert f"{name}/{manifest.folder}" in changed

    day = DAYS[1]
    logs = world.partition("request_logs", day)
    world.publish(logs, logs.read().slice(1))
    (world.partition("promotions", day).path / "_manifest.json").unlink()
    candidates = world.partition("candidate_sets", day)
    labels = toy.partition("teacher_labels", day)
    after = shown(world)
    assert after[f"{candidates.name}/{candidates.manifest().folder}"] == (
        f"{logs.name} was made again"
    )
    assert after[f"{labels.name}/{labels.manifest().folder}"] == (
        f"stale: {logs.name} was made again"
    )
    scored = world.partition("rankings", DAYS[2])
    assert "promoted is " in after[f"{scored.name}/{scored.manifest().folder}"]
    stale = {name for name, why in after.items() if why != "nothing"}
    assert not [name for name in stale if f"dt={DAYS[0]}" in name]


def test_what_validation_made_is_a_line_until_something_changes_under_it(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    asked = ["--lake", str(world.root), "--profile", "toy", "--date", str(DAYS[1]), "--days", "1"]
    assert status.main(asked) == 0
    page = capsys.readouterr().out
    brief = "measures, validations, bad_rows of candidate_sets, examples, metrics, rankings, "
    assert page.count(f"\n  {brief}") == 1
    assert "validations/" not in page
    assert "not there" not in page, "nothing else is made of simulated logs"

    logs = world.partition("request_logs", DAYS[1])
    world.publish(logs, logs.read().slice(1))
    assert status.main(asked) == 0
    page = capsys.readouterr().out
    assert f"\n  validations/dt={DAYS[1]}/of=request_logs/v=" in page
    assert f"\n  bad_rows/dt={DAYS[1]}/of=request_logs/v=" in page


def test_bad_rows_that_were_kept_have_their_line(toy, tmp_path, capsys):
    world = toy.copy(tmp_path / "lake")
    kept = world.lake.partition("bad_rows", DAYS[1], of="metrics")
    manifest = kept.manifest()
    (kept.path / FILE_NAME).write_text(replace(manifest, rows=3).to_text(), encoding="utf-8")
    assert status.main(["--lake", str(world.root), "--profile", "toy", "--date", str(DAYS[1])]) == 0
    page = capsys.readouterr().out
    assert page.count("\n  bad_rows/dt=") == 1
    assert f"\n  bad_rows/dt={DAYS[1]}/of=metrics/{manifest.folder}" in page


def test_a_table_without_rows_is_told_as_one_and_a_model_has_none_to_count(toy, capsys):
    assert status.main(["--lake", str(toy.root), "--profile", "toy"]) == 0
    rows = {}
    for text in capsys.readouterr().out.splitlines():
        name, *cells = re.split(r" {2,}", text.strip())
        if "/" in name:
            rows.setdefault(name.partition("/")[0], set()).add(cells[0])
    assert rows["unlabelled"] == {"0"}
    assert rows["teacher_labels"] == {"80"}
    assert rows["models"] == {"-"}


def test_the_status_of_no_lake_names_the_first_step(tmp_path, capsys):
    assert status.main(["--lake", str(tmp_path / "none"), "--profile", "toy"]) == 0
    assert "holds no tables yet; the first step is python -m jobs.ingest" in capsys.readouterr().out
    assert status.main(["--lake", "a*", "--profile", "toy"]) == 2
    assert capsys.readouterr().err.startswith("status: refused: lake 'a*' is no folder")


def test_a_damaged_pointer_and_other_code_are_told(toy, tmp_path, shown, monkeypatch):
    world = toy.copy(tmp_path / "lake")
    logs = world.partition("request_logs", DAYS[0])
    whole = (logs.path / "_manifest.json").read_text()
    (logs.path / "_manifest.json").write_text("{")
    assert "_manifest.json is damaged (" in shown(world)[logs.name]
    (logs.path / "_manifest.json").write_text(whole)
    monkeypatch.setattr(lineage, "code_version", lambda: "another")
    later = world.partition("metrics", DAYS[2])
    assert shown(world)[f"{later.name}/{later.manifest().folder}"] == "the code"


def test_who_is_at_work_is_named_and_who_is_gone(tmp_path, capsys):
    world = World(tmp_path / "lake")
    labels = world.partition("teacher_labels", DAYS[0])
    with (
        held(labels.path, labels.name, "label_candidates"),
        held(world.lake.data_docs, "the validation report", "validation_report") as gone,
    ):
        gone.seat.joinpath(HOLDER).write_text(
            replace(gone.holder, started=gone.holder.started - 1).to_text(), encoding="utf-8"
        )
        assert status.main(["--lake", str(world.root), "--profile", "toy"]) == 0
    who = rf"\(process {os.getpid()} on \S+\) since .* UTC, which holds"
    _, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"At work: label_candidates {who} {labels.name}", lines[0])
    told = "reports/data_docs; whatever runs next takes it over"
    assert re.fullmatch(rf"Gone: validation_report {who} {told}", lines[1])
    assert len(lines) == 2
