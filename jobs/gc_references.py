"""Which models the live tables of a lake name."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from jobs.lake import Lake
from jobs.manifest import FILE_NAME, Manifest
from jobs.published import pointer_folders
from model.layout import CONFIG

DECIDED = ("candidate_version", "previous_version", "promoted_version")
State = tuple[int, int]


class References:
    """The models named by pointers, labels, rankings, examples and promotions.

    Asking again reads only the pointers that were written since.
    """

    def __init__(self, lake: Lake) -> None:
        """Read nothing yet."""
        self.lake = lake
        self._read: dict[Path, tuple[State, frozenset[str]]] = {}

    def versions(self) -> set[str]:
        """Return every text that a live manifest or promotion holds, models among them.

        Refuses a damaged pointer: nobody knows what it names.
        """
        named: set[str] = set()
        for folder in pointer_folders(self.lake):
            path = folder / FILE_NAME
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            now = (state.st_mtime_ns, state.st_size)
            if self._read.get(path, (None,))[0] != now:
                self._read[path] = (now, frozenset(self._texts(folder)))
            named |= self._read[path][1]
        return named

    def _texts(self, folder: Path) -> Iterator[str]:
        live = Manifest.read(folder)
        if live is None:
            return
        yield live.digest
        yield from texts(live.inputs)
        yield from texts(live.parameters)
        if live.table == "promotions":
            day = date.fromisoformat(live.partition["dt"])
            versions = self.lake.partition(live.table, day).read(list(DECIDED))
            yield from texts(versions.to_pydict())

    def replaced(self, folder: Path) -> float:
        """Return when the day that a model was trained on got its pointer; 0 where it has none."""
        try:
            about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["about"]
            day = f"dt={date.fromisoformat(about['day'])}"
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0
        pointers = [self.lake.models / kind / day / FILE_NAME for kind in ("", "bootstrap")]
        return max((path.stat().st_mtime for path in pointers if path.is_file()), default=0.0)


def texts(value: object) -> Iterator[str]:
    """Yield every text in nested lists and tables."""
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts(one)
        case list() | tuple():
            for one in value:
                yield from texts(one)
