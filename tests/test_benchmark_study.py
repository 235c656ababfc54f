"""The README's part on the study is what its committed texts say."""

import json
from pathlib import Path

import pytest

from benchmarks import study_by_candidates as by_candidates
from benchmarks.study import main
from jobs.profile.load import load_profile
from jobs.study.findings import findings
from jobs.study.load import load_study
from jobs.study.questions import CDM, DCN, QUESTIONS, SELF
from jobs.study.section import load

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "benchmarks" / "study"
UNKNOWN = ROOT / "benchmarks" / "study_unknown" / "results"


def test_the_readme_says_what_the_kept_sections_say():
    read = [load(KEPT, data.name) for data in load_study("full").data]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in findings([one for one in read if one is not None]):
        assert f"* {line}\n" in text


def test_it_renews_block_and_pictures(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- study -->\nold\n<!-- /study -->\n", encoding="utf-8")
    assert main(["--out", str(tmp_path), "--readme", str(readme)]) == 0
    assert "* CDM against DCN: " in readme.read_text(encoding="utf-8")
    for picture in KEPT.glob("*.svg"):
        assert (tmp_path / picture.name).read_text(encoding="utf-8") == picture.read_text("utf-8")


def test_without_sections_it_says_what_to_run(tmp_path, capsys):
    assert main(["--results", str(tmp_path)]) == 2
    assert "run python -m jobs.study --out" in capsys.readouterr().err


@pytest.mark.parametrize("name", [data.name for data in load_study("full").data])
def test_a_kept_section_has_its_cells_beside_it(name):
    section = load(KEPT, name)
    if section is None:
        pytest.skip(f"{name} has not been run to its end")
    assert len(list((KEPT / "results" / name).glob("*/dcn.json"))) == section.seeds


def test_the_readme_says_what_the_sections_over_candidates_say():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = by_candidates.table(by_candidates.read(by_candidates.SHOWN))
    assert f"<!-- study_by_candidates -->\n\n{shown}\n<!-- /study_by_candidates -->\n" in text


def test_the_readme_says_what_another_seed_says_at_20000_candidates():
    (data,) = load_study("candidates_again").data
    section = load(by_candidates.SHOWN / "again", data.name)
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for rival, words in ((SELF, "to its control"), (DCN, "to DCN")):
        asked = next(q for q in QUESTIONS if (q.method, q.rival) == (CDM, rival))
        told = by_candidates.value(section, asked.name)
        assert f"at {told.value:+.3f} [{told.low:+.3f}, {told.high:+.3f}] {words}" in text


def test_the_picture_over_candidates_is_drawn_again_as_it_is(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- study_by_candidates -->\n<!-- /study_by_candidates -->\n", "utf-8")
    assert by_candidates.main(["--out", str(tmp_path), "--readme", str(readme)]) == 0
    name = "by_candidates.svg"
    assert (tmp_path / name).read_text("utf-8") == (by_candidates.SHOWN / name).read_text("utf-8")
    assert "| CDM against DCN | " in readme.read_text(encoding="utf-8")


def test_without_sections_over_candidates_it_says_what_to_run(tmp_path, capsys):
    assert by_candidates.main(["--results", str(tmp_path)]) == 2
    assert "run python -m jobs.study --study candidates --out" in capsys.readouterr().err


def found_on_the_validation_day(share, training, ranking, weight):
    path = UNKNOWN / f"hidden_{share * 100:02.0f}" / "1" / f"{training}.json"
    at = json.loads(path.read_text("utf-8"))["rankings"][ranking][weight]
    return at["validation"]["10"]["recall"]


def test_the_share_of_hidden_tokens_is_the_one_that_finds_most():
    shares = [one.changes["training.unknown_share"] for one in load_study("unknown").data]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for asked in (("dcn", "f", "0"), ("cdm", "fused", "0.1")):
        found = {share: found_on_the_validation_day(share, *asked) for share in shares}
        assert max(found, key=found.get) == load_profile("ebnerd").training.unknown_share
        assert f"{max(found.values()):.3f}" in text
        assert f"{found[0.0]:.3f}" in text
