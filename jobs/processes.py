"""Several processes of this machine that train one model: started by torchrun or by Spark.

Both launchers start `jobs.train_rank` with the flags of `jobs.train` and a folder to leave an error
in. The first error of any process ends all of them and becomes the command's one line.
"""

import contextlib
import io
import json
import logging
import os
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import torch.distributed as dist
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

import jobs
from jobs.errors import Died, Held, Refused
from jobs.spark_session import spark_session
from jobs.training_plan import DISTRIBUTORS
from model.distributed import Processes

RANK_MODULE = "jobs.train_rank"
FAILURE = "failure.json"
PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others in a step."""
LOOPBACK = "127.0.0.1"
KINDS = {kind.__name__: kind for kind in (Refused, Held, Died)}


def launch(distributor: str, processes: int, words: list[str]) -> None:
    """Train in several processes, `words` being the flags of jobs.train; raise their first error.

    Raises Refused, Held or Died with the line of the process that failed first.
    """
    with tempfile.TemporaryDirectory(prefix="train-") as folder:
        try:
            LAUNCHERS[distributor](processes, [folder, *words])
        except SignalException as stop:
            raise Died(f"{stop.sigval.name} stopped all {processes} processes") from stop
        # Of torchrun and of Spark.
        except (ChildFailedError, RuntimeError) as error:
            raise _first_failure(Path(folder)) from error


def _torchrun(processes: int, words: list[str]) -> None:
    # It tells of a failed process what this command says in one line.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        # Port 0 is a free one.
        rdzv_endpoint=f"{LOOPBACK}:0",
        local_addr=LOOPBACK,
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(log_dir=words[0], redirects=Std.ERR),
    )
    elastic_launch(config, sys.executable)("-m", RANK_MODULE, *words)


def _spark(processes: int, words: list[str]) -> None:
    from pyspark.ml.torch.distributor import TorchDistributor

    from jobs.train_rank import take_part

    # What it starts runs a file of its own, in whose folder our modules are not.
    path = os.pathsep.join(filter(None, [_code(), os.environ.get("PYTHONPATH")]))
    with (
        spark_session("train", None),
        _environment(PYTHONPATH=path, OMP_NUM_THREADS="1"),
        contextlib.redirect_stdout(_Said(sys.stdout)),
    ):
        TorchDistributor(num_processes=processes, local_mode=True, use_gpu=False).run(
            take_part, words
        )


LAUNCHERS: dict[str, Callable[[int, list[str]], None]] = dict(
    zip(DISTRIBUTORS, (_torchrun, _spark), strict=True)
)


def _code() -> str:
    """Return the folder that holds our packages."""
    return str(Path(jobs.__path__[0]).resolve().parent)


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Said(io.TextIOBase):
    """Lets the lines of the step through: Spark prints with them all that torchrun logs."""

    def __init__(self, out: io.TextIOBase) -> None:
        self._out = out

    def write(self, text: str) -> int:
        if text.startswith(("train ", "next: ")):
            self._out.write(text)
            self._out.flush()
        return len(text)


@contextlib.contextmanager
def joined(folder: Path) -> Iterator[Processes]:
    """Join the other processes that a launcher started; an error is left in the folder.

    The launcher tells each its rank, and all where they meet, by torch's environment variables.
    """
    try:
        # They are on one machine, and nobody else is to reach them.
        loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
        # First of all: who fails before the others have met him lets them wait.
        dist.init_process_group("gloo", timeout=PATIENCE)
        yield Processes(dist.get_rank(), dist.get_world_size())
    except BaseException as error:
        _leave(folder, error)
        raise
    else:
        dist.destroy_process_group()


def _leave(folder: Path, error: BaseException) -> None:
    """Write an error down unless there is one: the others fail because the first one did."""
    known = isinstance(error, (Refused, Held, Died))
    text = str(error) if known else f"{type(error).__name__}: {error}".splitlines()[0]
    # A broken connection says that another process is gone, but not why.
    if "gloo" in text and not known:
        return
    failure = {"kind": type(error).__name__ if known else Died.__name__, "text": text}
    with contextlib.suppress(FileExistsError), (folder / FAILURE).open("x") as out:
        json.dump(failure, out)


def _first_failure(folder: Path) -> Exception:
    try:
        failure = json.loads((folder / FAILURE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Died("a process of the training ended without a word; is there memory for them all?")
    return KINDS[failure["kind"]](failure["text"])
