"""A day's logs that arrive again: what happens by itself, what is stale, what brings it right.

The lake that has seen two deliveries ends with the very rows of one that saw only the second.
"""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import DAYS, World

from jobs import line, status
from jobs.line import step_module
from jobs.validate import WRITES as OF_VALIDATION

pytestmark = pytest.mark.usefixtures("spark")
FIRST, SECOND = DAYS[:2]
SOURCE = """
[source]
kind = "files"
path = "{raw}"
max_quarantined = 0.1

[source.logs]
files = "days/log-{{date}}.parquet"

[source.logs.columns]
request_id = "request_id"
user_id = "user_id"
ts = "ts"
item_id = "item_id"
category = "category"
brand = "brand"
query = "query"
score = "score"
exposed = "exposed"
shown_rank = "shown_rank"
label = "label"
"""


def profile_of(folder: Path) -> Path:
    """Write the toy profile with files for its source."""
    shipped = Path(line.__file__).with_name("profiles") / "toy.toml"
    text = shipped.read_text(encoding="utf-8")
    simulated = '[source]\nkind = "simulated"\n'
    assert simulated in text
    path = folder / "files.toml"
    path.write_text(text.replace(simulated, SOURCE.format(raw=folder / "raw")), encoding="utf-8")
    return path


def delivery(rows: pa.Table, requests: int, bad: int) -> pa.Table:
    """Return the rows of some requests, and among them so many with a score that is none."""
    names = rows["request_id"].unique().sort()[:requests]
    rows = rows.filter(pc.is_in(rows["request_id"], names)).drop(["missed_positives", "derived"])
    score = rows["score"].to_numpy().copy()
    unshown = np.flatnonzero(rows["exposed"].to_numpy() == 0)
    score[unshown[:bad]] = np.nan
    return rows.set_column(rows.column_names.index("score"), "score", pa.array(score))


class Shop:
    """Deliveries of two days, and a lake that they are brought into."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.raw = folder / "raw" / "days"
        self.raw.mkdir(parents=True)
        self.world = World(folder / "lake", profile_of(folder))
        self.flags = ["--lake", str(self.world.root), "--profile", self.world.profile_name]

    def deliver(self, day, rows: pa.Table) -> None:
        pq.write_table(rows, self.raw / f"log-{day}.parquet")

    def line(self, days: int) -> int:
        return line.main([*self.flags, "--date", str(FIRST), "--days", str(days)])

    def status(self, capsys, *flags: str) -> str:
        capsys.readouterr()
        assert status.main([*self.flags, *flags]) == 0
        return capsys.readouterr().out

    def commands(self, page: str) -> list[list[str]]:
        """Return the commands that the page ends with, as a shell splits them."""
        named = re.findall(r"^  python -m jobs\.(.*)$", page, re.MULTILINE)
        return [shlex.split(text) for text in named]

    def digests(self) -> dict[str, tuple[str, int]]:
        return {n: (live.digest, live.rows) for n, live in self.world.manifests().items()}


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> dict:
    simulated = World(tmp_path_factory.mktemp("simulated") / "lake")
    for day in (FIRST, SECOND):
        assert simulated.run("simulate_logs", day) == 0
    return {day: simulated.partition("request_logs", day).read() for day in (FIRST, SECOND)}


def test_a_day_delivered_twice_ends_as_if_only_the_second_had_come(tmp_path, logs, capsys):
    shop, once = Shop(tmp_path / "twice"), Shop(tmp_path / "once")
    world = shop.world
    early, late = delivery(logs[FIRST], 70, bad=3), delivery(logs[FIRST], 80, bad=7)
    shop.deliver(FIRST, early)
    shop.deliver(SECOND, delivery(logs[SECOND], 80, bad=2))
    assert shop.line(2) == 0
    accounts(world, early, 3)
    assert "Nothing is stale." in shop.status(capsys)
    before = shop.digests()

    # Delivered again: nothing happens by itself, and who asks is told.
    shop.deliver(FIRST, late)
    assert "Nothing is stale." in shop.status(capsys)
    page = shop.status(capsys, "--source")
    assert f"because raw file {shop.raw / f'log-{FIRST}.parquet'} was delivered again" in page
    (command,) = shop.commands(page)
    assert command == [
        "line", *shop.flags, "--date", str(FIRST), "--days", "2",
    ]  # fmt: skip

    # Brought in again: a new version of that day, and what came of the old one is stale.
    for day in (FIRST, SECOND):
        assert world.run("ingest", day) == 0
    printed = capsys.readouterr().out
    assert f"unchanged: request_logs/dt={SECOND} holds" in printed
    accounts(world, late, 7)
    now = shop.digests()
    changed = {name for name, digest in now.items() if digest != before[name]}
    assert changed == {f"{t}/dt={FIRST}" for t in ("request_logs", "quarantine", "reference_items")}
    page = shop.status(capsys)
    stale = page.partition("\nStale: ")[2]
    for day in (FIRST, SECOND):
        tables = re.search(rf"^  {day}: (.*)$", stale, re.MULTILINE)[1].split(", ")
        assert {"promotions", "teacher_labels", "examples", "models"} <= set(tables)
    assert stale.count(f"request_logs/dt={FIRST} was made again") == 2
    (command,) = shop.commands(page)
    assert command[-2:] == ["--from", "build_candidates"]

    # A later step refuses the old labels instead of making them anew.
    assert world.run("build_candidates", FIRST) == 0
    assert world.run("build_examples", SECOND) == 2
    refused = capsys.readouterr().err
    assert f"of other candidates than candidate_sets/dt={FIRST} holds now" in refused
    assert "label the day again: python -m jobs.label_candidates" in refused
    untouched = {n for n in before if n.startswith(("teacher_labels", "unlabelled", "examples"))}
    assert {name: shop.digests()[name] for name in untouched} == {n: before[n] for n in untouched}

    # What the page says brings all of it up to date.
    step, *flags = command
    assert step_module(step).main(flags) == 0
    page = shop.status(capsys)
    assert "Nothing is stale." in page
    for day, rows in ((FIRST, late), (SECOND, delivery(logs[SECOND], 80, bad=2))):
        once.deliver(day, rows)
    assert once.line(2) == 0
    found, wanted = shop.digests(), once.digests()
    # Of tables with several versions of labels each one is validated.
    judged = {name for name in wanted if name.partition("/")[0] not in OF_VALIDATION}
    assert {name: found[name] for name in judged} == {name: wanted[name] for name in judged}
    left = found.keys() - wanted.keys()
    assert left
    for name in left:
        assert re.search(rf"^  {re.escape(name)}/v=.* superseded: model ", page, re.MULTILINE)

    # The same bytes once more change nothing.
    files = world.files()
    shop.deliver(FIRST, late)
    assert world.run("ingest", FIRST) == 0
    assert world.files() == files

    # Nor does a quarantine that was cleared away bring the day in again.
    shutil.rmtree(world.partition("quarantine", FIRST).path)
    files = world.files()
    assert world.run("ingest", FIRST) == 0
    assert world.files() == files


def accounts(world: World, rows: pa.Table, bad: int) -> None:
    """Check that the first day's rows in are rows out and rows in quarantine, by every count."""
    live = world.partition("request_logs", FIRST).manifest()
    lost = world.partition("quarantine", FIRST).manifest()
    assert (live.rows, lost.rows) == (rows.num_rows - bad, bad)
    counts = live.counts
    assert counts["source_rows"] == rows.num_rows
    assert counts["source_rows_used"] + counts["source_rows_quarantined"] == rows.num_rows
    assert counts["quarantined: score is NaN or infinite"] == bad
