"""A training that is not over, on disk: its state after the last whole epoch; never a pickle.

    <folder>/<sha256 of the file>.safetensors    tensors, and the rest as JSON in the file's header

One file and one rename, so whenever a process is killed, a whole state is there or none; its name
tells whether it is still the file that was written.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from model.training_run import TrainingRun


class Unfinished:
    """The place of one training's state, of which a recipe tells whose it is."""

    def __init__(self, folder: Path, recipe: str, say: Callable[[str], None]) -> None:
        """Name the place; `recipe` is a digest of all that the weights are a function of."""
        self.folder, self.recipe, self.say = folder, recipe, say
        self.epoch = 0
        """The epoch after which the state was last kept; 0 before any was."""

    def keep(self, run: TrainingRun) -> None:
        """Write the state of a run; the one before it stays until this one is whole on disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        facts = json.dumps(run.facts() | {"recipe": self.recipe})
        staged = self.folder / f".{uuid.uuid4().hex}"
        try:
            save_file(run.tensors(), staged, metadata={"facts": facts})
        except SafetensorError as error:
            # As of any other file that cannot be written: a full disk, most likely.
            raise OSError(f"{staged} cannot be written ({error})") from error
        _to_disk(staged)
        kept = self.folder / f"{_digest(staged)}.safetensors"
        staged.replace(kept)
        _to_disk(self.folder)
        for other in self.folder.iterdir():
            if other != kept:
                other.unlink(missing_ok=True)
        self.epoch = run.number

    def restore(self, run: TrainingRun) -> None:
        """Bring a fresh run to the newest state that is whole and of this recipe; say so.

        Others are named and ignored; the next `keep` removes them.
        """
        newest = None
        for path in sorted(self.folder.glob("*.safetensors")):
            try:
                if _digest(path) != path.stem:
                    raise ValueError("its checksum is not the one in its name")
                with safe_open(path, framework="pt") as file:
                    facts = json.loads(file.metadata()["facts"])
                    if facts["recipe"] != self.recipe:
                        self.say(f"{path} is left of another training, and ignored")
                        continue
                    if newest is None or len(facts["history"]) > len(newest[1]["history"]):
                        newest = {name: file.get_tensor(name) for name in file.keys()}, facts
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                self.say(f"{path} is damaged ({error}), and ignored")
        if newest is None:
            return
        run.restore(*newest)
        self.epoch = run.number
        self.say(f"an earlier run was cut off; going on after its epoch {run.number}")

    def clear(self) -> None:
        """Remove the state; the training is over."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
