"""What a lake shows after a kill, and whether it is what an undisturbed run would have left."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs.digest import ContentDigest
from jobs.errors import Refused
from jobs.lake import verified
from jobs.manifest import FILE_NAME, Manifest
from model.checkpoint import version_of

VERSION = re.compile(r"v=[0-9a-f]{12}")
BY_JVM = ("build_examples", "import_logs")
"""Their parquet files are written by Spark's JVM, which names the encodings of a column in an order
that is another in every process: the same rows in as many bytes, with another checksum."""
STILL, NEW, NONE = "old", "new", "none"
Shown = dict[str, Any]


def shown(root: Path) -> Shown:
    """Return all that a reader of the lake can find, by its name.

    Of a partition it is the manifest without what is drawn by chance, the name of the version
    folder first of all; of pages, the history and the models' vectors it is the checksum.
    """
    found: Shown = {}
    for path in pointers(root):
        found[path.parent.relative_to(root).as_posix()] = shown_one(path)
    pages = (root / "reports").glob("[!.]*.*")
    vectors = (root / "models").glob("[!.]*/items.parquet/[!.]*")
    for path in [*pages, *vectors, *(root / "models").glob("HISTORY.txt")]:
        found[path.relative_to(root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def broken(root: Path, untouched: Shown) -> list[str]:
    """Return what is wrong with any live version: damaged, rows lost or doubled, a stray file.

    Rows are read again where the pointer is not the one that was there before.
    """
    wrong = []
    for path in pointers(root):
        name = path.parent.relative_to(root).as_posix()
        try:
            live = Manifest.read(path.parent)
            folder = path.parent / live.folder
            data = verified(folder, live)
        except (Refused, OSError) as error:
            wrong.append(f"{name}: {error}")
            continue
        if live.table == "models":
            if version_of(folder) != folder.name:
                wrong.append(f"{name}: the model is not the one of its version")
            continue
        if len([one for one in folder.rglob("*") if one.is_file()]) != len(live.files):
            wrong.append(f"{name}: the live folder holds files that its manifest does not name")
        if shown_one(path) != untouched.get(name):
            digest = ContentDigest()
            for one in data:
                for batch in pq.ParquetFile(one).iter_batches():
                    digest.update(batch)
            if (digest.rows, digest.hexdigest()) != (live.rows, live.digest):
                wrong.append(f"{name}: the rows are not those of its manifest")
    return wrong


def pointers(root: Path) -> list[Path]:
    """Return every pointer that a reader may come to."""
    found = sorted(root.rglob(FILE_NAME))
    return [path for path in found if not any(p[0] == "." for p in path.relative_to(root).parts)]


def shown_one(path: Path) -> Shown:
    """Return one pointer as `shown` does."""
    return _comparable(json.loads(path.read_text(encoding="utf-8")))


def _comparable(made: Shown) -> Shown:
    made = dict(made)
    if made["table"] != "models":
        made.pop("folder", None)
    if made["step"] in BY_JVM:
        made["files"] = [{**file, "sha256": ""} for file in made["files"]]
    return made


def visible(found: Shown, before: Shown, after: Shown) -> tuple[dict[str, str], list[str]]:
    """Return which version is seen of each thing that the step makes, and what is of neither."""
    seen, wrong = {}, []
    for name in sorted({*found, *before, *after}):
        one, old, new = found.get(name), before.get(name), after.get(name)
        if one not in (old, new):
            wrong.append(f"{name} is neither what it was nor what it is to be")
        elif old != new:
            seen[name] = NEW if one == new else STILL if one is not None else NONE
    return seen, wrong


def differences(found: Shown, wanted: Shown) -> list[str]:
    """Return the names of what is not as an undisturbed run leaves it."""
    names = sorted({*found, *wanted})
    return [f"{name} differs" for name in names if found.get(name) != wanted.get(name)]


def files(root: Path) -> Counter[str]:
    """Return how often each file is there, whatever its version folder is called."""
    every = (path for path in root.rglob("*") if path.is_file())
    return Counter(VERSION.sub("v=*", path.relative_to(root).as_posix()) for path in every)
