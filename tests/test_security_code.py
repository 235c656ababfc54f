"""No code of this project runs what data say: no shell, no eval, no pickle; servers stay inside."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("jobs", "model", "schemas", "dags", "benchmarks")
RUNS_TEXT = frozenset({"eval", "exec", "compile", "__import__"})
UNPICKLES = frozenset({"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib"})
SHELLS = frozenset(
    {
        "os.system",
        "os.popen",
        "os.spawnl",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "asyncio.create_subprocess_shell",
        "pty.spawn",
    }
)
LOADS = frozenset(
    {"yaml.load", "torch.load", "torch.jit.load", "torch.export.load", "torch.hub.load"}
)
UNSAFE_NAMES = frozenset({"tempfile.mktemp"})


def dotted(node: ast.AST) -> str:
    """Return a.b.c of such an expression, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def known_as(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for, such as run: subprocess.run."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname or a.name.partition(".")[0]: a.asname and a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return {name: meant for name, meant in names.items() if meant}


def is_constant(call: ast.Call, keyword: str, *values: object) -> bool:
    """Whether a keyword is not given, or is one of these constants."""
    given = [k.value for k in call.keywords if k.arg == keyword]
    return not given or (isinstance(given[0], ast.Constant) and given[0].value in values)


def imported(node: ast.AST) -> set[str]:
    """Return the top modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {a.name.partition(".")[0] for a in node.names}
    return {(node.module or "").partition(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def unsafe(source: str) -> Iterator[str]:
    """Yield each place of a Python source that could run what data say, and why."""
    tree = ast.parse(source)
    names = known_as(tree)
    for node in ast.walk(tree):
        for module in imported(node) & UNPICKLES:
            yield f"{node.lineno}: imports {module}"
        if not isinstance(node, ast.Call):
            continue
        first, _, rest = dotted(node.func).partition(".")
        called = ".".join(filter(None, (names.get(first, first), rest)))
        if called in RUNS_TEXT | SHELLS | UNSAFE_NAMES:
            yield f"{node.lineno}: calls {called}"
        if called in LOADS:
            given = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            if called != "torch.load" or given.get("weights_only") is not True:
                yield f"{node.lineno}: calls {called}, which unpickles"
        if not is_constant(node, "shell", False):
            yield f"{node.lineno}: starts a shell"
        if not is_constant(node, "allow_pickle", False):
            yield f"{node.lineno}: allows pickles"


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_runs_what_data_say(folder):
    sources = sorted((ROOT / folder).rglob("*.py"))
    assert sources
    found = [
        f"{path.relative_to(ROOT)}:{problem}"
        for path in sources
        for problem in unsafe(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "exec(text)",
        "import os\nos.system(f'rm {name}')",
        "from os import popen as p\np(name)",
        "import subprocess\nsubprocess.run(name, shell=True)",
        "import subprocess as s\ns.Popen(name, shell=is_text)",
        "from subprocess import getoutput\ngetoutput(name)",
        "import pickle",
        "from joblib import load",
        "import yaml\nyaml.load(text)",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch as t\nt.export.load(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import tempfile\ntempfile.mktemp()",
    ],
)
def test_what_it_looks_for_is_found(source):
    assert list(unsafe(source))


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile('a')",
        "import torch\ntorch.load(path, weights_only=True)",
        "import numpy as np\nnp.load(path, mmap_mode='r')",
        "import subprocess\nsubprocess.run(['java', '-version'])",
        "import ast\nast.literal_eval(text)",
    ],
)
def test_what_is_harmless_is_not(source):
    assert list(unsafe(source)) == []


# --- what is started listens to this machine alone


def test_airflows_page_is_served_to_this_machine_alone():
    """Wherever a command that serves is written, in code or prose, it names the address."""
    named = re.compile(r"(?:airflow[\"']?,? +)?[\"']?\bapi-server\b[^\n]*")
    texts = [*(ROOT / "dags").rglob("*.py"), ROOT / "Makefile", ROOT / "README.md"]
    served = [(path.name, hit) for path in texts for hit in named.findall(path.read_text())]
    assert served, "nobody says how Airflow's page is opened"
    assert [one for one in served if "--host 127.0.0.1" not in one[1]] == []
    for path in texts:
        text = path.read_text()
        assert not re.search(r"airflow[\"', ]+(standalone|webserver)", text), path
        assert "0.0.0.0" not in text, path


def started(source: str) -> Iterator[list[str]]:
    """Yield the words of each list that is written in a Python source, such as a command's."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.List | ast.Tuple):
            yield [one.value for one in node.elts if isinstance(one, ast.Constant)]


def open_to_others(words: list[str]) -> bool:
    """Whether a command of Airflow's listens to more than this machine.

    The servers of logs, which a scheduler and a triggerer start, know no address to listen to.
    """
    if {"scheduler", "triggerer"} & {*words} and "--skip-serve-logs" not in words:
        return True
    is_page = "api-server" in words
    return "standalone" in words or (is_page and not {"--host", "127.0.0.1"} <= {*words})


@pytest.mark.parametrize("folder", ["dags", "tests", "benchmarks"])
def test_no_process_of_airflow_is_started_for_others(folder):
    sources = [path for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    found = [(p.name, words) for p in sources for words in started(p.read_text(encoding="utf-8"))]
    assert [one for one in found if open_to_others(one[1])] == []


def test_a_process_for_others_is_found():
    assert open_to_others(["airflow", "scheduler"])
    assert open_to_others(["airflow", "triggerer"])
    assert open_to_others(["airflow", "standalone"])
    assert open_to_others(["airflow", "api-server", "--port", "8080"])
    assert not open_to_others(["airflow", "api-server", "--host", "127.0.0.1"])
    assert not open_to_others(["airflow", "scheduler", "--skip-serve-logs"])


def test_airflows_own_settings_leave_no_address_open(tmp_path):
    from dags.embedded_airflow import EmbeddedAirflow

    command = EmbeddedAirflow(tmp_path / "a home; touch x").page_command()
    assert command.endswith(" api-server --host 127.0.0.1")
    assert command.startswith(f"AIRFLOW_HOME='{tmp_path}/a home; touch x' ")


def test_spark_on_one_machine_listens_to_it_alone(spark):
    settings = dict(spark.sparkContext.getConf().getAll())
    assert settings["spark.driver.bindAddress"] == settings["spark.driver.host"] == "127.0.0.1"
    assert settings["spark.ui.enabled"] == "false"
