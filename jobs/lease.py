"""The lease of a folder that steps publish into: one at a time is at work there, and says so.

    <folder>/.lease/<token>/holder.json    who; and beside it what he is about to publish

What is published is first written into the folder that is named for the holder's token and renamed
from there. Who takes a lapsed lease over renames that folder away and empties it, so the other's
rename finds nothing: nobody looks first and publishes later. A lease lapses when its process is
dead, or was not heard of for a while.

Assumed of the file system: a rename is whole or not at all, one of a folder replaces an empty one
and no other, and all modification times are of one clock. So it is on local disks and on NFS.
"""

import errno
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from jobs.errors import Held
from jobs.lease_holder import Holder
from jobs.whole_file import to_disk, write_to_disk

LEASE, HOLDER = ".lease", "holder.json"
LASTS_SECONDS = 180.0
"""How long a holder is waited for who is not heard of. A suspended one loses its work, no rows."""
RENEWED_SECONDS = 30.0
OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST)


class Seat(NamedTuple):
    """The place of a holder in a folder's lease."""

    path: Path
    holder: Holder | None
    """None where it cannot be read."""
    heard: float
    """When the holder was last heard of, by the file system's clock; seconds since 1970."""

    def is_lapsed(self, now: float) -> bool:
        """Whether nobody is at work there any more."""
        return now - self.heard > LASTS_SECONDS or (
            self.holder is not None and self.holder.is_dead()
        )


def seats(folder: Path) -> list[Seat]:
    """Return who holds a folder: nobody or one."""
    found = []
    try:
        for path in sorted((folder / LEASE).iterdir()):
            holder, heard = None, path.stat().st_mtime
            try:
                heard = (path / HOLDER).stat().st_mtime
                holder = Holder.read((path / HOLDER).read_text(encoding="utf-8"))
            except (FileNotFoundError, ValueError, TypeError):  # A power cut may leave it so.
                pass
            found.append(Seat(path, holder, heard))
    except FileNotFoundError:  # Given back meanwhile.
        return found
    return found


def is_held(folder: Path) -> bool:
    """Whether a step is at work in a folder, by this machine's clock."""
    return any(not seat.is_lapsed(time.time()) for seat in seats(folder))


class Lease:
    """This process's hold on a folder."""

    def __init__(self, folder: Path, name: str, holder: Holder) -> None:
        """Take nothing yet; `name` is what messages call the folder."""
        self.folder, self.name, self.holder = folder, name, holder
        self._token = uuid.uuid4().hex[:12]
        self.seat = folder / LEASE / self._token
        """Where what is to be published is written first."""
        self._aside = folder / f"{LEASE}-{self._token}"
        self._over = threading.Event()

    def take(self) -> None:
        """Take the folder, from nobody or from one who is gone; raise Held where one is not."""
        own = self._aside / self._token / HOLDER
        own.parent.mkdir(parents=True)
        try:
            own.write_text(self.holder.to_text(), encoding="utf-8")
            while not self._sit_down():
                self._make_way(now=own.stat().st_mtime)
        except BaseException:
            shutil.rmtree(self._aside, ignore_errors=True)
            raise
        threading.Thread(target=self._renew, daemon=True).start()

    def _sit_down(self) -> bool:
        try:
            self._aside.rename(self.folder / LEASE)
        except OSError as error:
            if error.errno in OCCUPIED:
                return False
            raise
        return True

    def _make_way(self, now: float) -> None:
        for seat in seats(self.folder):
            if not seat.is_lapsed(now):
                raise Held(
                    f"{self.name} is held by {seat.holder or 'a step that cannot be read'}; let "
                    f"it end or stop it, and run this again (a holder that is not heard of for "
                    f"{LASTS_SECONDS / 60:.0f} minutes counts as gone)"
                )
            taken = self.folder / f"{LEASE}-{self._token}-taken"
            try:
                seat.path.rename(taken)
            except FileNotFoundError:  # Another was faster.
                continue
            _empty(taken)

    def _renew(self) -> None:
        while not self._over.wait(RENEWED_SECONDS):
            try:
                os.utime(self.seat / HOLDER)
            except FileNotFoundError:
                return
            except OSError:  # The file system may be back the next time.
                continue

    def publish(self, name: str, text: str, into: Path | None = None) -> None:
        """Put a file into the folder, or into another that goes with it, whole and for good.

        Raise Held where the lease is lost.
        """
        # By another name: a pointer is found by its own, wherever it is.
        with self.staged(f"{name}.part") as path:
            write_to_disk(path, text)
        self.move(f"{name}.part", (into or self.folder) / name)

    @contextmanager
    def staged(self, name: str) -> Iterator[Path]:
        """Give where a file is written first; raise Held where the lease is lost."""
        try:
            yield self.seat / name
        except FileNotFoundError as lost:
            raise self._lost() from lost

    def move(self, name: str, target: Path) -> None:
        """Put a staged file where it belongs, for good; raise Held where the lease is lost."""
        with self.staged(name) as path:
            path.replace(target)
        to_disk(target.parent)

    def _lost(self) -> Held:
        return Held(
            f"{self.name} was taken over by another run while this one, begun "
            f"{self.holder.since}, was not heard of; what this one made is not published. Run it "
            "again if the other did not end well"
        )

    def give_back(self) -> None:
        """Let the next one in; a folder into which nothing came goes again."""
        self._over.set()
        try:
            self.seat.rename(self._aside)
        except FileNotFoundError:  # Lost.
            return
        shutil.rmtree(self._aside, ignore_errors=True)
        with suppress(OSError):  # The next one is there already, or something is in the folder.
            (self.folder / LEASE).rmdir()
            self.folder.rmdir()


@contextmanager
def held(folder: Path, name: str, step: str) -> Iterator[Lease]:
    """Hold a folder, made where it is not there; raise Held where another does."""
    folder.mkdir(parents=True, exist_ok=True)
    lease = Lease(folder, name, Holder.this_process(step))
    lease.take()
    try:
        yield lease
    finally:
        lease.give_back()


def _empty(folder: Path) -> None:
    """Remove a folder that its former owner may still be writing into."""
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in OCCUPIED:
                raise
