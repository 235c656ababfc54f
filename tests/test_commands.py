"""What a person types: help, mistyped flags, profiles with a mistake; and the lineage of steps."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs import __main__ as listing
from jobs.errors import Refused
from jobs.line import step_module
from jobs.profile.load import load_profile
from schemas.table import Fields
from schemas.tables import declare

STEPS = listing.steps()
EVERY_COMMAND = (*STEPS, *listing.ON_A_LAKE)
WITH_GOLDEN = (
    "simulate_logs", "build_candidates", "build_examples", "train", "line", "status", "explain",
    "promote", "gc", "label_candidates", "labelled_days",
)  # fmt: skip
PUBLISH_NOTHING = ("status", "explain", "gc", "validation_report", "labelled_days")
PROFILES = Path(listing.__file__).parent / "profiles"


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def exits(name: str, argv: list[str]) -> int:
    """Run a command that ends at its parser."""
    with pytest.raises(SystemExit) as end:
        step_module(name).main(argv)
    return end.value.code


def flags_of(name: str, lake: Path) -> list[str]:
    flags = ["--lake", str(lake), "--profile", "toy"]
    flags += {"status": [], "gc": ["--older-than", "2w"]}.get(name, ["--date", "2026-01-01"])
    return flags + (["--table", "metrics"] if name == "validate" else [])


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_help_is_there_and_ends_with_an_example(name, capsys):
    assert exits(name, ["--help"]) == 0
    printed = capsys.readouterr().out
    assert f"example:\n  python -m jobs.{name} --lake lake" in printed
    assert printed.startswith(f"usage: python -m jobs.{name} ")
    assert step_module(name).__doc__.splitlines()[0] in printed


@pytest.mark.parametrize("name", WITH_GOLDEN)
def test_help_is_as_it_was_read(name, capsys, golden):
    exits(name, ["--help"])
    golden(f"help_{name}.txt", capsys.readouterr().out)


def test_the_list_of_steps_is_as_it_was_read(capsys, golden):
    assert listing.main([]) == 0
    golden("steps.txt", capsys.readouterr().out)


def test_the_list_is_what_python_m_jobs_prints(golden):
    command = [sys.executable, "-m", "jobs"]
    done = subprocess.run(command, cwd=PROFILES.parents[1], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    golden("steps.txt", done.stdout)


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_an_example_is_one_that_its_own_parser_takes(name):
    parser = step_module(name).build_parser()
    words = parser.epilog.splitlines()[-1].split()
    assert words[:3] == ["python", "-m", f"jobs.{name}"]
    parser.parse_args([word.strip("'") for word in words[3:]])


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_an_unknown_flag_is_refused_by_name(name, tmp_path, capsys):
    assert exits(name, [*flags_of(name, tmp_path / "lake"), "--nonsense"]) == 2
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_an_abbreviated_flag_is_refused(name, tmp_path, capsys):
    flags = flags_of(name, tmp_path / "lake")
    assert exits(name, ["--lak", *flags[1:]]) == 2
    assert "the following arguments are required: --lake" in capsys.readouterr().err
    short = "--forc" if name not in PUBLISH_NOTHING else "--force"
    assert exits(name, [*flags, short]) == 2
    assert f"unrecognized arguments: {short}" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()


# --- the line of tables


def test_every_table_has_one_maker_and_is_read_after_it():
    made_by: dict[str, str] = {}
    anything = {"validate", "report"}  # They read what is there at that point of the line.
    for name in STEPS:
        module = step_module(name)
        assert module.STEP == name
        if name not in anything:
            missing = [table for table in module.READS if table not in made_by]
            assert (name, missing) == (name, [])
        for table in module.WRITES:
            # `ingest` runs one of the two that follow it.
            assert made_by.get(table, "ingest") == "ingest" or name == "import_logs"
            made_by[table] = name
    declared = set(declare(Fields(), 1))
    assert set(made_by) == declared | {"models", "reports"}
    for name in anything:
        assert set(step_module(name).READS) <= declared


# --- profiles


@pytest.mark.parametrize("name", sorted(path.stem for path in PROFILES.glob("*.toml")))
def test_every_shipped_profile_loads_and_is_named_as_its_file(name):
    assert load_profile(name).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nam = 1", "unknown key nam; did you mean name?"),
        ("[teacher]\ndiversity_wieght = 1.0",
         "unknown key teacher.diversity_wieght; did you mean teacher.diversity_weight?"),
        ("[traning]\nepochs = 1", "unknown key traning; did you mean training?"),
        ("[source]\nwhatever = 1", "unknown key source.whatever; known are kind, path, logs"),
        ("k = 5", "k = 5 must be a list, such as [5]"),
        ("k = [\"5\"]", "k[0] = '5' must be of type int"),
        ("k = [5.0]", "k[0] = 5.0 must be of type int"),
        ("k = [5, 3]", "k = (5, 3) is not allowed; it must be growing, from 1"),
        ("k = [3]", "promotion.k = 5 is not allowed; it must be one of k = (3,)"),
        ("[teacher]\ndiversity_weight = -1",
         "teacher.diversity_weight = -1.0 is not allowed; it must be from 0 to 10"),
        ("[teacher]\nk = 2.5", "teacher.k = 2.5 must be of type int"),
        ("[training]\nepochs = \"3\"", "training.epochs = '3' must be of type int"),
        ("[training]\nvalidation_share = 1.0",
         "training.validation_share = 1.0 is not allowed; it must be between 0 and 1"),
        ("[fields]\nitem_id = \"float64\"",
         "fields.item_id = 'float64' is not allowed; it must be one of int64, string"),
        ("[fields]\nitem = [\"brand\"]\ncategory = \"kind\"",
         "fields.category = 'kind' is not allowed; it must be brand"),
        ("[source]\nkind = \"kafka\"",
         "source.kind = 'kafka' is not allowed; it must be one of simulated, files"),
        ("teacher = 1", "teacher is a section, written [teacher], not 1"),
        ("day_start = \"25:00\"", "day_start = '25:00' is not allowed; it must be a time of day"),
        ("name = ", "Invalid value (at end of document)"),
        ("", "name is missing"),
    ],
    ids=lambda value: value.replace("\n", " ")[:32],
)  # fmt: skip
def test_a_mistake_in_a_profile_is_told_in_words(text, message, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    named = "" if text.startswith(("nam", "name")) or not text else 'name = "mine"\n'
    path.write_text(named + text)
    with pytest.raises(Refused) as refusal:
        load_profile(str(path))
    assert str(refusal.value).startswith(f"profile {path}")
    assert message in str(refusal.value)
    flags = ["--lake", str(tmp_path / "lake"), "--date", "2026-01-01", "--profile", str(path)]
    assert exits("build_candidates", flags) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()


def test_a_profile_that_is_not_shipped_or_not_there_says_what_is(tmp_path):
    with pytest.raises(Refused) as refusal:
        load_profile("jindong")
    assert str(refusal.value) == (
        "profile 'jindong' is not shipped (candictr, ebnerd, jdsearch, jingdong, kuaishou, mind, "
        "movielens, recflow, toy); for your own, give "
        "the path of a .toml file"
    )
    with pytest.raises(Refused, match=r"none\.toml cannot be read: .*No such file"):
        load_profile(str(tmp_path / "none.toml"))


def test_fields_that_a_simulated_world_does_not_fill_are_named_at_once(
    tmp_path, profile_with, capsys
):
    profile = profile_with(item_id='"string"', dense='["score", "price"]', category='""')
    flags = ["--lake", str(tmp_path / "lake"), "--date", "2026-01-01", "--profile", str(profile)]
    assert step_module("ingest").main(flags) == 2
    assert capsys.readouterr().err == (
        "simulate_logs: refused: profile 'toy' has fields that a simulated world does not fill: "
        "fields.item_id = 'string', where it makes 'int64'; fields.dense has 'price', where it "
        "makes 'score'; fields.category is empty, where world.wear_by is 'category'. Change them, "
        "or name a real source in [source]\n"
    )
    assert not (tmp_path / "lake").exists()
