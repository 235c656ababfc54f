"""One request before and after: the lists of the methods side by side, coloured by category."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from jobs.features import flat
from jobs.lake import Lake
from jobs.report.metric_table import BASELINE
from jobs.sources.raw_values import UNKNOWN
from schemas.table import Fields

SIDE_BY_SIDE = ("pre_ranker", "dcn", "mmr", "cdm")
SHOWN_PLACES = 20
CHIPS = 8
"""Colours that can be told apart; further categories get an empty chip."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of one list."""

    rank: int
    item_id: Any
    category: str
    chip: int | None
    f: float
    win_probability: float | None
    fate: str
    """clicked, shown or unseen."""


@dataclass(frozen=True, slots=True)
class OneRequest:
    """A request, its lists by method, and how usual it is."""

    day: date
    request_id: Any
    about: dict[str, Any]
    k: int
    candidates: int
    lists: dict[str, list[Place]]
    distinct: dict[str, int]
    """Different categories by method, or nothing where the data set has no categories."""
    requests: int
    reordered: int
    """Requests in which CDM's list differs from DCN's at any place."""
    mean_distinct: dict[str, float]
    apart: str
    """In what CDM's list differs from DCN's, more than that of any other request: categories,
    items, or nothing where every list is the same."""
    more: int
    fewer: int
    """Requests whose CDM list has more or fewer different categories than DCN's."""
    unknown_items: tuple[int, int]
    """How many of the day's items have the category `unknown`, and how many items there are."""
    missed_positives: int

    @property
    def gain(self) -> int:
        """How many more categories than DCN's list CDM's has; below 0 it has fewer."""
        return self.distinct["cdm"] - self.distinct[BASELINE]

    @property
    def has_plain_chips(self) -> bool:
        """Whether there are more categories than colours."""
        return any(p.category and p.chip is None for places in self.lists.values() for p in places)


def one_request(
    lake: Lake, fields: Fields, day: date, version: str, ks: tuple[int, ...]
) -> OneRequest | None:
    """Return the request whose CDM list differs most from DCN's in distinct categories.

    Of equals the one with the lowest id; in other items where no list has more or fewer categories.
    None where the day has no CDM list or no DCN list.
    """
    k = max((k for k in ks if k <= SHOWN_PLACES), default=min(ks))
    lists = _lists(lake, day, version, k)
    if not {BASELINE, "cdm"} <= set(lists["method"]):
        return None
    categories = _categories(lake, fields, day)
    lists["category"] = lists["item_id"].map(categories)
    distinct = _distinct(lists, fields)
    wide = lists.pivot(index=["request_id", "rank"], columns="method", values="item_id")
    moved = (wide["cdm"] != wide[BASELINE]).groupby(level="request_id").any()
    gain = distinct["cdm"] - distinct[BASELINE] if fields.category else pd.Series(dtype=int)
    # More and fewer alike: to show the best gain alone would praise a model that usually loses.
    change = gain.abs() if gain.any() else _other_items(lists)
    chosen = change.sort_index().idxmax()  # the first of equals
    row = _candidate_row(lake, day, chosen)
    mine = lists[lists["request_id"] == chosen]
    labels = dict(zip(row["item_id"], zip(row["exposed"], row["label"], strict=True), strict=True))
    chips = _chips(mine, fields)
    return OneRequest(
        day=day,
        request_id=chosen,
        about={name: row[name] for name in ("user_id", "ts", *fields.context)},
        k=k,
        candidates=row["n_candidates"],
        lists={
            method: [_place(item, labels, chips, fields) for item in rows.to_dict("records")]
            for method in SIDE_BY_SIDE
            if len(rows := mine[mine["method"] == method].sort_values("rank"))
        },
        distinct=distinct.loc[chosen].dropna().astype(int).to_dict() if fields.category else {},
        requests=len(change),
        reordered=int(moved.sum()),
        mean_distinct=distinct.mean().to_dict() if fields.category else {},
        apart="categories" if gain.any() else "items" if change.any() else "",
        more=int((gain > 0).sum()),
        fewer=int((gain < 0).sum()),
        unknown_items=(
            sum(UNKNOWN in _split(category, fields) for category in categories.values()),
            len(categories),
        ),
        missed_positives=row["missed_positives"],
    )


def _lists(lake: Lake, day: date, version: str, k: int) -> pd.DataFrame:
    wanted = [
        "request_id", "method", "model_version", "rank", "item_id", "f", "win_probability",
    ]  # fmt: skip
    pieces = []
    for batch in lake.partition("rankings", day).batches(wanted):
        table = pa.Table.from_batches([batch])
        keep = pc.and_(
            pc.and_(pc.equal(table["model_version"], version), pc.less_equal(table["rank"], k)),
            pc.is_in(table["method"], value_set=pa.array(SIDE_BY_SIDE)),
        )
        pieces.append(table.filter(keep))
    return pa.concat_tables(pieces).to_pandas()


def _categories(lake: Lake, fields: Fields, day: date) -> dict[Any, str]:
    if not fields.category:
        return {}
    found: dict[Any, str] = {}
    for batch in lake.partition("candidate_sets", day).batches(["item_id", fields.category]):
        pairs = pa.table({"item": flat(batch["item_id"]), "of": flat(batch[fields.category])})
        least = pairs.group_by("item").aggregate([("of", "min")])
        for item, of in zip(least["item"].to_pylist(), least["of_min"].to_pylist(), strict=True):
            found[item] = min(of, found.get(item, of))
    return found


def _split(category: str, fields: Fields) -> list[str]:
    separator = fields.category_separator
    return category.split(separator) if separator else [category]


def _distinct(lists: pd.DataFrame, fields: Fields) -> pd.DataFrame:
    """Return different categories by request and method."""
    if not fields.category:
        return pd.DataFrame()
    each = lists.assign(of=[_split(c, fields) for c in lists["category"]]).explode("of")
    each = each[each["of"] != ""]  # an empty name is no category
    counts = each.groupby(["request_id", "method"])["of"].nunique().unstack("method")
    return counts.reindex(lists["request_id"].unique()).fillna(0)


def _other_items(lists: pd.DataFrame) -> pd.Series:
    """Return, by request, how many items of CDM's list DCN's does not hold."""
    pair = lists[lists["method"].isin(("cdm", BASELINE))]
    sets = pair.groupby(["request_id", "method"])["item_id"].agg(set).unstack("method").dropna()
    return pd.Series(
        [len(a - b) for a, b in zip(sets["cdm"], sets[BASELINE], strict=True)], sets.index
    )


def _candidate_row(lake: Lake, day: date, request_id: object) -> dict[str, Any]:
    row = lake.partition("candidate_sets", day).row("request_id", request_id)
    if row is None:
        raise LookupError(f"request {request_id!r} is ranked and not in candidate_sets of {day}")
    return row.to_pylist()[0]


def _chips(lists: pd.DataFrame, fields: Fields) -> dict[str, int]:
    """Give colours to the categories that stand most often in the lists."""
    if not fields.category:
        return {}
    seen = lists["category"].value_counts()
    order = sorted(seen.index, key=lambda name: (-seen[name], name))
    return {name: chip for chip, name in enumerate(order[:CHIPS])}


def _place(
    item: dict[str, Any], labels: dict[Any, tuple], chips: dict[str, int], fields: Fields
) -> Place:
    exposed, label = labels.get(item["item_id"], (0, None))
    won, category = item["win_probability"], item["category"]
    return Place(
        rank=item["rank"],
        item_id=item["item_id"],
        category=", ".join(filter(None, _split(category, fields))) or "no category"
        if fields.category
        else "",
        chip=chips.get(category),
        f=item["f"],
        win_probability=None if pd.isna(won) else won,
        fate="clicked" if label == 1 else "shown" if exposed else "unseen",
    )
