"""Measure the logs of a day: how many, how late, how often shown and clicked, how much unknown."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.measures.catalogue import UNKNOWN
from jobs.measures.measured import Measured, number, ratio
from jobs.measures.tally import Distinct, count, ones
from jobs.sources.raw_values import UNKNOWN as IS_UNKNOWN
from schemas.table import Fields

IDS = {"request_id": "requests", "user_id": "users", "item_id": "items"}
FLAGS = ("exposed", "label", "shown_rank", "derived")


def columns(fields: Fields) -> list[str]:
    """Return what is read."""
    return [*IDS, "ts", *FLAGS, *fields.context, *fields.item]


def measure(
    pieces: Iterable[pa.Table],
    fields: Fields,
    bounds: tuple[datetime, datetime],
    counts: dict[str, object],
) -> list[Measured]:
    """Measure request_logs; `counts` are those that the step which brought them in published."""
    sums: Counter[str] = Counter()
    ids = {name: Distinct() for name in IDS}
    times, named = Distinct(), (*fields.context, *fields.item)
    for rows in pieces:
        sums["rows"] += rows.num_rows
        shown = pc.equal(rows["exposed"], 1)
        sums["exposed"] += count(shown)
        sums["clicked"] += count(pc.and_(shown, pc.equal(rows["label"], 1)))
        sums["unranked"] += count(pc.and_(shown, pc.is_null(rows["shown_rank"])))
        sums["derived"] += ones(rows["derived"])
        for name in named:
            sums[f"{UNKNOWN}{name}"] += count(pc.equal(rows[name], IS_UNKNOWN))
        for name, seen in ids.items():
            seen.add(rows[name])
        times.add(rows["ts"])
    found = [number("rows", sums["rows"], sums["rows"])]
    found += [number(what, len(ids[name]), sums["rows"]) for name, what in IDS.items()]
    found += freshness(times.values(), bounds, len(ids["request_id"]))
    found += [
        ratio("exposed_rate", sums["exposed"], sums["rows"]),
        ratio("click_rate", sums["clicked"], sums["exposed"]),
        ratio("unranked_share", sums["unranked"], sums["exposed"]),
        ratio("derived_share", sums["derived"], sums["rows"]),
    ]
    if read := counts.get("source_rows"):
        found.append(ratio("quarantined_share", counts["source_rows_quarantined"], read))
    unknown = [f"{UNKNOWN}{name}" for name in named]
    return found + [ratio(name, sums[name], sums["rows"]) for name in unknown]


def freshness(times: pa.Array, bounds: tuple[datetime, datetime], requests: int) -> list[Measured]:
    """Measure, in hours, how long before the day's end the requests stop, and their longest gap."""
    if not len(times):
        return []
    start, end = (int(moment.timestamp() * 1e6) for moment in bounds)
    at = np.sort(times.cast(pa.int64()).to_numpy(zero_copy_only=False))
    hours = np.diff(np.concatenate([[start], at, [end]])) / 3.6e9
    return [
        number("hours_to_end", hours[-1], requests),
        number("longest_gap", hours.max(), requests),
    ]
