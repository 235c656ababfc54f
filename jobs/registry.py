"""Which model was trained on which day, and which one is promoted: the lake's models.

A trained day is a manifest at models/dt=<day>/ that names the version folder models/<version>/;
the bootstrap's base DCN stands at models/bootstrap/dt=<day>/. The promoted model of a day stands in
the promotions table, and in words for all days in models/HISTORY.txt.
"""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.decision import Decision, read_decisions
from jobs.errors import Refused
from jobs.lake import SAFE_VALUE, Lake, verified
from jobs.lease import Lease, held
from jobs.manifest import Manifest, code_version, describe, recipe_of
from model.layout import CONFIG, ITEMS

KNOWN = "known.parquet"
"""Of a version's item files, the one that its training left."""
NAMED = 5
"""Versions that are named where another is unknown."""
SEARCHED_DAYS = 366
"""How far back a model is looked for."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The models of a lake."""

    lake: Lake

    def _pointer(self, day: date, bootstrap: bool) -> Path:
        kind = self.lake.models / "bootstrap" if bootstrap else self.lake.models
        return kind / f"dt={day.isoformat()}"

    def trained(self, day: date, *, bootstrap: bool = False) -> Manifest | None:
        """Return the manifest of the model trained on a day, or None."""
        return Manifest.read(self._pointer(day, bootstrap))

    def trained_before(self, day: date) -> str | None:
        """Return the version of the newest model that never saw a day, or None."""
        for back in range(1, SEARCHED_DAYS + 1):
            found = self.trained(day - timedelta(days=back))
            if found is not None:
                return str(found.parameters["version"])
        return None

    def decisions(self, day: date) -> list[Decision]:
        """Return what was decided for a day, the decision in force last."""
        return read_decisions(self.lake.partition("promotions", day))

    def promoted(self, day: date) -> str | None:
        """Return the version that the day's decision promoted, or None without a decision."""
        partition = self.lake.partition("promotions", day)
        if partition.manifest() is None:
            return None
        # Decisions are written in their order. A column alone is read of older tables too.
        return partition.read(["promoted_version"])["promoted_version"][-1].as_py()

    def promoted_before(self, day: date) -> str | None:
        """Return the version promoted by the newest decision before a day, or None."""
        for back in range(1, SEARCHED_DAYS + 1):
            version = self.promoted(day - timedelta(days=back))
            if version is not None:
                return version
        return None

    def __contains__(self, version: str) -> bool:
        """Whether a version is there."""
        return bool(SAFE_VALUE.fullmatch(version)) and (self.lake.models / version).is_dir()

    def folder(self, version: str) -> Path:
        """Return the folder of a version; refuse one that is not there."""
        if version not in self:
            known = sorted(path.parent.name for path in self.lake.models.glob(f"*/{CONFIG}"))
            named = ", ".join(known[:NAMED]) + (", ..." if len(known) > NAMED else "")
            raise Refused(
                f"model version {version!r} is not in {self.lake.models}; there are "
                f"{named or 'none, so train one'}"
            )
        return self.lake.models / version

    def about(self, version: str) -> dict[str, Any]:
        """Return what a version was made from; refuse one whose configuration cannot be read."""
        return self._described(version)["about"]

    def is_base(self, version: str) -> bool:
        """Whether a version is a base DCN: the first day's stand-in, which has no student."""
        return self.about(version)["kind"] == "dcn"

    def student(self, version: str) -> str | None:
        """Return the name of a version's student; None for a base DCN."""
        described = self._described(version)
        if described["about"]["kind"] == "dcn":
            return None
        # Models of before there was a choice name none.
        return described["model"].get("student", "cdm")

    def trained_on(self, version: str) -> date:
        """Return the day whose examples a version learned from last."""
        return date.fromisoformat(self.about(version)["day"])

    def _described(self, version: str) -> dict[str, Any]:
        """Return a version's configuration; refuse one that cannot be read."""
        path = self.folder(version) / CONFIG
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
            return {"about": {**described["about"]}, "model": {**described["model"]}}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refused(f"{path} is damaged ({error}); train that model again") from error

    def item_files(self, version: str, day: date) -> list[Path]:
        """Return the files of item_id and e that labels of a day are made of.

        They are those of the items that the version was trained on, and of what the day brought:
        not of other days, so that no day's labels hang on which were labelled before.
        """
        brought = self._brought(version, day)
        return [self.trained_items(version), *([brought] if brought.exists() else [])]

    def _brought(self, version: str, day: date) -> Path:
        return self.folder(version) / ITEMS / f"dt={day.isoformat()}.parquet"

    def trained_items(self, version: str) -> Path:
        """Return the file of the items that the version was trained on."""
        return self.folder(version) / ITEMS / KNOWN

    def vectors(self, version: str, day: date, item_ids: pa.Array) -> pa.Array:
        """Return e of each of some items of a day, null for one that has no vector.

        Of all others nothing is kept; of an item that is there twice it is the first.
        """
        sought = pc.field("item_id").isin(item_ids)
        files = self.item_files(version, day)
        known = pa.concat_tables([pq.read_table(path, filters=sought) for path in files])
        at = pc.index_in(item_ids, value_set=known["item_id"].combine_chunks())
        return known["e"].combine_chunks().take(at)

    def add_items(self, version: str, day: date, items: pa.Table, lease: Lease) -> None:
        """Add the vectors of a day's items that the version was not trained on, atomically.

        A day that was imported again keeps what it alone brought before. Raises Held where the
        lease, that of what is made with these vectors, is lost.
        """
        path = self._brought(version, day)
        if path.exists():
            before = pq.read_table(path, schema=items.schema)
            is_gone = pc.invert(pc.is_in(before["item_id"], value_set=items["item_id"]))
            items = pa.concat_tables([items, before.filter(is_gone)])
        with lease.staged(path.name) as staged:
            pq.write_table(items, staged, compression="zstd")
        lease.move(path.name, path)

    @contextmanager
    def hold(self, day: date, step: str, *, bootstrap: bool) -> Iterator[Lease]:
        """Keep every other run from a day's model; raise Held where another is at work on it."""
        pointer = self._pointer(day, bootstrap)
        name = pointer.relative_to(self.lake.root).as_posix()
        with held(pointer, name, step) as lease:
            yield lease

    @contextmanager
    def attempt(self) -> Iterator[Path]:
        """Give a fresh folder to write a checkpoint into; nothing of it stays if the step fails."""
        folder = self.lake.models / f".attempt-{uuid.uuid4().hex[:12]}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield folder / "model"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def unfinished(self, day: date, *, bootstrap: bool) -> Path:
        """Return where the training of a day keeps its state until it is over."""
        kind = "bootstrap-" if bootstrap else ""
        return self.lake.models / ".unfinished" / f"{kind}{day.isoformat()}"

    def is_current(self, day: date, recipe: str, *, bootstrap: bool) -> bool:
        """Whether the day's model was made from exactly this, and is intact."""
        try:
            live = self.trained(day, bootstrap=bootstrap)
            if live is None or live.recipe != recipe:
                return False
            verified(self._pointer(day, bootstrap) / live.folder, live)
        except Refused:
            return False
        return True

    def publish(
        self,
        attempt: Path,
        version: str,
        day: date,
        lease: Lease,
        *,
        bootstrap: bool,
        step: str,
        inputs: dict[str, str],
        parameters: dict[str, Any],
        counts: dict[str, int | float | str],
    ) -> None:
        """Move a checkpoint to its version folder and make it the model of the day that is held.

        Raises Held where the lease is lost.
        """
        folder = self.lake.models / version
        self._move(attempt, folder)
        fixed = sorted(p for p in folder.rglob("*") if p.is_file() and ITEMS not in p.parts)
        Manifest(
            table="models",
            partition={"dt": day.isoformat()},
            folder=("../../" if bootstrap else "../") + version,
            rows=0,
            digest=version,
            fingerprint="",
            step=step,
            recipe=recipe_of(step, parameters, inputs),
            code=code_version(),
            parameters=parameters | {"version": version},
            inputs=inputs,
            counts=counts,
            files=tuple(describe(path, folder) for path in fixed),
        ).publish(lease, folder)

    def _move(self, attempt: Path, folder: Path) -> None:
        """Make a checkpoint a version; one that is there gets the same files, so is mended."""
        if not folder.is_dir():
            attempt.rename(folder)
            return
        for path in sorted(attempt.rglob("*")):
            place = folder / path.relative_to(attempt)
            if path.is_dir():
                place.mkdir(exist_ok=True)
            else:
                path.replace(place)
