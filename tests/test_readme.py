"""The README's commands, run as a newcomer would type them; `make run` at toy size."""

import os
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.first_run import table
from jobs.lake import Lake
from jobs.profile.load import load_profile

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line[2:]
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
OWN_LOGS = [c for c in COMMANDS if "my.toml" in c]
OTHERS = [c for c in COMMANDS if c not in OWN_LOGS and not c.startswith("make ")]
TOY = ("PROFILE=toy", "DAYS=2")


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command from the repository's root, with the environment's Python first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run `make run` at toy size once; return its lake and what it printed."""
    lake = tmp_path_factory.mktemp("readme") / "a lake"
    done = run(["make", "run", *TOY, f"LAKE={lake}"])
    assert done.returncode == 0, done.stdout + done.stderr
    return lake, done.stdout


def test_make_run_ends_with_the_table_and_the_page(made: tuple[Path, str]) -> None:
    lake, printed = made
    page = lake / "reports" / "index.html"
    assert page.is_file()
    tail = printed[printed.index((lake / "reports" / "summary.txt").read_text().strip()) :]
    assert str(page) in tail


def test_the_table_and_the_picture_are_those_of_a_run() -> None:
    shown = ROOT / "benchmarks" / "first_run"
    summary = (shown / "summary.txt").read_text(encoding="utf-8")
    assert table(summary) in README
    assert f"({(shown / 'front.svg').relative_to(ROOT)})" in README


def test_a_run_renews_them(made: tuple[Path, str], tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    flags = ["--lake", str(made[0]), "--out", str(tmp_path / "shown"), "--readme", str(readme)]
    done = run([sys.executable, "-m", "benchmarks.first_run", *flags])
    assert done.returncode == 0, done.stderr
    summary = (made[0] / "reports" / "summary.txt").read_text(encoding="utf-8")
    assert (tmp_path / "shown" / "summary.txt").read_text(encoding="utf-8") == summary
    assert table(summary) in readme.read_text(encoding="utf-8")
    picture = ElementTree.parse(tmp_path / "shown" / "front.svg").getroot()
    assert "CDM" in "".join(picture.itertext())
    assert "var(" not in ElementTree.tostring(picture, encoding="unicode")


def test_the_facts_of_a_run(made: tuple[Path, str]) -> None:
    done = run(
        [sys.executable, "-m", "benchmarks.lake_facts", "--lake", str(made[0]), "--profile", "toy"]
    )
    assert done.returncode == 0, done.stderr
    rows, seconds, methods = done.stdout.split("\n\n")
    assert re.search(r"^\| candidate_sets \| 80 \| 80 \|$", rows, re.MULTILINE)
    assert re.search(r"^\| label_candidates \| [\d.]+ \| [\d.]+ \|$", seconds, re.MULTILINE)
    assert re.search(r"^\| CDM - DCN \|", methods, re.MULTILINE)


def test_the_whole_profile_is_one(tmp_path: Path) -> None:
    text = re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1]
    (tmp_path / "my.toml").write_text(text, encoding="utf-8")
    assert load_profile(str(tmp_path / "my.toml")).fields.context == ("tab", "age")


def test_the_readme_names_both_commands() -> None:
    assert {"make run", "make test"} <= set(COMMANDS)


@pytest.fixture(scope="module")
def own(made: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Write a day of the toy world as somebody's raw files, type the README's commands."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "raw").mkdir()
    logs = read_day(made[0], "toy").to_pandas()
    logs = logs.astype({"label": "Int64", "shown_rank": "Int64"})
    of_item = ["item_id", "category", "brand"]
    logs[of_item].drop_duplicates().to_csv(folder / "raw" / "items.csv", index=False)
    dropped = ["category", "brand", "missed_positives", "derived"]
    broken, stray = broken_rows(logs)
    logs["score"] = logs["score"].map(repr)
    logs.loc[broken, "score"] = "inf"
    logs.loc[stray, "label"] = 1
    logs.drop(columns=dropped).to_csv(folder / "raw" / "log-2026-01-01.csv", index=False)
    printed = ""
    for command in OWN_LOGS:
        words = [re.sub(r"^(raw/|my)", rf"{folder}/\1", word) for word in shlex.split(command)]
        done = run(words)
        assert done.returncode == 0, done.stdout + done.stderr
        printed += done.stdout
    return folder, printed


def broken_rows(logs: pd.DataFrame) -> tuple[pd.Index, pd.Index]:
    """Return rows to break: scores that are none, and clicks on what nobody saw."""
    return logs.index[::400], logs.index[logs["exposed"] == 0][100:103]


def read_day(lake: Path, profile: str) -> pa.Table:
    """Return the logs of 2026-01-01."""
    tables = load_profile(profile).tables
    return Lake(lake, tables).partition("request_logs", date(2026, 1, 1)).read()


def test_your_own_logs_come_in_as_they_are(made: tuple[Path, str], own: tuple[Path, str]) -> None:
    names = ["request_id", "item_id", "user_id", "ts", "category", "score", "exposed", "label"]
    names += ["shown_rank", "brand"]
    by_key = [("request_id", "ascending"), ("item_id", "ascending")]
    mine = read_day(own[0] / "my-lake", str(own[0] / "my.toml")).select(names).sort_by(by_key)
    theirs = read_day(made[0], "toy").select(names).to_pandas()
    lost = [row for rows in broken_rows(theirs) for row in rows]
    whole = pa.Table.from_pandas(theirs.drop(index=lost), mine.schema, preserve_index=False)
    assert mine.to_pylist() == whole.sort_by(by_key).to_pylist()


def test_the_account_of_an_import_is_what_is_printed(own: tuple[Path, str]) -> None:
    shown = re.search(r"accounts for every source row:\n\n(( {4}.*\n)+)", README)[1]
    for line in shown.splitlines():
        assert f": {line[4:]}\n" in own[1]


def test_the_explained_request_is_told_as_it_is_printed(made: tuple[Path, str]) -> None:
    """Weights differ from machine to machine in their last bits, so numbers are not compared."""
    shown = re.search(r"<!-- explain -->\n```text\n(.*?)```", README, re.DOTALL)[1]
    flags = ["--lake", str(made[0]), "--date", "2026-01-02", "--profile", "toy"]
    request = shown.split()[1]
    done = run([sys.executable, "-m", "jobs.explain", *flags, "--request", request])
    assert done.returncode == 0, done.stderr
    assert words_of(shown) == words_of(done.stdout)


def words_of(page: str) -> list[str]:
    """Return what does not depend on the weights: the teacher's words and columns, the titles."""
    page = re.sub(r"\s+", " ", re.sub(r"\b([0-9a-f]{10,12}|\d+)\b", "#", page))
    parts = (
        r"request .*?lambda = #\.#",
        r"pick item .*?nearest",
        r"Not picked.*?:",
        r"Of its .*? f,",
    )
    return [re.search(part, page)[0] for part in parts]


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c not in OWN_LOGS and not c.startswith("make ")]
)
def test_every_other_command_runs(command: str, made: tuple[Path, str]) -> None:
    words = shlex.split(command.replace("--profile jingdong", "--profile toy"))
    words = [str(made[0]) if word == "lake" else word for word in words]
    done = run(words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
