"""Write, audit, publish: a step's output becomes visible whole, by one rename, or not at all."""

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.audit import FileAudit, audit_file, audit_whole
from jobs.errors import Refused
from jobs.lake import Partition, verified
from jobs.lease import Lease, held
from jobs.manifest import Manifest, code_version, describe, recipe_of
from jobs.parquet_file import write_parquet
from schemas.arrow import fingerprint


class Publication:
    """One step's output partition, from the question whether it is needed to its publication."""

    def __init__(
        self,
        partition: Partition,
        *,
        step: str,
        inputs: dict[str, str],
        parameters: dict[str, Any],
        lease: Lease | None = None,
    ) -> None:
        """Remember what the output is a function of: inputs by digest, and parameters.

        Whoever has to hold the partition before that is known gives the lease.
        """
        self.partition, self.step = partition, step
        self._lease = lease
        self.inputs, self.parameters = inputs, parameters
        self.recipe = recipe_of(step, parameters, inputs)

    def is_current(self) -> bool:
        """Whether the live version was made from exactly these inputs, and is intact."""
        try:
            live = self.partition.manifest()
            if live is None or live.recipe != self.recipe:
                return False
            verified(self.partition.path / live.folder, live)
        except Refused:  # damaged: the very case in which a rerun has to make it again
            return False
        return True

    @contextmanager
    def hold(self) -> Iterator[Lease]:
        """Keep every other run from the partition; within another `hold` it changes nothing.

        Raises Held where another run is at work there.
        """
        if self._lease is not None:
            yield self._lease
            return
        with held(self.partition.path, self.partition.name, self.step) as self._lease:
            try:
                yield self._lease
            finally:
                self._lease = None

    @contextmanager
    def attempt(self) -> Iterator[Path]:
        """Hold the partition and give a fresh version folder.

        It is removed again if the step fails before publishing it.
        """
        with self.hold():
            folder = self.partition.path / f"v={uuid.uuid4().hex[:12]}"
            folder.mkdir()
            try:
                yield folder
            except BaseException:
                if not self._is_live(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                raise

    def _is_live(self, folder: Path) -> bool:
        try:
            live = self.partition.manifest()
        except Refused:  # A damaged pointer names nothing.
            return False
        return live is not None and live.folder == folder.name

    def publish(
        self,
        folder: Path,
        counts: dict[str, int | float | str],
        rows: int | None = None,
        audits: list[FileAudit] | None = None,
    ) -> Manifest:
        """Audit the folder, then make it the live version.

        `rows` is what the step says it wrote; another number found is an error of the step. Files
        that were audited where they were written, on other machines, are not read again.
        """
        for leftover in [*folder.rglob("_SUCCESS"), *folder.rglob(".*.crc")]:
            leftover.unlink()
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        data = [path for path in sorted(folder.glob("*.parquet")) if not path.name.startswith("_")]
        table, name = self.partition.table, self.partition.name
        if audits is None:
            audits = [audit_file(path, table, name) for path in data]
        elif sorted(audit.path for audit in audits) != data:
            raise RuntimeError(f"{name}: the files that were audited are not those that are there")
        digest = audit_whole(audits, table, name)
        if rows is not None and digest.rows != rows:
            raise RuntimeError(f"{name}: wrote {digest.rows} rows, expected {rows}")
        manifest = Manifest(
            table=table.name,
            partition=dict(self.partition.keys),
            folder=folder.name,
            rows=digest.rows,
            digest=digest.hexdigest(),
            fingerprint=fingerprint(table),
            step=self.step,
            recipe=self.recipe,
            code=code_version(),
            parameters=self.parameters,
            inputs=self.inputs,
            counts=counts,
            files=tuple(describe(path, folder) for path in files),
        )
        with self.hold() as lease:
            manifest.publish(lease, folder)
        return manifest

    def publish_rows(
        self, batches: Iterable[pa.RecordBatch | pa.Table], counts: dict[str, int | float | str]
    ) -> Manifest:
        """Write batches to one parquet file, audit and publish them."""
        with self.attempt() as folder:
            write_parquet(folder / "part-0.parquet", self.partition.table, batches)
            return self.publish(folder, counts)


@contextmanager
def hold_all(publications: Iterable[Publication]) -> Iterator[None]:
    """Hold what a step is going to publish, all of it before it begins; raise Held otherwise."""
    with ExitStack() as leases:
        for publication in publications:
            leases.enter_context(publication.hold())
        yield
