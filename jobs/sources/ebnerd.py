"""The EB-NeRD folder (Ekstra Bladet news, RecSys 2024): impressions, history, article facts.

behaviors.parquet has one impression a row: the items that one user was shown on one page, and those
of them that were clicked. Read times, scroll depths and `next_*` become known only after the
request, so they are not even read. The order of `article_ids_inview` was shuffled by the publisher.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import Refused
from jobs.sources.raw_file import MEND, RawColumn, read_raw, refuse_row

UNKNOWN = "unknown"
ITEM_FIELDS = ("premium", "article_length")
CONTEXT_FIELDS = ("device_type", "page", "is_subscriber", "is_sso_user")
DENSE = ("score",)
PATTERNS = {
    "behaviors": "behaviors.parquet",
    "history": "history.parquet",
    "premium": "premium_articles*.parquet",
    "article_length": "article_length*.parquet",
}
LENGTH_EDGES = np.array([1, 500, 1000, 1500, 2000, 3000, 4000, 6000])
"""article_length falls into length0 (nothing extracted) to length8; about equal shares."""

BEHAVIORS = (
    RawColumn(name="impression_id", kind="integer", unique=True),
    RawColumn(name="user_id", kind="integer"),
    RawColumn(name="impression_time", kind="timestamp"),
    RawColumn(name="article_id", kind="integer", nullable=True),
    RawColumn(name="device_type", kind="integer", nullable=True),
    RawColumn(name="is_subscriber", kind="boolean", nullable=True),
    RawColumn(name="is_sso_user", kind="boolean", nullable=True),
    RawColumn(name="article_ids_inview", kind="list of integers"),
    RawColumn(name="article_ids_clicked", kind="list of integers"),
)
HISTORY = (
    RawColumn(name="user_id", kind="integer"),
    RawColumn(name="article_id_fixed", kind="list of integers"),
)


def find_files(folder: Path) -> dict[str, Path]:
    """Return the folder's four files by role; refuse naming every one that is not there."""
    if not folder.is_dir():
        raise Refused(
            f"{folder} is no folder; give the one with the EB-NeRD files as --source DIR or as "
            "source.path in the profile"
        )
    found = {role: sorted(folder.glob(pattern)) for role, pattern in PATTERNS.items()}
    problems = [
        f"{PATTERNS[role]} is missing"
        if not paths
        else f"{PATTERNS[role]} fits {', '.join(path.name for path in paths)}; keep one of them"
        for role, paths in found.items()
        if len(paths) != 1
    ]
    if problems:
        raise Refused(
            f"{folder}: {'; '.join(problems)}. Put it there, or name another folder with "
            "--source DIR or source.path in the profile"
        )
    return {role: paths[0] for role, paths in found.items()}


@dataclass(frozen=True, slots=True)
class Impressions:
    """Every impression of the source in order of (time, id), and what each showed.

    Impression n showed shown_item[first[n]:first[n + 1]]; clicked is parallel to shown_item.
    """

    request: np.ndarray
    user: np.ndarray
    moment: np.ndarray
    """Microseconds since 1970 UTC."""
    context: dict[str, pa.Array]
    first: np.ndarray
    shown_item: np.ndarray
    clicked: np.ndarray

    @property
    def clicks(self) -> np.ndarray:
        """How many items were clicked in each impression."""
        running = np.concatenate([[0], np.cumsum(self.clicked)])
        return running[self.first[1:]] - running[self.first[:-1]]

    @property
    def shown_by(self) -> np.ndarray:
        """The impression of each shown item."""
        return np.repeat(np.arange(len(self.request)), np.diff(self.first))


def read_impressions(path: Path) -> Impressions:
    """Return behaviors.parquet; refuse an item shown twice at once, or clicked but not shown."""
    raw = read_raw(path, BEHAVIORS)
    source_row = pc.sort_indices(
        raw, [("impression_time", "ascending"), ("impression_id", "ascending")]
    )
    raw = raw.take(source_row).combine_chunks()
    shown, clicked = (raw[f"article_ids_{name}"].combine_chunks() for name in ("inview", "clicked"))
    values = [part.flatten().to_numpy() for part in (shown, clicked)]
    rows = [pc.list_parent_indices(part).to_numpy().astype(np.int64) for part in (shown, clicked)]
    items, code = np.unique(np.concatenate(values), return_inverse=True)
    keys = np.concatenate(rows) * len(items) + code
    shown_key, clicked_key = np.split(keys, [len(values[0])])
    ordered = np.argsort(shown_key, kind="stable")
    twice = ordered[1:][np.diff(shown_key[ordered]) == 0]
    strays = np.flatnonzero(~np.isin(clicked_key, shown_key))
    for at, part, name, rule in (
        (twice, 0, "inview", "is shown twice in this impression"),
        (strays, 1, "clicked", "was clicked but is not in article_ids_inview"),
    ):
        if len(at):
            row, item = source_row[rows[part][at[0]]].as_py(), int(values[part][at[0]])
            refuse_row(path, f"article_ids_{name}", row, item, rule, MEND)
    return Impressions(
        request=raw["impression_id"].to_numpy(),
        user=raw["user_id"].to_numpy(),
        moment=raw["impression_time"].cast(pa.int64()).to_numpy(),
        context=_context(raw),
        first=np.searchsorted(rows[0], np.arange(raw.num_rows + 1)),
        shown_item=values[0],
        clicked=np.isin(shown_key, clicked_key),
    )


def _context(raw: pa.Table) -> dict[str, pa.Array]:
    """Return what the publisher knew when the page was asked for, as tokens."""
    column = {name: raw[name].combine_chunks() for name in raw.column_names}
    device = column["device_type"].cast(pa.string())
    context = {
        "device_type": pc.binary_join_element_wise("device", device, ""),
        "page": pc.if_else(column["article_id"].is_valid(), "article", "front"),
        "is_subscriber": pc.if_else(column["is_subscriber"], "yes", "no"),
        "is_sso_user": pc.if_else(column["is_sso_user"], "yes", "no"),
    }
    return {name: pc.fill_null(tokens, UNKNOWN) for name, tokens in context.items()}


def read_item_fields(files: dict[str, Path], items: np.ndarray) -> dict[str, pa.Array]:
    """Return the tokens of the items, field by field; an item without facts is 'unknown'."""
    tokens = {}
    for field in ITEM_FIELDS:
        path = files[field]
        columns = (
            RawColumn(name="article_id", kind="integer", unique=True),
            RawColumn(name=field, kind="finite number", nullable=True),
        )
        raw = read_raw(path, columns)
        value = raw[field].to_numpy()
        _check_range(path, field, value)
        words = _premium(value) if field == "premium" else _length(value)
        words = pc.if_else(raw[field].combine_chunks().is_valid(), words, UNKNOWN)
        place = pc.index_in(pa.array(items), raw["article_id"])
        tokens[field] = pc.fill_null(words.take(place), UNKNOWN)
    return tokens


def _check_range(path: Path, field: str, value: np.ndarray) -> None:
    """Refuse a flag that is none, and a length below 0."""
    bad = (value != 0) & (value != 1) if field == "premium" else value < 0
    rows = np.flatnonzero(bad & ~np.isnan(value))
    if len(rows):
        rule = "is neither 0 nor 1" if field == "premium" else "is below 0"
        row = int(rows[0])
        refuse_row(path, field, row, float(value[row]), rule, MEND)


def _premium(value: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(value == 1), "yes", "no")


def _length(value: np.ndarray) -> pa.Array:
    bucket = np.searchsorted(LENGTH_EDGES, np.nan_to_num(value), side="right")
    return pa.array([f"length{n}" for n in range(len(LENGTH_EDGES) + 1)]).take(pa.array(bucket))


def read_reads(files: dict[str, Path], impressions: Impressions) -> tuple[np.ndarray, np.ndarray]:
    """Return (user, item) of everything read: the history before the week, and all its clicks."""
    history = read_raw(files["history"], HISTORY)
    lists = history["article_id_fixed"].combine_chunks()
    users = history["user_id"].to_numpy()[pc.list_parent_indices(lists).to_numpy()]
    clicked = impressions.clicked
    return (
        np.concatenate([users, impressions.user[impressions.shown_by[clicked]]]),
        np.concatenate([lists.flatten().to_numpy(), impressions.shown_item[clicked]]),
    )
