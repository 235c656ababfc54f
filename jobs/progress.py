"""How far a long step is: a bar where somebody watches, a line now and then where a log is kept."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

LOG_SECONDS, DRAW_SECONDS = 10.0, 0.1
ERASE = "\r\x1b[K"
WIDEST_BAR = 40


class Progress:
    """The progress of one step; nothing is told of a step that is over in a few seconds."""

    def __init__(
        self,
        title: str,
        say: Callable[[str], None],
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tell logs by `say`; on a terminal `title` stands before the bar."""
        self._title, self._say, self._clock = title, say, clock
        self._out = sys.stdout if out is None else out
        self._began: tuple[int, float] | None = None
        self._told, self._is_drawn = 0.0, False

    def show(self, done: int, total: int, unit: str) -> None:
        """Tell that so many of all are done, and how long the rest will take at this run's pace."""
        now = self._clock()
        if self._began is None:
            # A training that goes on from an earlier run did not do what was done before.
            self._began, self._told = (done, now), now
            return
        is_watched = self._out.isatty()
        if now - self._told < (DRAW_SECONDS if is_watched else LOG_SECONDS):
            return
        self._told = now
        first, began = self._began
        left = (now - began) / max(done - first, 1) * (total - done)
        told = f"{done:,} of {total:,} {unit}, about {left:.0f} s left"
        if is_watched:
            self._draw(done / total, told)
        else:
            self._say(told)

    def clear(self) -> None:
        """Take the bar away before anything else is printed."""
        if self._is_drawn:
            self._out.write(ERASE)
            self._out.flush()
            self._is_drawn = False

    def _draw(self, share: float, told: str) -> None:
        room = shutil.get_terminal_size().columns - len(self._title) - len(told) - len(" []  ")
        width = min(WIDEST_BAR, room)
        full = round(width * share)
        bar = f"[{'#' * full}{'.' * (width - full)}] " if width >= len("[....]") else ""
        self._out.write(f"{ERASE}{self._title} {bar}{told}")
        self._out.flush()
        self._is_drawn = True
