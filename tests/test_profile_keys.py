"""python -m jobs.profile --keys: every key that a profile can have, and what it says."""

import dataclasses
import re
from typing import get_type_hints

import pytest

from jobs.cli import REFUSED
from jobs.profile.__main__ import main
from jobs.profile.config import Profile
from jobs.profile.keys import keys, meanings
from jobs.sources.config import LogFiles, RawColumn, RawFiles
from schemas.table import Fields


def test_every_key_is_told_with_its_type_and_default():
    text = keys()
    for cls in (Profile, Fields, LogFiles, RawColumn):
        for spec in dataclasses.fields(cls):
            if not dataclasses.is_dataclass(get_type_hints(cls)[spec.name]):
                assert re.search(rf"^ *(\[+(source.*\.)?)?{spec.name}\b", text, re.MULTILINE), (
                    spec.name
                )
    assert "    max_quarantined: float = 0.01\n        Above this share of source rows" in text
    assert '    quote: str = "\\""\n' in text
    assert "    first_day: date = 2026-01-01\n" in text
    assert "    files: list of str, required\n" in text


def test_no_key_is_without_a_meaning():
    assert not re.search(r"^    \w+: .*\n(?! {8})", keys(), re.MULTILINE)


def test_a_key_is_told_once_and_then_referred_to():
    text = keys()
    assert text.count("    delimiter: ") == text.count("    split: ") == 1
    assert "[[source.items]]\nFacts about items or users" in text
    assert "    as in [source.logs]: files, date_format, format, delimiter" in text


def test_meanings_know_which_class_declares_a_key():
    owner, meaning = meanings(LogFiles)["delimiter"]
    assert owner is RawFiles
    assert meaning.startswith("Between columns, where")


def test_a_section_alone_and_one_that_is_not_there(capsys):
    assert main(["--keys", "source.logs"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("[source.logs]\n")
    assert "[source.logs.columns]\n" in said
    assert "[world]" not in said
    assert main(["--keys", "source.log"]) == REFUSED
    wanted = "no section 'source.log'; did you mean source.logs?"
    assert wanted in capsys.readouterr().err


@pytest.mark.parametrize("section", ["", "fields", "training"])
def test_no_line_is_too_long(section):
    assert max(map(len, keys(section).splitlines())) <= 100
