"""A day that Airflow is running in another process: what its tasks print, and what becomes of them.

Its output, one JSON object a line, says what was printed and when; its database says which task ran
from when to when. Tasks run one after the other, so the two times tell whose a line is.
"""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

# What the other process prints at the end of a day, before the state of the run.
DAY_ENDED = "the day has ended: "
_FINISHED = frozenset({"success", "skipped", "failed", "upstream_failed", "removed"})
_TASKS = """
    select task_id, state, run_id, try_number, start_date, end_date from task_instance
    where state is not null and (dag_id, run_id) in
        (select dag_id, run_id from dag_run where dag_id = ? and run_after >= ?)
    order by end_date
"""


@dataclass(frozen=True)
class TaskNews:
    """A task that has started (`running`) or ended, and what its command printed."""

    task_id: str
    state: str
    seconds: float = 0.0
    output: list[str] = field(default_factory=list)


@dataclass
class _Line:
    """One line of the log, as it was written and as a person reads it."""

    raw: str
    at: datetime | None
    text: str
    printed_by_command: bool

    @classmethod
    def parsed(cls, raw: str) -> "_Line":
        try:
            record = json.loads(raw)
            at = datetime.fromisoformat(record["timestamp"])
        except (ValueError, TypeError, KeyError):
            return cls(raw, None, raw.rstrip("\n"), printed_by_command=False)
        text = str(record.get("event", ""))
        for error in record.get("exception") or []:
            text += "".join(
                f"\n    {f['filename']}:{f['lineno']} {f['name']}" for f in error["frames"]
            )
            text += f"\n  {error['exc_type']}: {error['exc_value']}"
        return cls(raw, at, text, str(record.get("logger", "")).endswith("SubprocessHook"))


class FollowedRun:
    """The finished tasks of one day, each told once, as it finishes."""

    def __init__(
        self, home: Path, dag_id: str, day: date, process: subprocess.Popen[bytes]
    ) -> None:
        """Have `process`, which runs dags.days_in_airflow, start the day."""
        self.log = home / f"run-{day}.log"
        self._home = home
        self._dag_id = dag_id
        self._process = process
        # Written as the database writes it, so that the two compare as text.
        self._since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        self._told: set[tuple[str, str]] = set()
        self._lines: list[_Line] = []
        self.succeeded = False
        with suppress(BrokenPipeError):
            process.stdin.write(f"{day}\n".encode())
            process.stdin.flush()

    def __iter__(self) -> Iterator[TaskNews]:
        """Yield each task's start and end, and keep the whole log."""
        with self.log.open("w") as log:
            for raw in self._process.stdout:
                text = raw.decode(errors="replace")
                if text.startswith(DAY_ENDED):
                    self.succeeded = text == f"{DAY_ENDED}success\n"
                    break
                line = _Line.parsed(text)
                log.write(f"{line.at:%H:%M:%S}  {line.text}\n" if line.at else f"{line.text}\n")
                log.flush()
                self._lines.append(line)
                # Only Airflow's own lines can follow a change of state.
                if not line.printed_by_command:
                    yield from self._news()
        yield from self._news()

    def rest(self) -> list[str]:
        """What was said since the last task ended: of use when no task is to blame."""
        return [text for line in self._lines for text in line.text.splitlines()]

    def _news(self) -> Iterator[TaskNews]:
        for task_id, state, run_id, try_number, start, end in self._tasks():
            if (task_id, state) in self._told or state not in {*_FINISHED, "running"}:
                continue
            self._told.add((task_id, state))
            if state == "running" or start is None or end is None:
                yield TaskNews(task_id, state)
                continue
            lines = self._lines_between(_utc(start), _utc(end))
            if lines:
                run = f"dag_id={self._dag_id}/run_id={run_id}"
                self._show_on_airflows_page(f"{run}/task_id={task_id}/attempt={try_number}", lines)
            yield _ended(task_id, state, lines)

    def _tasks(self) -> list[tuple]:
        database = f"{(self._home / 'airflow.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(database, uri=True)) as connection:
            return connection.execute(_TASKS, (self._dag_id, self._since)).fetchall()

    def _lines_between(self, start: datetime, end: datetime) -> list[_Line]:
        mine = [line for line in self._lines if line.at and start <= line.at <= end]
        self._lines = [line for line in self._lines if not line.at or line.at > end]
        return mine

    def _show_on_airflows_page(self, attempt: str, lines: list[_Line]) -> None:
        """Put the lines where Airflow's page looks for them; `dags test` writes no such file."""
        file = self._home / "logs" / f"{attempt}.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(line.raw for line in lines))


def _ended(task_id: str, state: str, lines: list[_Line]) -> TaskNews:
    """Time the command alone: the first task of a run would be charged for Airflow's own start."""
    command = [line for line in lines if line.printed_by_command]
    seconds = (command[-1].at - command[0].at).total_seconds() if command else 0.0
    # The hook writes its folder, the command line and "Output:" first, and the exit code last.
    said = command[3:] or lines
    output = [text for line in said for text in line.text.splitlines()]
    return TaskNews(task_id, state, seconds, output)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
