"""No room to write: one line says so and what to do, and what was live is all there is."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DAYS, World
from examples_lake import ExamplesLake

from jobs import disk_full
from jobs.cli import FAILED

LIMITED = """
import resource, sys
from jobs.line import step_module
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.exit(step_module(sys.argv[1]).main(sys.argv[2:]))
"""


def run(world: World, step: str, *flags: str, limit: int | None = None):
    where = ["--lake", str(world.root), "--profile", world.profile_name, "--date", str(DAYS[0])]
    script = ["-c", LIMITED.format(limit=limit), step] if limit else ["-m", f"jobs.{step}"]
    command = [sys.executable, *script, *where, *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def everything(world: World) -> set[str]:
    return {str(path.relative_to(world.root)) for path in world.root.rglob("*") if path.is_file()}


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A folder on a disk of 256 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    try:
        is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        pytest.skip("only root may mount a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_keeps_what_was_live(small_disk):
    world = World(small_disk / "lake")
    assert run(world, "simulate_logs").returncode == 0
    before, files = world.manifests(), everything(world)
    filler = small_disk / "filler"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize
    filler.write_bytes(b"x" * (free - 16_384))
    done = run(world, "simulate_logs", "--requests", "90")
    assert done.returncode == FAILED
    assert done.stderr.startswith("simulate_logs: failed: no space is left on the disk")
    assert f" MB of {world.root} and " in done.stderr
    assert f"python -m jobs.gc --lake {world.root} --profile " in done.stderr
    assert done.stderr.endswith("then run the step again; nothing is half published\n")
    assert done.stderr.count("\n") == 1
    assert world.manifests() == before
    assert everything(world) == files
    filler.unlink()
    assert run(world, "simulate_logs", "--requests", "90").returncode == 0
    assert {live.counts["requests"] for live in world.manifests().values()} == {90}


@pytest.mark.parametrize("limit", [64, 8192])
def test_a_limit_on_files_is_told_as_one(tmp_path, limit):
    world = World(tmp_path / "lake")
    done = run(world, "simulate_logs", limit=limit)
    assert done.returncode == FAILED
    assert "a file would be larger than this process may write (see ulimit -f)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not world.root.exists() or everything(world) == set()


def test_a_model_that_cannot_be_written_leaves_the_pointer_alone(tmp_path):
    lake = ExamplesLake(tmp_path / "lake")
    lake.put_examples()
    assert run(lake, "train").returncode == 0
    before, files = lake.manifests(), everything(lake)
    done = run(lake, "train", "--force", limit=2048)
    assert done.returncode == FAILED
    assert "a file would be larger than this process may write (see ulimit -f)" in done.stderr
    assert lake.manifests() == before
    assert everything(lake) == files


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("o.write. : java.io.IOException: No space left on device\n at x"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (RuntimeError("no"), False),
    ],
)
def test_errors_about_room_are_known_in_every_engines_words(tmp_path, error, full):
    said = disk_full.told(error, tmp_path)
    assert (said is not None) is full
    if full and getattr(error, "filename", None):
        assert " for /x/y; " in said
