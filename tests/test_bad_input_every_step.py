"""Every kind of bad input to every step: one line that says what to do; nothing made, nothing lost.

A case of the table runs the real command on a copy of a lake of three toy days, of which something
may be damaged or gone. What is wrong with raw files is told of in test_bad_input, test_raw_files,
with models in test_bad_checkpoint, with profiles in test_profile.
"""

import shlex
from pathlib import Path

import pytest
from bad_inputs import CASES, EARLIER

from jobs import gc, line, status
from jobs.cli import REFUSED
from jobs.profile import __main__ as profile_command

OTHER_COMMANDS = {"gc": gc, "status": status, "line": line, "profile": profile_command}
JUDGEMENTS = {"measures", "validations", "bad_rows"}
"""What validate publishes of a table that it refuses."""


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def judged_apart(files: dict[str, bytes], step: str) -> dict[str, bytes]:
    """Leave out, of validate, what it publishes of a table that it refuses."""
    left_out = JUDGEMENTS if step == "validate" else set()
    return {name: content for name, content in files.items() if not {*name.split("/")} & left_out}


def run(step: str, flags: list[str]) -> int:
    """Run a command as `python -m jobs.<step>` does; return its exit code."""
    try:
        return (OTHER_COMMANDS.get(step) or line.step_module(step)).main(flags)
    except SystemExit as stop:
        return stop.code


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_it_is_refused_in_one_line_and_nothing_changes(bad, toy, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = Path(line.__file__).with_name("profiles") / "toy.toml"
    text, toml = shipped.read_text(encoding="utf-8"), tmp_path / "toy.toml"
    toml.write_text(text, encoding="utf-8")
    world = toy.copy(tmp_path / "lake", toml)
    bad.plant(world)
    assert bad.toml[0] in text
    toml.write_text(text.replace(*bad.toml) if bad.toml[0] else text, encoding="utf-8")
    before = tree(tmp_path)
    flags = ["--lake", str(world.root), "--profile", str(toml)]
    flags += ["--date", bad.day] if bad.day else []
    capsys.readouterr()
    assert run(bad.step, [*flags, *shlex.split(bad.flags)]) == REFUSED
    said = capsys.readouterr().err
    assert said.startswith(f"{bad.step}: refused: ")
    assert said.count("\n") == 1
    assert said.removesuffix("\n").isprintable()
    assert "hunter2" not in said
    called = {"LAKE": str(world.root), "PROFILE": str(toml), "MODEL": world.trained(EARLIER)}
    for part in bad.says:
        for name, value in called.items():
            part = part.replace(name, value)
        assert part in said
    assert judged_apart(tree(tmp_path), bad.step) == judged_apart(before, bad.step)


def test_the_table_has_every_step_and_many_kinds():
    assert {bad.step for bad in CASES} >= {command.split()[0] for command in line.COMMANDS}
    assert len({str(bad) for bad in CASES}) == len(CASES) >= 25


# --- the one that has neither lake nor day


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--keys sources", "a profile has no section 'sources'; "),
        ("--sample none.csv", "none.csv cannot be read: "),
        ("--sample empty.csv", "empty.csv is empty; give a file that has rows"),
        ("--sample log.csv --out my.txt", "my.txt would be no profile; give an --out that ends in"),
        ("--sample log.csv --out my.toml", "my.toml is there already; give another --out, or"),
        ("--check nobody", "profile 'nobody' is not shipped ("),
        (
            "--out my.toml",
            "one of the arguments --check --sample --keys is required; see python -m",
        ),
    ],
)
def test_a_profile_command_refuses_too(tmp_path, monkeypatch, capsys, flags, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    (tmp_path / "my.toml").write_text("mine")
    before = tree(tmp_path)
    assert run("profile", shlex.split(flags)) == REFUSED
    said = capsys.readouterr().err
    assert said.startswith("profile: refused: ")
    assert says in said
    assert said.count("\n") == 1
    assert tree(tmp_path) == before
