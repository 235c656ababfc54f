"""Machine code is kept between processes, and none of it outlives a change in any source."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CALLER = """
from model.teachers.compiled import compiled
from model.teachers.order import goes_before

@compiled
def ask(f, row):
    return goes_before(f, row, 0, 1)
"""
ASK = """
import numpy as np
from model.teachers.caller import ask
from model.teachers.compiled import folder
print(ask(np.array([0.5, 0.5]), np.array([0, 1])))
print(sum(ask.stats.cache_hits.values()))
print(folder())
"""


@pytest.fixture
def copied(tmp_path):
    package = tmp_path / "model" / "teachers"
    package.mkdir(parents=True)
    for name in ("teachers", "students"):
        shutil.copytree(
            ROOT / "model" / name,
            package.parent / name,
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )
    for source in (ROOT / "model").glob("*.py"):
        shutil.copy(source, package.parent)
    (package / "caller.py").write_text(CALLER, encoding="utf-8")
    return tmp_path


def ask(path: Path, home: Path, **environment: str) -> list[str]:
    """Ask a new process whether the first of two equals wins, from the cache, and which folder."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    found = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**kept, "PYTHONPATH": str(path), "HOME": str(home), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not found.returncode, found.stderr
    return found.stdout.split()


def test_an_edit_of_a_helper_reaches_its_callers(copied, tmp_path):
    first, again = ask(copied, tmp_path), ask(copied, tmp_path)
    assert first[:2] == ["True", "0"]
    assert again == ["True", "1", first[2]]
    order = copied / "model" / "teachers" / "order.py"
    source = order.read_text(encoding="utf-8")
    order.write_text(source.replace("row[i] < row[j]", "row[i] > row[j]"), encoding="utf-8")
    assert ask(copied, tmp_path)[:2] == ["False", "0"]


def test_an_edit_where_students_have_their_kernels_leaves_the_folder(copied, tmp_path):
    first = ask(copied, tmp_path)[2]
    kernel = copied / "model" / "students" / "largest.py"
    source = kernel.read_text(encoding="utf-8")
    kernel.write_text(source.replace("GROUPS = 32", "GROUPS = 16"), encoding="utf-8")
    assert ask(copied, tmp_path)[2] != first


def test_a_package_in_a_zip_has_its_cache_too(copied, tmp_path):
    zipped = Path(shutil.make_archive(str(tmp_path / "code"), "zip", copied, "model"))
    assert ask(zipped, tmp_path)[:2] == ["True", "0"]
    assert ask(zipped, tmp_path)[:2] == ["True", "1"]


def test_without_a_home_the_cache_is_a_temporary_folder_that_only_its_owner_opens(copied, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    nowhere = {"XDG_CACHE_HOME": os.devnull, "TMPDIR": str(temporary)}
    assert ask(copied, tmp_path, **nowhere)[:2] == ["True", "0"]
    assert ask(copied, tmp_path, **nowhere)[1] == "1"
    (mine,) = temporary.glob("teacher-kernels-*")
    assert mine.stat().st_mode & 0o077 == 0
    mine.chmod(0o777)
    assert ask(copied, tmp_path, **nowhere) == ["True", "0", "None"]


def test_a_named_folder_is_the_parent(copied, tmp_path):
    assert ask(copied, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "named"))[2].startswith(
        str(tmp_path / "named" / "teacher-kernels-")
    )
